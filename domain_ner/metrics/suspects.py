"""Where annotations and a model that did not learn them disagree, and how sure the model is. Knows no spaCy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain_ner.metrics.mistakes import MISSING, SPURIOUS, WRONG_TYPE, find_mistakes
from domain_ner.metrics.schemes import overlap
from domain_ner.scores import Entity

LACKING, NEEDLESS, BOUNDARY = "missing annotation", "needless annotation", "wrong boundary"
OTHER_TYPE = WRONG_TYPE
KINDS = {
    LACKING: "here is an entity that nobody annotated",
    NEEDLESS: "there is no entity",
    OTHER_TYPE: "the type is another",
    BOUNDARY: "the entity begins or ends elsewhere",
}


@dataclass(frozen=True)
class Suspect:
    """Annotations that are suspicious, and what the model says in their place; one of both may be empty.

    kind: one of KINDS. score: the probability, by the model, that what it says is right; 0..1.
    """

    kind: str
    annotated: tuple[Entity, ...]
    suggested: tuple[Entity, ...]
    score: float

    @property
    def start(self) -> int:
        """Where it begins, in the unit of the entities."""
        return min(one[0] for one in self.annotated + self.suggested)

    @property
    def end(self) -> int:
        """Where it ends, exclusive."""
        return max(one[1] for one in self.annotated + self.suggested)


def find_suspects(
    annotated: Iterable[Entity], predicted: Iterable[Entity], probable: Mapping[Entity, float]
) -> list[Suspect]:
    """The suspects of a document, in the order of the text.

    probable: probability of every span that has one worth naming, those of `predicted` among them; 0..1.
    """
    return [
        Suspect(kind, one.gold, one.predicted, _score(one.gold, one.predicted, probable))
        for one in find_mistakes(annotated, predicted)
        for kind in [_KINDS.get(one.kind, BOUNDARY)]
    ]


# What a model missed, an annotator may have marked needlessly; what it found beside gold, may lack.
_KINDS = {MISSING: NEEDLESS, SPURIOUS: LACKING, WRONG_TYPE: OTHER_TYPE}


def _score(annotated: tuple[Entity, ...], suggested: tuple[Entity, ...], probable: Mapping[Entity, float]) -> float:
    if suggested:
        return min(probable.get(one, 0.0) for one in suggested)
    # That nothing at all lies over the annotation: spans that share a token exclude each other.
    over = (p for one, p in probable.items() if any(overlap(one, other) > 0 for other in annotated))
    return max(0.0, 1.0 - sum(over))
