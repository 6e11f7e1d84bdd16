"""Measures of each text how unsure a pipeline is of it, and where it lies among others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from domain_ner.crf_ner.decoding import Decoded
from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.crf_ner.observing import projection
from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.crf_ner.probing import BATCH, forget_vectors, process_before, recogniser
from domain_ner.crf_ner.uncertainty import Uncertainty, uncertainties

# Numbers that stand for a text: its mean token vector, projected at random, which keeps distances.
N_DIMENSIONS = 64

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """A reported entity, in characters. confidence: 0..1."""

    start: int
    end: int
    label: str
    confidence: float


@dataclass(frozen=True)
class Measured:
    """A text as the pipeline sees it.

    found: the entities that it reports. wrong, missed: by type, the expected number of reported entities that are
    wrong, and of entities that are not reported. best, second, entropy: as of `Uncertainty`. vector: (N_DIMENSIONS,),
    of length 1, or 0 for a text without tokens.
    """

    text: str
    n_tokens: int
    found: tuple[Found, ...]
    wrong: dict[str, float]
    missed: dict[str, float]
    best: float
    second: float
    entropy: float
    vector: Array

    @property
    def n_errors(self) -> float:
        """The expected number of errors: wrong and missed entities."""
        return sum(self.wrong.values()) + sum(self.missed.values())


def measure_texts(nlp: Language, texts: Iterable[str]) -> Iterator[Measured]:
    """Measure texts in their order, in batches; new words are forgotten after each.

    Raises DomainNerError if the pipeline gives no probabilities.
    """
    pipe = recogniser(nlp)
    for batch in minibatch(texts, BATCH):
        with nlp.memory_zone():
            docs = process_before(nlp, pipe, map(nlp.make_doc, batch))
            vectors = pipe.token_vectors(docs)
            scores = pipe.tag_scores(docs, vectors)
            forget_vectors(docs)
            to_numpy = pipe.model.ops.to_numpy
            means = iter([to_numpy(array).mean(axis=0) for array in vectors])
            transitions = to_numpy(pipe.model.get_param(TRANSITIONS))
            unsure = uncertainties([to_numpy(array) for array in scores], transitions, pipe.settings.temperature)
            measured = []
            for doc, decoded, one in zip(docs, pipe.decode(scores, with_expected=True), unsure, strict=True):
                vector = np.zeros(N_DIMENSIONS, dtype=np.float32)
                if len(doc):
                    mean = next(means)
                    vector = unit((mean @ projection(len(mean), N_DIMENSIONS)).astype(np.float32))
                measured.append(_measured(pipe, doc, decoded, one, vector))
        yield from measured


def unit(vector: Array) -> Array:
    """A vector of the same direction and length 1; 0 stays 0."""
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def _measured(pipe: CRFRecognizer, doc: Doc, decoded: Decoded, unsure: Uncertainty, vector: Array) -> Measured:
    spans = sorted(pipe.choose(decoded))
    found = tuple(
        Found(doc[span.start].idx, _end(doc, span.end), pipe.labels[span.label], pipe.confidence(span))
        for span in spans
    )
    right = dict.fromkeys(pipe.labels, 0.0)
    wrong = dict.fromkeys(pipe.labels, 0.0)
    for one in found:
        right[one.label] += one.confidence
        wrong[one.label] += 1 - one.confidence
    # Confidences are calibrated by type, and `expected` by one temperature: they need not agree to the last digit.
    expected = decoded.expected or [0.0] * len(pipe.labels)  # nothing is expected of an empty document
    missed = {label: max(0.0, n - right[label]) for label, n in zip(pipe.labels, expected, strict=True)}
    return Measured(doc.text, len(doc), found, wrong, missed, unsure.best, unsure.second, unsure.entropy, vector)


def _end(doc: Doc, end: int) -> int:
    last = doc[end - 1]
    return int(last.idx) + len(last)
