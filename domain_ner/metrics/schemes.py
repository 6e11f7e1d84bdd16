"""Lenient entity scores, which forgive boundaries, type, or both. Knows no spaCy and no files.

The four schemes are those of SemEval-2013, task 9.1 (Segura-Bedmar et al.), as in nervaluate. With nested entities,
exact matches are paired first, so that the order of the entities does not matter for them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from domain_ner.metrics.scores import Entity

STRICT, EXACT, PARTIAL, TYPE = "strict", "exact", "partial", "type"
SCHEMES = {
    STRICT: "same boundaries and same type",
    EXACT: "same boundaries, whatever the type",
    PARTIAL: "boundaries that overlap count half, whatever the type",
    TYPE: "same type, boundaries that overlap",
}


@dataclass(frozen=True)
class Matches:
    """Counts of the matches under a scheme. Scores are in 0..1, and 0 for 0 / 0."""

    n_correct: int = 0
    n_incorrect: int = 0
    n_partial: int = 0
    n_missed: int = 0
    n_spurious: int = 0

    @property
    def precision(self) -> float:
        """Share of the predicted entities that are correct; partial ones count half."""
        return self._share(self.n_spurious)

    @property
    def recall(self) -> float:
        """Share of the gold entities that were found; partial ones count half."""
        return self._share(self.n_missed)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def _share(self, n_others: int) -> float:
        n_all = self.n_correct + self.n_incorrect + self.n_partial + n_others
        return (self.n_correct + self.n_partial / 2) / n_all if n_all else 0.0

    def __add__(self, other: "Matches") -> "Matches":
        return Matches(
            self.n_correct + other.n_correct,
            self.n_incorrect + other.n_incorrect,
            self.n_partial + other.n_partial,
            self.n_missed + other.n_missed,
            self.n_spurious + other.n_spurious,
        )


def overlap(first: Entity, second: Entity) -> int:
    """Number of characters (or tokens) that two entities share; 0 or less without overlap."""
    return min(first[1], second[1]) - max(first[0], second[0])


def match(pairs: Iterable[tuple[Sequence[Entity], Sequence[Entity]]], scheme: str) -> Matches:
    """Match predicted entities with gold ones. pairs: for each document its gold and its predicted entities."""
    matches = Matches()
    for gold, predicted in pairs:
        matches += _match(sorted(set(gold)), sorted(set(predicted)), scheme)
    return matches


def _match(gold: list[Entity], predicted: list[Entity], scheme: str) -> Matches:
    is_right: Callable[[Entity, Entity], bool] = {
        STRICT: lambda entity, candidate: entity == candidate,
        EXACT: lambda entity, candidate: entity[:2] == candidate[:2],
        PARTIAL: lambda entity, candidate: entity[:2] == candidate[:2],
        TYPE: lambda entity, candidate: entity[2] == candidate[2],
    }[scheme]
    n_correct = n_overlapping = 0
    exact = set(gold) & set(predicted)
    gold = [entity for entity in gold if entity not in exact]
    n_gold, n_predicted, n_correct = len(gold), 0, len(exact)
    for entity in predicted:
        if entity in exact:
            continue
        n_predicted += 1
        near = [candidate for candidate in gold if overlap(entity, candidate) > 0]
        right = [candidate for candidate in near if is_right(candidate, entity)]
        if right:
            n_correct += 1
            n_gold -= 1
            n_predicted -= 1
            gold.remove(min(right, key=lambda candidate: abs(candidate[0] - entity[0]) + abs(candidate[1] - entity[1])))
        elif near:
            n_overlapping += 1
            gold.remove(near[0])
    n_missed, n_spurious = n_gold - n_overlapping, n_predicted - n_overlapping
    if scheme == PARTIAL:
        return Matches(n_correct, 0, n_overlapping, n_missed, n_spurious)
    return Matches(n_correct, n_overlapping, 0, n_missed, n_spurious)
