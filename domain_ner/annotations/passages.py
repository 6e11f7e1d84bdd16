"""The annotated passage: every reader makes it, and every later step takes it."""

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

    text: as the annotator saw it, never changed.
    spans: sorted; they may nest and overlap. Empty: the annotator found no entity.
    source: `file:line` of the annotation.
    meta: the passage's metadata from the export (its `meta` object).
    annotator: who annotated it; empty if the export does not say.
    trimmed: the spans of `spans` that had white space at their edges, before trimming.
    document: the id in the export; empty if it has none.
    rows: for each of `spans`, its row number in the ledger.
    rejected: spans that an annotator rejected as entities of that label.
    partial: text outside the spans is not annotated. unknown: character ranges that are not annotated.
    words, spaces: the export's own tokens, and whether a space follows each (None: the export does not say).
    suggested: a model's annotation to decide on instead of `spans`, in a review task; None if there is none.
    scores: of suggested spans among `spans`, 0..1, for tools that show them.
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
    scores: Mapping[LabelledSpan, float] = field(default_factory=dict)


def utf16_offsets(text: str) -> list[int]:
    """List the offset in UTF-16 code units (as in JavaScript) of each code point, and of the end of the text."""
    return list(accumulate((1 + (char > "\uffff") for char in text), initial=0))
