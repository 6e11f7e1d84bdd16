"""Predicts the entities of texts. What comes back holds no spaCy objects."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.annotating.memory import FreshPipeline
from domain_ner.annotating.predicting import found_spans, scored, spans_below
from domain_ner.monitoring.observing import Observer, observer_of
from domain_ner.serving.found import Entity, Found

# Texts to predict before the service is ready: short, middling and long.
WARM_UP = ("", "Redis was slow.", " ".join(["The checkout-api returned errors after the deploy at noon."] * 40))


class Predictor:
    """Runs a pipeline on texts. load: loads and warms it up."""

    def __init__(self, load: Callable[[], Language]) -> None:
        self._fresh = FreshPipeline(load)

    @property
    def nlp(self) -> Language:
        """The pipeline; loaded anew when the process has grown."""
        return self._fresh.get()

    def __call__(self, texts: Sequence[str]) -> list[Found]:
        """Return what each text holds. If a text fails, each is predicted alone."""
        return predict(self.nlp, texts)


def predict(nlp: Language, texts: Sequence[str]) -> list[Found]:
    """Return what each text holds. If a text fails, each is predicted alone."""
    observer = observer_of(nlp)  # before: the recogniser takes notes
    try:
        with nlp.memory_zone():  # new words are forgotten after the batch
            found = _found(list(nlp.pipe(texts, batch_size=len(texts))), observer)
        if len(found) == len(texts):
            return found
    except Exception:  # of any component: found below
        pass
    return [_alone(nlp, text, observer) for text in texts]


def warm_up(nlp: Language) -> None:
    """Predict a few texts, so that the first request is as fast as the next."""
    for text in WARM_UP:
        predict(nlp, [text])


def _alone(nlp: Language, text: str, observer: Observer) -> Found:
    try:
        with nlp.memory_zone():
            return _found([nlp(text)], observer)[0]
    except Exception as err:  # its message may quote the text
        return Found(error=type(err).__name__)


def _found(docs: Sequence[Doc], observer: Observer) -> list[Found]:
    spans, below = [found_spans(doc) for doc in docs], [spans_below(doc) for doc in docs]
    observed = observer(docs, list(map(scored, spans)), list(map(scored, below)))
    return [
        Found(_entities(found), _entities(suppressed), observed=replace(observation, vector=()))
        for found, suppressed, observation in zip(spans, below, observed, strict=True)
    ]


def _entities(spans: Sequence[tuple[Any, float | None]]) -> tuple[Entity, ...]:
    return tuple(Entity(span.start_char, span.end_char, span.label_, confidence) for span, confidence in spans)
