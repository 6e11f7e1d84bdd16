"""What kind of mistake each difference between gold and predicted entities is. Knows no spaCy and no files."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain_ner.metrics.schemes import overlap
from domain_ner.metrics.scores import Entity

MISSING, SPURIOUS, WRONG_TYPE = "missing", "spurious", "wrong type"
TOO_LONG, TOO_SHORT, SHIFTED, SPLIT, MERGED = "too long", "too short", "shifted", "split", "merged"
KINDS = {
    MISSING: "an entity was not found",
    SPURIOUS: "there is no entity",
    WRONG_TYPE: "the type is another",
    TOO_LONG: "right type, ends or begins outside the entity",
    TOO_SHORT: "right type, ends or begins inside the entity",
    SHIFTED: "right type, both boundaries are wrong",
    SPLIT: "one entity was found as several",
    MERGED: "several entities were found as one",
}
BOUNDARY = (TOO_LONG, TOO_SHORT, SHIFTED, SPLIT, MERGED)
NOTHING = ""


@dataclass(frozen=True)
class Mistake:
    """Gold and predicted entities that belong together and differ. gold or predicted may be empty, not both.

    kind: one of KINDS.
    """

    kind: str
    gold: tuple[Entity, ...]
    predicted: tuple[Entity, ...]

    @property
    def start(self) -> int:
        """Where it begins, in the unit of the entities."""
        return min(one[0] for one in self.gold + self.predicted)

    @property
    def end(self) -> int:
        """Where it ends, exclusive."""
        return max(one[1] for one in self.gold + self.predicted)

    @property
    def labels(self) -> tuple[str, ...]:
        """The types that take part, in alphabetical order."""
        return tuple(sorted({one[2] for one in self.gold + self.predicted}))

    @property
    def label(self) -> str:
        """The type under which it is counted: of its first gold entity, or, where there is none, of what was found."""
        return (self.gold or self.predicted)[0][2]


def find_mistakes(gold: Iterable[Entity], predicted: Iterable[Entity]) -> list[Mistake]:
    """The mistakes of a document, in the order of the text; what is equal is right and takes no part.

    Entities that overlap, directly or by others, are told as one mistake, so that no entity is in two.
    """
    right = set(gold) & set(predicted)
    golden, found = (sorted(set(some) - right) for some in (gold, predicted))
    mistakes = []
    for group in _groups(golden, found):
        mistakes += _tell(*group)
    return sorted(mistakes, key=lambda one: (one.start, one.end))


def confusion(mistakes: Iterable[Mistake], right: Iterable[Entity]) -> Counter[tuple[str, str]]:
    """How often a gold type was found as a type: (gold, predicted), NOTHING for what is missing or spurious.

    right: entities without mistake. Entities with wrong boundaries count as found.
    """
    counts = Counter((label, label) for _, _, label in right)
    for one in mistakes:
        pairs = _pairs(one.gold, one.predicted)
        counts.update((gold[2], predicted[2]) for gold, predicted in pairs)
        paired = {entity for pair in pairs for entity in enumerate(pair)}
        counts.update((entity[2], NOTHING) for entity in one.gold if (0, entity) not in paired)
        counts.update((NOTHING, entity[2]) for entity in one.predicted if (1, entity) not in paired)
    return counts


def _groups(gold: Sequence[Entity], predicted: Sequence[Entity]) -> list[tuple[list[Entity], list[Entity]]]:
    """Gold and predicted entities that are connected by overlaps of one with the other."""
    groups: list[tuple[list[Entity], list[Entity]]] = [([one], []) for one in gold]
    for one in predicted:
        joined: tuple[list[Entity], list[Entity]] = ([], [one])
        apart = []
        for group in groups:
            if any(overlap(one, other) > 0 for other in group[0]):
                joined[0].extend(group[0])
                joined[1].extend(group[1])
            else:
                apart.append(group)
        groups = [*apart, joined]
    return [(sorted(golden), sorted(found)) for golden, found in groups]


def _tell(gold: list[Entity], predicted: list[Entity]) -> list[Mistake]:
    """The mistakes of a group."""
    if not predicted:
        return [Mistake(MISSING, tuple(gold), ())]
    if not gold:
        return [Mistake(SPURIOUS, (), tuple(predicted))]
    labels = {one[2] for one in gold}, {one[2] for one in predicted}
    if min(len(gold), len(predicted)) > 1 or (labels[0] & labels[1] and labels[0] != labels[1]):
        pairs = _pairs(gold, predicted)
        told = [one for pair in pairs for one in _tell([pair[0]], [pair[1]])]
        told += [Mistake(MISSING, (one,), ()) for one in gold if all(one != pair[0] for pair in pairs)]
        return told + [Mistake(SPURIOUS, (), (one,)) for one in predicted if all(one != pair[1] for pair in pairs)]
    return [Mistake(_kind(gold, predicted), tuple(gold), tuple(predicted))]


def _kind(gold: list[Entity], predicted: list[Entity]) -> str:
    """Of entities that overlap, one of them on one side at least."""
    if len({one[2] for one in gold + predicted}) > 1:
        return WRONG_TYPE
    if len(predicted) > 1:
        return SPLIT
    if len(gold) > 1:
        return MERGED
    (gold_start, gold_end, _), (start, end, _) = gold[0], predicted[0]
    if start <= gold_start and end >= gold_end:
        return TOO_LONG
    return TOO_SHORT if start >= gold_start and end <= gold_end else SHIFTED


def _pairs(gold: Sequence[Entity], predicted: Sequence[Entity]) -> list[tuple[Entity, Entity]]:
    """Each entity at most once: those of one type first, then those that share most."""
    ranked = sorted(
        ((one[2] != other[2], -overlap(one, other), one, other) for one in gold for other in predicted),
    )
    pairs: list[tuple[Entity, Entity]] = []
    for _, shared, one, other in ranked:
        if shared < 0 and all(one != pair[0] and other != pair[1] for pair in pairs):
            pairs.append((one, other))
    return pairs
