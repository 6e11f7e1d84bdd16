"""Computes a trained recogniser's scores and span probabilities without changing the documents."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch
from thinc.types import Floats2d

from domain_ner.crf_ner.decoding import SpanProbabilities
from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.crf_ner.padding import padded_groups
from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.errors import DomainNerError

BATCH = 64
NAME = "crf_ner"
# The key of `doc._.trf_data` in `doc.user_data`.
ENCODED = ("._.", "trf_data", None, None)


def recogniser(nlp: Language) -> CRFRecognizer:
    """The component that gives probabilities. Raises DomainNerError if the pipeline has none."""
    pipe = nlp.get_pipe(NAME) if NAME in nlp.pipe_names else None
    if not isinstance(pipe, CRFRecognizer):
        raise DomainNerError(
            f"The pipeline ({', '.join(nlp.pipe_names)}) has no {NAME}, which computes confidences.",
            "Train with vars.head crf.",
        )
    return pipe


def score(nlp: Language, pipe: CRFRecognizer, docs: Iterable[Doc]) -> Iterator[Floats2d]:
    """Yield the scores of documents as `tag_scores` does, after all components before the recogniser.

    The encoder's vectors are removed from the documents: those of a corpus would fill the memory.
    """
    for part in minibatch(docs, BATCH):
        processed = process_before(nlp, pipe, part)
        yield from pipe.tag_scores(processed)
        forget_vectors(processed)


def forget_vectors(docs: Iterable[Doc]) -> None:
    """Remove the encoder's vectors from documents."""
    for doc in docs:
        data: Any = doc.user_data
        data.pop(ENCODED, None)


def process_before(nlp: Language, pipe: CRFRecognizer, docs: Iterable[Doc]) -> list[Doc]:
    """Run all components before the recogniser on a batch of documents."""
    processed = list(docs)
    for _, component in nlp.pipeline[: nlp.pipe_names.index(pipe.name)]:
        processed = (
            list(component.pipe(processed)) if hasattr(component, "pipe") else [component(doc) for doc in processed]
        )
    return processed


def span_confidences(
    pipe: CRFRecognizer, scores: Sequence[Floats2d], spans: Sequence[Sequence[tuple[int, int, str]]]
) -> list[list[float]]:
    """Compute the calibrated probability of each span, however small; 0 for an unknown label.

    scores: of `score`. spans: for each document (start, end, label), in tokens, end exclusive.
    """
    numbers = {label: number for number, label in enumerate(pipe.labels)}
    confidences: list[list[float]] = [[] for _ in scores]
    filled = [n for n, array in enumerate(scores) if len(array)]
    to_numpy, settings = pipe.model.ops.to_numpy, pipe.settings
    transitions = to_numpy(pipe.model.get_param(TRANSITIONS))
    for group in padded_groups([to_numpy(scores[n]) for n in filled], transitions, settings.temperature):
        prober = SpanProbabilities(group.scores, group.transitions, group.lengths)
        for row, number in enumerate(group.numbers):
            confidences[filled[number]] = [
                settings.confidence(prober(row, start, end, numbers[label]), label) if label in numbers else 0.0
                for start, end, label in spans[filled[number]]
            ]
    return confidences
