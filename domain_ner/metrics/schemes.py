"""Entity scores that forgive something: the boundaries, the type, or both. Knows no spaCy and no files.

The four schemes are those of SemEval-2013, task 9.1 (Segura-Bedmar et al.), as nervaluate counts them; where entities
nest, exact matches are paired first, so that the order of the entities does not matter for them.
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
    """What became of the entities under a scheme. Figures are in 0..1, and 0 for 0 / 0."""

    n_correct: int = 0
    n_incorrect: int = 0
    n_partial: int = 0
    n_missed: int = 0
    n_spurious: int = 0

    @property
    def precision(self) -> float:
        """Share of the predicted entities that are right; partial ones count half."""
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


def overlap(one: Entity, other: Entity) -> int:
    """Characters (or tokens) that two entities share; 0 or less where there are none."""
    return min(one[1], other[1]) - max(one[0], other[0])


def match(pairs: Iterable[tuple[Sequence[Entity], Sequence[Entity]]], scheme: str) -> Matches:
    """Match predicted entities with gold ones. pairs: for each document its gold and its predicted entities."""
    found = Matches()
    for gold, predicted in pairs:
        found += _match(sorted(set(gold)), sorted(set(predicted)), scheme)
    return found


def _match(gold: list[Entity], predicted: list[Entity], scheme: str) -> Matches:
    is_right: Callable[[Entity, Entity], bool] = {
        STRICT: lambda one, other: one == other,
        EXACT: lambda one, other: one[:2] == other[:2],
        PARTIAL: lambda one, other: one[:2] == other[:2],
        TYPE: lambda one, other: one[2] == other[2],
    }[scheme]
    n_correct = n_overlapping = 0
    exact = set(gold) & set(predicted)
    gold = [one for one in gold if one not in exact]
    n_gold, n_predicted, n_correct = len(gold), 0, len(exact)
    for one in predicted:
        if one in exact:
            continue
        n_predicted += 1
        near = [other for other in gold if overlap(one, other) > 0]
        right = [other for other in near if is_right(other, one)]
        if right:
            n_correct += 1
            n_gold -= 1
            n_predicted -= 1
            gold.remove(min(right, key=lambda other: abs(other[0] - one[0]) + abs(other[1] - one[1])))
        elif near:
            n_overlapping += 1
            gold.remove(near[0])
    n_missed, n_spurious = n_gold - n_overlapping, n_predicted - n_overlapping
    if scheme == PARTIAL:
        return Matches(n_correct, 0, n_overlapping, n_missed, n_spurious)
    return Matches(n_correct, n_overlapping, 0, n_missed, n_spurious)
