"""Precision, recall and F1 of entity spans, by type and over all. Pure counting: knows no spaCy and no files."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

ALL_TYPES = "all"
"""The name of the micro average beside the names of types, in files and reports."""
Entity = tuple[int, int, str]
"""Start, end (exclusive) and label; the unit of the offsets is the caller's."""


@dataclass(frozen=True)
class Score:
    """Counts of exact matches (same start, end and label) and what follows from them, all in 0..1.

    A score whose denominator is 0 is 0, as in seqeval and spaCy; `support` distinguishes that from a real 0.
    """

    n_correct: int
    n_predicted: int
    n_gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted mentions that are correct."""
        return self.n_correct / self.n_predicted if self.n_predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold mentions that were found."""
        return self.n_correct / self.n_gold if self.n_gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.n_predicted + self.n_gold
        return 2 * self.n_correct / total if total else 0.0

    @property
    def support(self) -> int:
        """Number of gold mentions, on which the scores rest."""
        return self.n_gold


@dataclass(frozen=True)
class Scores:
    """The scores of one test set.

    by_type: label to score, in alphabetical order; every label that is in the gold or in the predictions.
    micro: over all mentions.
    macro_*: the plain mean over the types that the gold has (a type that is only predicted counts in micro).
    """

    by_type: dict[str, Score]
    micro: Score
    macro_precision: float
    macro_recall: float
    macro_f1: float


def reaches(f1: float, limit: float) -> bool:
    """Whether a score reaches a limit as both are displayed, in per cent with one decimal; 0..1."""
    return round(100 * f1, 1) >= round(100 * limit, 1)


def score_entities(pairs: Iterable[tuple[Iterable[Entity], Iterable[Entity]]]) -> Scores:
    """Score predicted entities against gold ones.

    pairs: for each document its gold and its predicted entities.
    """
    correct: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    gold: Counter[str] = Counter()
    for gold_entities, predicted_entities in pairs:
        gold_set, predicted_set = set(gold_entities), set(predicted_entities)
        correct.update(label for _, _, label in gold_set & predicted_set)
        gold.update(label for _, _, label in gold_set)
        predicted.update(label for _, _, label in predicted_set)
    by_type = {label: Score(correct[label], predicted[label], gold[label]) for label in sorted({*gold, *predicted})}
    in_gold = [score for score in by_type.values() if score.n_gold]
    return Scores(
        by_type=by_type,
        micro=Score(correct.total(), predicted.total(), gold.total()),
        macro_precision=_mean([score.precision for score in in_gold]),
        macro_recall=_mean([score.recall for score in in_gold]),
        macro_f1=_mean([score.f1 for score in in_gold]),
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
