"""Which numbers of documents are compared, and how: a table of documents by columns, and the statistics on it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain_ner.crf_ner.observing import WIDTH
from domain_ner.metrics.drift import Array, Distance, Histogram, Ratio, Statistic
from domain_ner.metrics.label_free import CONFIDENCE, CORRECT, EXPECTED, GOLD, N_KNOWN, PREDICTED
from domain_ner.monitoring.observations import COUNTS, LENGTHS, Observation

# Upper edges of the bins of confidences, as of the service's metrics.
CONFIDENCES = tuple(round(0.1 * n, 1) for n in range(1, 11))
DOCUMENTS, EMPTY, VECTORS = "documents", "empty", "vectors"
# Of a type: entities; those with a confidence; the sum of confidences; expected entities; spans below the threshold.
OF_TYPE = ("entities", "scored", "confidence", "expected", "below")
# Entities of a type, in both samples together, from which its rate, and its confidences, are compared.
MIN_ENTITIES, MIN_SCORED = 5, 20

ENTITY_RATE, MEAN_CONFIDENCE, CONFIDENCE_SHAPE = "entities", "mean confidence", "confidence histogram"
EMPTY_SHARE, LENGTH, LENGTH_SHAPE, UNSEEN, VECTOR = (
    "empty documents", "document length", "length histogram", "unseen words", "mean vector",
)  # fmt: skip
UNSEEN_NAMES = "unseen words in entities"
# Of all text: name, numerator and denominator.
SHARES = {
    EMPTY_SHARE: (EMPTY, DOCUMENTS),
    LENGTH: ("tokens", DOCUMENTS),
    UNSEEN: ("unseen", "words"),
    UNSEEN_NAMES: ("entity_unseen", "entity_words"),
    "wordpieces per word": ("pieces", "words"),
    "unknown wordpieces": ("unknown_pieces", "pieces"),
    "capitalised words": ("capitals", "words"),
    "tokens with other letters than ASCII": ("non_ascii", "tokens"),
    "stop words": ("stop_words", "words"),
    "numbers": ("numbers", "tokens"),
    "punctuation": ("punctuation", "tokens"),
    "white space": ("spaces", "tokens"),
    "characters per token": ("characters", "tokens"),
}


@dataclass(frozen=True)
class Named:
    """A statistic with its name, and its type or an empty label."""

    name: str
    label: str
    statistic: Statistic


class Columns:
    """Where the numbers of documents are in a table. labels: the entity types."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.names = (DOCUMENTS, EMPTY, VECTORS, *COUNTS)
        self._first = {name: n for n, name in enumerate(self.names)}
        self._length = len(self.names)
        self._vector = self._length + len(LENGTHS) + 1
        self._types = self._vector + WIDTH
        self.n_columns = self._types + len(labels) * (len(OF_TYPE) + len(CONFIDENCES))

    def of(self, name: str) -> int:
        """The column of a number of the whole document."""
        return self._first[name]

    @property
    def lengths(self) -> tuple[int, ...]:
        """The bins of the number of tokens."""
        return tuple(range(self._length, self._vector))

    @property
    def vector(self) -> tuple[int, ...]:
        """The mean vector."""
        return tuple(range(self._vector, self._types))

    def of_type(self, label: str, name: str) -> int:
        """The column of a number of a type."""
        return self._start(label) + OF_TYPE.index(name)

    def histogram(self, label: str) -> tuple[int, ...]:
        """The bins of a type's confidences."""
        first = self._start(label) + len(OF_TYPE)
        return tuple(range(first, first + len(CONFIDENCES)))

    def _start(self, label: str) -> int:
        return self._types + self.labels.index(label) * (len(OF_TYPE) + len(CONFIDENCES))

    def table(self, observations: Sequence[Observation]) -> Array:
        """(n_docs, n_columns) the numbers of documents; what was not measured is 0."""
        rows = np.zeros((len(observations), self.n_columns))
        starts = {label: self._start(label) for label in self.labels}
        for row, observation in zip(rows, observations, strict=True):
            self._fill(row, observation, starts)
        n_tokens = rows[:, self.of("tokens")]
        bins = np.searchsorted(LENGTHS, n_tokens, side="left")
        rows[np.arange(len(rows)), self._length + bins] = 1.0
        return rows

    def _fill(self, row: Array, observation: Observation, starts: Mapping[str, int]) -> None:
        row[self._first[DOCUMENTS]] = 1.0
        row[self._first[EMPTY]] = float(not observation.confidences)
        for name, n in observation.counts.items():
            row[self._first[name]] = n
        if len(observation.vector) == WIDTH:
            row[self._first[VECTORS]] = 1.0
            row[self._vector : self._types] = observation.vector
        for label, given in observation.confidences.items():
            start, scored = starts[label], [confidence for confidence in given if confidence is not None]
            row[start : start + 3] = len(given), len(scored), sum(scored)
            for bin_number in np.searchsorted(CONFIDENCES, scored, side="left"):
                row[start + len(OF_TYPE) + min(bin_number, len(CONFIDENCES) - 1)] += 1
        for label, expected in (observation.expected or {}).items():
            row[starts[label] + 3] = expected
        for label, n in observation.below.items():
            row[starts[label] + 4] = n

    def known(self, table: Array, labelled: Sequence[Observation] = ()) -> Array:
        """(..., n_types, 3) what `label_free` estimates from; (n_docs, n_types, 5) of labelled documents.

        table: (..., n_columns).
        """
        columns = [0] * N_KNOWN
        known = np.zeros((*table.shape[:-1], len(self.labels), GOLD + 1 if labelled else N_KNOWN))
        for n, label in enumerate(self.labels):
            columns[PREDICTED], columns[CONFIDENCE], columns[EXPECTED] = (
                self.of_type(label, name) for name in ("entities", "confidence", "expected")
            )
            known[..., n, :N_KNOWN] = table[..., columns]
        for row, observation in zip(known if labelled else (), labelled, strict=False):
            for column, of_label in ((CORRECT, observation.correct), (GOLD, observation.gold)):
                for label, n_entities in (of_label or {}).items():
                    row[self.labels.index(label), column] = n_entities
        return known


