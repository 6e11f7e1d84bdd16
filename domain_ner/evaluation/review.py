"""Passages of a corpus as tasks for annotators to decide: what is annotated, and what a pipeline says instead."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from spacy.tokens import Doc

from domain_ner.annotations.doc_keys import SPANS_KEY
from domain_ner.annotations.passages import Passage
from domain_ner.metrics.scores import Entity
from domain_ner.writers.passages import to_passage


def review_task(gold: Doc, suggested: Iterable[Entity], why: Sequence[str], *, score: float | None = None) -> Passage:
    """A passage as it is annotated, with `why` it is to be looked at in its `meta`, and what is suggested instead.

    suggested: in characters of `gold`. score: how likely it is wrong, 0..1.
    """
    passage = to_passage(gold, "")
    changed = gold.copy()
    changed.set_ents([])
    spans = (changed.char_span(*one[:2], label=one[2], alignment_mode="expand") for one in sorted(suggested))
    changed.spans[SPANS_KEY] = [span for span in spans if span is not None]  # which may overlap
    known = {} if score is None else {"score": round(score, 4)}
    return replace(
        passage,
        annotator="",
        meta={**passage.meta, "review": list(why), **known},
        suggested=to_passage(changed, passage.source).spans,
    )
