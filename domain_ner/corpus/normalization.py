"""White space made regular, the same way in training and in prediction, and the way back to the original offsets.

Off unless `vars.normalize` is `whitespace`. Where it is on, every run of white space (no-break spaces, tabs and line
ends among them) becomes one space, white space at the edges goes, and so do characters of no width (zero-width spaces,
byte-order marks, soft hyphens). The document's text is then the normalised one; `doc._.original_text` and
`span._.original_start`, `span._.original_end` lead back.
"""

import re
from bisect import bisect_left

NONE, WHITESPACE = "", "whitespace"
MODES = (NONE, WHITESPACE)
NO_WIDTH = "\u200b\u2060\ufeff\u00ad"
WHITE = re.compile(rf"[\s{NO_WIDTH}]*\s[\s{NO_WIDTH}]*|[{NO_WIDTH}]+")


def normalize_whitespace(text: str) -> tuple[str, list[int]]:
    """(normalised text, for each of its characters and for its end the offset in the original text)."""
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
    """The offset in the normalised text of one in the original; where it lies in a gap, that of what follows."""
    return min(bisect_left(offsets, offset), len(offsets) - 1)