def labels_of(*groups: Sequence[Observation]) -> list[str]:
    """All types that occur."""
    labels: set[str] = set()
    for observations in groups:
        for observation in observations:
            for part in (observation.confidences, observation.expected, observation.below, observation.gold):
                labels.update(part or ())
    return sorted(labels)


def measured(observations: Sequence[Observation]) -> set[str]:
    """What was measured, of `COUNTS`, `VECTORS` and `expected`: what all documents with tokens have."""
    if not observations:
        return set()
    names = set.intersection(*(set(observation.counts) for observation in observations))
    if all(observation.expected is not None for observation in observations):
        names.add("expected")
    with_tokens = [observation for observation in observations if observation.counts.get("tokens")]
    if with_tokens and all(len(observation.vector) == WIDTH for observation in with_tokens):
        names.add(VECTORS)
    return names


def statistics(columns: Columns, totals: Array, known: Collection[str]) -> list[Named]:
    """What is compared. totals: (n_columns,) over both samples. known: what was measured in both."""
    given = {DOCUMENTS, EMPTY, *known}
    unit = columns.of("tokens" if "tokens" in given else DOCUMENTS)
    chosen = [
        Named(name, "", Ratio(columns.of(numerator), columns.of(denominator)))
        for name, (numerator, denominator) in SHARES.items()
        if {numerator, denominator} <= given
    ]
    if "tokens" in given:
        chosen.append(Named(LENGTH_SHAPE, "", Histogram(columns.lengths)))
    if VECTORS in given:
        chosen.append(Named(VECTOR, "", Distance(columns.vector, columns.of(VECTORS))))
    for label in columns.labels:
        entities, scored, confidence = (columns.of_type(label, name) for name in ("entities", "scored", "confidence"))
        if totals[entities] >= MIN_ENTITIES:
            chosen.append(Named(ENTITY_RATE, label, Ratio(entities, unit)))
        if totals[scored] >= MIN_SCORED:
            chosen.append(Named(MEAN_CONFIDENCE, label, Ratio(confidence, scored)))
            chosen.append(Named(CONFIDENCE_SHAPE, label, Histogram(columns.histogram(label))))
    return chosen
