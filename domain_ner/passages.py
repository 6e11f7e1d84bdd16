"""The annotated passage, the one shape that every reader makes and every later step takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, order=True)
class LabelledSpan:
    """An entity mention. `start` and `end` are code-point offsets into the passage's text, `end` exclusive."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Passage:
    """A text with its annotation.

    text: as the annotator saw it, never altered.
    spans: sorted, not overlapping. No spans: the annotator looked and found none.
    source: `file:line` of the annotation.
    meta: what the export says of the passage (its `meta` object).
    annotator: who annotated it, empty where the export does not say.
    trimmed: those of `spans` that had white space at their edges, as they were.
    """

    text: str
    spans: tuple[LabelledSpan, ...]
    source: str
    meta: Mapping[str, Any] = field(default_factory=dict)
    annotator: str = ""
    trimmed: tuple[LabelledSpan, ...] = ()
