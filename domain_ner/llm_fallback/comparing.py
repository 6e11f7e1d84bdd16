"""Scores a pipeline alone, the language model alone, and both, on annotated documents, with what the answers cost."""

from collections.abc import Callable, Sequence
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.evaluation.predicting import input_doc
from domain_ner.llm_fallback.component import LlmFallback
from domain_ner.llm_fallback.report import ALONE, BOTH, LLM, FallbackReport, Row
from domain_ner.metrics.scores import ALL_TYPES, Score, Scores, score_entities

Entities = list[tuple[int, int, str]]


def compare(
    nlp: Language, component: LlmFallback, golds: Sequence[Doc], on_doc: Callable[[], None] = lambda: None
) -> FallbackReport:
    """Score the three. nlp: the pipeline with the component, which must be the last one and enabled.

    Asks for every document, so that the model alone can be scored; `used` counts those that the component asks for.
    """
    with nlp.select_pipes(disable=[component.name]):
        docs = list(nlp.pipe(input_doc(nlp, gold) for gold in golds))
    gold_entities = [_entities(gold) for gold in golds]
    alone = [_entities(doc) for doc in docs]
    unsure = [doc for doc in docs if component.needs_help(doc)]
    before = component.record()
    for _ in component.pipe(docs):
        on_doc()
    used = _difference(before, component.record())
    both = [_entities(doc) for doc in docs]
    answers = component.ask(docs)
    named = [
        [(doc[start:end].start_char, doc[start:end].end_char, label) for start, end, label in found or ()]
        for doc, found in zip(docs, answers, strict=True)
    ]
    scored = {
        name: score_entities(zip(gold_entities, found, strict=True))
        for name, found in ((ALONE, alone), (LLM, named), (BOTH, both))
    }
    scores = {name: _rows(of_system) for name, of_system in scored.items()}
    fewer = _n_errors(scored[ALONE].micro) - _n_errors(scored[BOTH].micro)
    gain = 100 * (scores[BOTH][ALL_TYPES].f1 - scores[ALONE][ALL_TYPES].f1)
    return FallbackReport(
        model=component.settings.llm.model,
        n_passages=len(docs),
        n_asked=len(unsure),
        scores=scores,
        used=used,
        gain=gain,
        fewer_errors=fewer,
        fewer_per_thousand=fewer * 1000 / len(unsure) if unsure else None,
    )


def _entities(doc: Doc) -> Entities:
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


def _n_errors(score: Score) -> int:
    return score.n_predicted + score.n_gold - 2 * score.n_correct


def _rows(scores: Scores) -> dict[str, Row]:
    return {ALL_TYPES: _row(scores.micro), **{label: _row(score) for label, score in scores.by_type.items()}}


def _row(score: Score) -> Row:
    return Row(precision=score.precision, recall=score.recall, f1=score.f1, support=score.support)


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    names = ("texts", "calls", "tokens_in", "tokens_out", "cost", "changed")
    return {name: after.get(name, 0) - before.get(name, 0) for name in names}
