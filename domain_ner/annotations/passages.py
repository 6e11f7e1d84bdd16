"""The annotated passage, the one shape that every reader makes and every later step takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from domain_ner.files import Pickled


@dataclass(frozen=True, order=True, slots=True)
class LabelledSpan(Pickled):
    """An entity mention. `start` and `end` are code-point offsets into the passage's text, `end` exclusive."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Passage(Pickled):
    """A text with its annotation.

    text: as the annotator saw it, never altered.
    spans: sorted; they may nest and overlap. No spans: the annotator looked and found none.
    source: `file:line` of the annotation.
    meta: what the export says of the passage (its `meta` object).
    annotator: who annotated it, empty where the export does not say.
    trimmed: those of `spans` that had white space at their edges, as they were.
    document: the id that the export gives, empty where it gives none.
    rows: of each of `spans`, its number in the ledger.
    rejected: what an annotator said is no entity of that label.
    partial: nothing is known of what no span covers. unknown: character ranges of which nothing is known.
    words, spaces: the export's own tokens, and whether a space follows each (None: the export does not say).
    suggested: what a model would annotate instead of `spans`, in a task for people to decide; None where there is none.
    """

    text: str
    spans: tuple[LabelledSpan, ...]
    source: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    annotator: str = ""
    trimmed: tuple[LabelledSpan, ...] = ()
    document: str = ""
    rows: tuple[int, ...] = ()
    rejected: tuple[LabelledSpan, ...] = ()
    partial: bool = False
    unknown: tuple[tuple[int, int], ...] = ()
    words: tuple[str, ...] | None = None
    spaces: tuple[bool, ...] | None = None
    suggested: tuple[LabelledSpan, ...] | None = None


def utf16_offsets(text: str) -> list[int]:
    """For each code point of a text, and for its end, the offset in UTF-16 code units, as JavaScript counts."""
    return list(accumulate((1 + (char > "\uffff") for char in text), initial=0))
