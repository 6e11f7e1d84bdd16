"""Marked stretches of a text as HTML, and their labels."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

# Characters of a label that are shown.
MAX_LABEL = 32
# Where no guide says the colours of the types.
PALETTE = (
    "#a6cee3", "#b2df8a", "#fdbf6f", "#cab2d6", "#fb9a99", "#ffff99", "#8dd3c7", "#fccde5", "#d9d9d9", "#e5c494",
)  # fmt: skip


@dataclass(frozen=True, order=True)
class Mark:
    """A stretch of the text to mark. order: of those that start together the longest first, then by `number`.

    opening, tag, closing: HTML before it, the words behind it, and what closes it.
    """

    start: int
    order: int
    number: int
    end: int
    opening: str
    tag: str
    closing: str

    def piece(self, start: int, end: int) -> "Mark":
        """The part of it from start to end; only the last part has its tag."""
        return Mark(start, -end, self.number, end, self.opening, self.tag if end == self.end else "", self.closing)


def nest(text: str, marks: Iterable[Mark]) -> str:
    """HTML of a text with marks that may nest; of two that cross, the later one is cut where the earlier ends."""
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
    """A label as a table or a chart has room for it: of a long one the beginning and the end."""
    return label if len(label) <= MAX_LABEL else f"{label[: MAX_LABEL - 9]}…{label[-8:]}"


def readable(colour: str) -> str:
    """A colour (`#rrggbb`) and one that can be read on it, as CSS variables."""
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 128
    return f"--c:{colour};--t:{'#14181d' if is_light else '#fff'}"


def palette(labels: Iterable[str]) -> dict[str, str]:
    """A colour (`#rrggbb`) for each label, where no guide says one."""
    return {label: PALETTE[n % len(PALETTE)] for n, label in enumerate(sorted(set(labels)))}


def whole_percent(confidence: float) -> int:
    """A confidence, 0..1, in whole per cent: 100 only where it is certain."""
    return 100 if confidence >= 1 else min(99, round(100 * confidence))


def entity_mark(place: tuple[int, int], label: str, colour: str, *, number: int, confidence: float | None) -> Mark:
    """An entity to mark in a text: in its colour (`#rrggbb`), with its type and its confidence behind the words.

    place: start and end, in characters. number: its place among those that start and end together. confidence: 0..1.
    """
    start, end = place
    sure = "" if confidence is None else f" {whole_percent(confidence)}\N{NO-BREAK SPACE}%"
    opening = f'<mark style="{readable(colour)}" title="{escape(label)}">'
    return Mark(start, -end, number, end, opening, f"<b>{escape(short(label))}{sure}</b>", "</mark>")
