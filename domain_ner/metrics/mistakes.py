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
        return min(entity[0] for entity in self.gold + self.predicted)

    @property
    def end(self) -> int:
        """Where it ends, exclusive."""
        return max(entity[1] for entity in self.gold + self.predicted)

    @property
    def labels(self) -> tuple[str, ...]:
        """The types that take part, in alphabetical order."""
        return tuple(sorted({entity[2] for entity in self.gold + self.predicted}))

    @property
    def label(self) -> str:
        """The type under which it is counted: of its first gold entity, or, where there is none, of what was found."""
        return (self.gold or self.predicted)[0][2]


def find_mistakes(gold: Iterable[Entity], predicted: Iterable[Entity]) -> list[Mistake]:
    """The mistakes of a document, in the order of the text; what is equal is right and takes no part.

    Entities that overlap, directly or by others, are one mistake, so that no entity is in two.
    """
    right = set(gold) & set(predicted)
    gold_left, predicted_left = (sorted(set(entities) - right) for entities in (gold, predicted))
    mistakes = []
    for group in _groups(gold_left, predicted_left):
        mistakes += _classify(*group)
    return sorted(mistakes, key=lambda mistake: (mistake.start, mistake.end))


def confusion(mistakes: Iterable[Mistake], right: Iterable[Entity]) -> Counter[tuple[str, str]]:
    """How often a gold type was found as a type: (gold, predicted), NOTHING for what is missing or spurious.

    right: entities without mistake. Entities with wrong boundaries count as found.
    """
    counts = Counter((label, label) for _, _, label in right)
    for mistake in mistakes:
        pairs = _pairs(mistake.gold, mistake.predicted)
        counts.update((gold[2], predicted[2]) for gold, predicted in pairs)
        paired = {entity for pair in pairs for entity in enumerate(pair)}
        counts.update((entity[2], NOTHING) for entity in mistake.gold if (0, entity) not in paired)
        counts.update((NOTHING, entity[2]) for entity in mistake.predicted if (1, entity) not in paired)
    return counts


def _groups(gold: Sequence[Entity], predicted: Sequence[Entity]) -> list[tuple[list[Entity], list[Entity]]]:
    """Gold and predicted entities that are connected by overlaps of one with the other."""
    groups: list[tuple[list[Entity], list[Entity]]] = [([entity], []) for entity in gold]
    for entity in predicted:
        joined: tuple[list[Entity], list[Entity]] = ([], [entity])
        apart = []
        for group in groups:
            if any(overlap(entity, other) > 0 for other in group[0]):
                joined[0].extend(group[0])
                joined[1].extend(group[1])
            else:
                apart.append(group)
        groups = [*apart, joined]
    return [(sorted(of_gold), sorted(of_predicted)) for of_gold, of_predicted in groups]


def _classify(gold: list[Entity], predicted: list[Entity]) -> list[Mistake]:
    """The mistakes of a group."""
    if not predicted:
        return [Mistake(MISSING, tuple(gold), ())]
    if not gold:
        return [Mistake(SPURIOUS, (), tuple(predicted))]
    labels = {entity[2] for entity in gold}, {entity[2] for entity in predicted}
    if min(len(gold), len(predicted)) > 1 or (labels[0] & labels[1] and labels[0] != labels[1]):
        pairs = _pairs(gold, predicted)
        mistakes = [mistake for pair in pairs for mistake in _classify([pair[0]], [pair[1]])]
        mistakes += [Mistake(MISSING, (entity,), ()) for entity in gold if all(entity != pair[0] for pair in pairs)]
        return mistakes + [
            Mistake(SPURIOUS, (), (entity,)) for entity in predicted if all(entity != pair[1] for pair in pairs)
        ]
    return [Mistake(_kind(gold, predicted), tuple(gold), tuple(predicted))]


def _kind(gold: list[Entity], predicted: list[Entity]) -> str:
    """Of entities that overlap, one of them on one side at least."""
    if len({entity[2] for entity in gold + predicted}) > 1:
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
        (
            (
                gold_entity[2] != predicted_entity[2],
                -overlap(gold_entity, predicted_entity),
                gold_entity,
                predicted_entity,
            )
            for gold_entity in gold
            for predicted_entity in predicted
        ),
    )
    pairs: list[tuple[Entity, Entity]] = []
    for _, shared, gold_entity, predicted_entity in ranked:
        if shared < 0 and all(gold_entity != pair[0] and predicted_entity != pair[1] for pair in pairs):
            pairs.append((gold_entity, predicted_entity))
    return pairs
