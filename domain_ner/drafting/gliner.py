"""GLiNER as a source of drafts: a model that finds types by their names, without training (arXiv:2311.08526).

Needs the package `gliner` (the extra `gliner`), which is imported when a model is loaded.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.drafting.proposals import Proposals, screened
from domain_ner.errors import DomainNerError
from domain_ner.guide.legality import SpanRules
from domain_ner.guide.schema import Guide

WORD = re.compile(r"\w+(?:[-_]\w+)*|\S")
# GLiNER cuts a text off after its config's `max_len` words; a window has fewer, and overlaps the next by a half.
WINDOW_WORDS = 160


class Model(Protocol):
    """What is used of `gliner.GLiNER`."""

    def predict_entities(self, text: str, labels: list[str], threshold: float) -> list[dict[str, Any]]:
        """List the entities of a text: start, end, label, score."""


@dataclass
class GlinerSource:
    """Proposes what a GLiNER model finds. The score is the model's own, 0..1; it is not calibrated for this guide."""

    model: Model
    guide: Guide
    threshold: float = 0.5
    name: str = field(default="gliner", init=False)

    def propose(self, texts: Sequence[str]) -> Iterator[Proposals]:
        """Yield the entities of each text that the guide allows, read in windows that overlap."""
        rules = SpanRules.of(self.guide)
        # It was trained on names of types in small letters.
        labels = {label.replace("_", " ").lower(): label for label in self.guide.labels}
        if len(labels) < len(self.guide.labels):  # they differ in letter case alone
            labels = {label: label for label in self.guide.labels}
        for text in texts:
            scores: dict[LabelledSpan, float] = {}
            for start, end in windows(text):
                for found in self.model.predict_entities(text[start:end], list(labels), threshold=self.threshold):
                    span = LabelledSpan(start + found["start"], start + found["end"], labels[found["label"]])
                    scores[span] = max(scores.get(span, 0.0), float(found["score"]))
            yield screened(text, scores, rules)


def windows(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of windows of whole words that cover a text, each overlapping the next by half."""
    words = [match.span() for match in WORD.finditer(text)]
    for first in range(0, max(1, len(words) - WINDOW_WORDS // 2), WINDOW_WORDS // 2):
        inside = words[first : first + WINDOW_WORDS]
        if inside:
            yield inside[0][0], inside[-1][1]


def load_gliner(name: str) -> Model:
    """Load a GLiNER model. name: a folder, or an id of the Hugging Face hub.

    Raises DomainNerError when the package is not installed, or there is no such model.
    """
    try:
        from gliner import GLiNER  # noqa: PLC0415 (takes seconds, and is an extra)
    except ImportError as err:
        raise DomainNerError(
            f"The package gliner cannot be imported ({type(err).__name__}: {err}).",
            'Install it: pip install "domain-ner[gliner]"',
        ) from err
    try:
        model: Model = GLiNER.from_pretrained(name, local_files_only=Path(name).is_dir())
    except Exception as err:  # whatever hub, file or model raise
        raise DomainNerError(
            f"Cannot load the GLiNER model {name!r} ({type(err).__name__}: {err}).",
            "Give a folder with a model, or an id of the hub such as urchade/gliner_small-v2.1.",
        ) from err
    return model
