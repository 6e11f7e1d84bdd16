"""Normalises white space, the same way in training and in prediction, and maps offsets back to the original text.

Off unless `vars.normalize` is `whitespace`. Then every run of white space (with no-break spaces, tabs and line ends)
becomes one space; white space at the edges and zero-width characters (zero-width spaces, byte-order marks, soft
hyphens) are removed. The document's text is the normalised one; `doc._.original_text`, `span._.original_start` and
`span._.original_end` lead back.
"""

import re
from bisect import bisect_left

NONE, WHITESPACE = "", "whitespace"
MODES = (NONE, WHITESPACE)
NO_WIDTH = "\u200b\u2060\ufeff\u00ad"
WHITE = re.compile(rf"[\s{NO_WIDTH}]*\s[\s{NO_WIDTH}]*|[{NO_WIDTH}]+")


def normalize_whitespace(text: str) -> tuple[str, list[int]]:
    """Return the normalised text and the original offset of each of its characters and of its end."""
    parts: list[str] = []
    offsets: list[int] = []
    position = 0
    for gap in WHITE.finditer(text):
        parts.append(text[position : gap.start()])
        offsets.extend(range(position, gap.start()))
        position = gap.end()
        if any(char.isspace() for char in gap[0]) and offsets and gap.end() < len(text):
            parts.append(" ")
            offsets.append(gap.start())
    parts.append(text[position:])
    offsets.extend(range(position, len(text)))
    normal = "".join(parts)
    end = offsets[-1] + 1 if offsets else 0
    return normal, [*offsets, end]


def to_normalized(offset: int, offsets: list[int]) -> int:
    """Convert an original offset to the normalised text; an offset in a gap becomes that of the text after it."""
    return min(bisect_left(offsets, offset), len(offsets) - 1)
