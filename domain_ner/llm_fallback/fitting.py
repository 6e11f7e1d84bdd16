"""Counts on annotated documents how far a language model can be trusted, type by type."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from domain_ner.evaluation.predicting import input_doc
from domain_ner.llm_fallback.component import LlmFallback
from domain_ner.llm_fallback.joining import ALONE_PRIOR, Place, Trust, confidences
from domain_ner.metrics.label_model import ENTITY_PRIOR, OTHER_PRIOR


@dataclass(frozen=True)
class Fitted:
    """What was counted. n_docs: that were asked, with an answer. trust: by type.

    entities, others: by type, spans that are an entity and that are none, of those that recogniser or model found.
    """

    n_docs: int
    entities: Counter[str]
    others: Counter[str]
    trust: dict[str, Trust]


def unsure_docs(
    nlp: Language, golds: Sequence[Doc], component: LlmFallback, on_doc: Callable[[], None] = lambda: None
) -> Iterator[tuple[Doc, Doc]]:
    """Predict without the component, and yield the documents that it would ask for, each with its gold document.

    on_doc: called after each document.
    """
    others = [name for name in nlp.pipe_names if name != component.name]
    with nlp.select_pipes(enable=others):
        for doc, gold in zip(nlp.pipe(input_doc(nlp, gold) for gold in golds), golds, strict=True):
            on_doc()
            if component.needs_help(doc):
                yield doc, gold


def fit(
    nlp: Language, golds: Sequence[Doc], component: LlmFallback, on_doc: Callable[[], None] = lambda: None
) -> Fitted:
    """Ask for the documents that need help, and set the component's trust.

    nlp: with the component. golds: annotated documents that the recogniser did not learn. on_doc: called after each
    document that was predicted.
    """
    pairs = list(unsure_docs(nlp, golds, component, on_doc))
    docs, expected = [doc for doc, _ in pairs], [_gold(doc, gold) for doc, gold in pairs]
    # Of spans that the recogniser finds possible: by type, and whether they are an entity.
    listed = {True: Counter[str](), False: Counter[str]()}
    named = {True: Counter[str](), False: Counter[str]()}
    alone = {True: Counter[str](), False: Counter[str]()}
    n_docs = 0
    for doc, gold, answer in zip(docs, expected, component.ask(docs), strict=True):
        if answer is None:
            continue
        n_docs += 1
        possible = {place for place in confidences(doc) if component.settings.is_asked_for(place[2])}
        for place in possible:
            listed[place in gold][place[2]] += 1
            named[place in gold][place[2]] += place in answer
        for place in set(answer) - possible:
            alone[place in gold][place[2]] += 1
    entities, others = (listed[is_entity] + alone[is_entity] for is_entity in (True, False))
    component.trust = {
        label: Trust(
            _rate(named[True][label], listed[True][label], ENTITY_PRIOR),
            _rate(named[False][label], listed[False][label], OTHER_PRIOR),
            _rate(alone[True][label], alone[True][label] + alone[False][label], ALONE_PRIOR),
        )
        for label in sorted({*entities, *others})
    }
    return Fitted(n_docs, entities, others, component.trust)


def _rate(n: int, n_all: int, prior: tuple[float, float]) -> float:
    return (n + prior[0]) / (n_all + sum(prior))


def _gold(doc: Doc, gold: Doc) -> set[Place]:
    """The entities of a gold document, in the tokens of the predicted one."""
    spans = Example(doc, gold).get_aligned_spans_y2x(list(gold.ents), allow_overlap=True)
    return {(span.start, span.end, span.label_) for span in spans}
