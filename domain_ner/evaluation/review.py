"""Makes review tasks for annotators: the annotation of a passage, and a pipeline's suggestion."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from spacy.tokens import Doc

from domain_ner.annotations.doc_keys import SPANS_KEY
from domain_ner.annotations.passages import Passage
from domain_ner.metrics.scores import Entity
from domain_ner.writers.passages import to_passage


def review_task(gold: Doc, suggested: Iterable[Entity], why: Sequence[str], *, score: float | None = None) -> Passage:
    """Make a review task: the annotated passage, with the reasons `why` in `meta`, and the suggested entities.

    suggested: in characters of `gold`. score: the probability that the annotation is wrong, 0..1.
    """
    passage = to_passage(gold, "")
    changed = gold.copy()
    changed.set_ents([])
    spans = (
        changed.char_span(start, end, label=label, alignment_mode="expand") for start, end, label in sorted(suggested)
    )
    changed.spans[SPANS_KEY] = [span for span in spans if span is not None]  # which may overlap
    known = {} if score is None else {"score": round(score, 4)}
    return replace(
        passage,
        annotator="",
        meta={**passage.meta, "review": list(why), **known},
        suggested=to_passage(changed, passage.source).spans,
    )
