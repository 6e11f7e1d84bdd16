"""Renders marked stretches of a text and their labels as HTML."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

# Characters of a label, at most.
MAX_LABEL = 32
# Colours of types that have none in a guide.
PALETTE = (
    "#a6cee3", "#b2df8a", "#fdbf6f", "#cab2d6", "#fb9a99", "#ffff99", "#8dd3c7", "#fccde5", "#d9d9d9", "#e5c494",
)  # fmt: skip


@dataclass(frozen=True, order=True)
class Mark:
    """A stretch of the text to mark. order: sorts marks with the same start by length, the longest first.

    number: sorts marks with the same start and end. opening, tag, closing: HTML before it, its label, HTML after it.
    """

    start: int
    order: int
    number: int
    end: int
    opening: str
    tag: str
    closing: str

    def piece(self, start: int, end: int) -> "Mark":
        """Return the part from start to end; only the last part has the tag."""
        return Mark(start, -end, self.number, end, self.opening, self.tag if end == self.end else "", self.closing)


def nest(text: str, marks: Iterable[Mark]) -> str:
    """Render a text with marks that may nest; of two that cross, the later one is split where the earlier ends."""
    queue, open_marks, html, at = list(marks), list[Mark](), "", 0
    heapq.heapify(queue)
    while queue or open_marks:
        if open_marks and (not queue or open_marks[-1].end <= queue[0].start):
            last = open_marks.pop()
            html, at = html + escape(text[at : last.end]) + last.tag + last.closing, last.end
            continue
        mark = heapq.heappop(queue)
        if open_marks and mark.end > open_marks[-1].end:
            edge = open_marks[-1].end
            heapq.heappush(queue, mark.piece(edge, mark.end))
            heapq.heappush(queue, mark.piece(mark.start, edge))
            continue
        html, at = html + escape(text[at : mark.start]) + mark.opening, mark.start
        open_marks.append(mark)
    return html + escape(text[at:])


def short(label: str) -> str:
    """Shorten a long label to its beginning and its end."""
    return label if len(label) <= MAX_LABEL else f"{label[: MAX_LABEL - 9]}…{label[-8:]}"


def readable(colour: str) -> str:
    """Return a colour (`#rrggbb`) and a text colour that is readable on it, as CSS variables."""
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 128
    return f"--c:{colour};--t:{'#14181d' if is_light else '#fff'}"


def palette(labels: Iterable[str]) -> dict[str, str]:
    """Choose a colour (`#rrggbb`) for each label."""
    return {label: PALETTE[n % len(PALETTE)] for n, label in enumerate(sorted(set(labels)))}


def whole_percent(confidence: float) -> int:
    """Round a confidence, 0..1, to whole per cent: 100 only if it is certain."""
    return 100 if confidence >= 1 else min(99, round(100 * confidence))


def entity_mark(place: tuple[int, int], label: str, colour: str, *, number: int, confidence: float | None) -> Mark:
    """Create the mark of an entity: in its colour (`#rrggbb`), followed by its type and its confidence.

    place: start and end, in characters. number: sorts marks with the same start and end. confidence: 0..1.
    """
    start, end = place
    sure = "" if confidence is None else f" {whole_percent(confidence)}\N{NO-BREAK SPACE}%"
    opening = f'<mark style="{readable(colour)}" title="{escape(label)}">'
    return Mark(start, -end, number, end, opening, f"<b>{escape(short(label))}{sure}</b>", "</mark>")
