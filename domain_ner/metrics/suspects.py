"""Finds suspicious annotations: where a model that was not trained on them disagrees. Knows no spaCy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from domain_ner.metrics.mistakes import MISSING, SPURIOUS, WRONG_TYPE, find_mistakes
from domain_ner.metrics.schemes import overlap
from domain_ner.metrics.scores import Entity, Scores

# The model counts as much as this number of annotations of the same surface.
MODEL_WEIGHT = 2.0

LACKING_ANNOTATION, NEEDLESS_ANNOTATION, BOUNDARY = "missing annotation", "needless annotation", "wrong boundary"
OTHER_TYPE = WRONG_TYPE
KINDS = {
    LACKING_ANNOTATION: "here is an entity that nobody annotated",
    NEEDLESS_ANNOTATION: "there is no entity",
    OTHER_TYPE: "the type is another",
    BOUNDARY: "the entity begins or ends elsewhere",
}


@dataclass(frozen=True)
class Suspect:
    """Suspicious annotations, and the model's alternative; one of the two may be empty.

    kind: one of KINDS. score: the model's probability that its alternative is right; 0..1.
    """

    kind: str
    annotated: tuple[Entity, ...]
    suggested: tuple[Entity, ...]
    score: float

    @property
    def start(self) -> int:
        """Where it begins, in the unit of the entities."""
        return min(entity[0] for entity in self.annotated + self.suggested)

    @property
    def end(self) -> int:
        """Where it ends, exclusive."""
        return max(entity[1] for entity in self.annotated + self.suggested)


class Usage(NamedTuple):
    """How a surface is annotated elsewhere. n: number of occurrences, annotated or not; labels: count of each label."""

    n: int
    labels: Mapping[str, int]


def smooth_probability(probability: float, label: str, usage: Usage) -> float:
    """Estimate the probability that a span is of a type, from the model and the surface's annotations elsewhere.

    The model counts as much as `MODEL_WEIGHT` annotations of the same surface.
    """
    return (MODEL_WEIGHT * probability + usage.labels.get(label, 0)) / (MODEL_WEIGHT + usage.n)


def find_suspects(
    annotated: Iterable[Entity], predicted: Iterable[Entity], probable: Mapping[Entity, float]
) -> list[Suspect]:
    """List the suspects of a document, in the order of the text.

    probable: probability of the annotated spans, of the `predicted` ones, and of all other spans with a noticeable
    probability; 0..1.
    """
    return [
        Suspect(kind, mistake.gold, mistake.predicted, _score(mistake.gold, mistake.predicted, probable))
        for mistake in find_mistakes(annotated, predicted)
        for kind in [_KINDS.get(mistake.kind, BOUNDARY)]
    ]


def max_plausible_score(suspect: Suspect, scores: Scores) -> float:
    """The highest score a suspect can have, from the models' own scores on annotations they did not learn; 0..1.

    scores: of the models, on annotations that they did not learn. A needless annotation gets at most their recall of
    its type, for they miss correct ones as well; a suggestion at most their precision of its type. Both are smoothed
    by the rule of succession (Laplace), so that three correct of three do not yield 100 %.
    """
    if suspect.suggested:
        known = [scores.by_type[label] for _, _, label in suspect.suggested]
        return min((score.n_correct + 1) / (score.n_predicted + 2) for score in known)
    known = [scores.by_type[label] for _, _, label in suspect.annotated]
    return min((score.n_correct + 1) / (score.n_gold + 2) for score in known)


# An entity that the model missed may be annotated needlessly; one that only the model found may lack an annotation.
_KINDS = {MISSING: NEEDLESS_ANNOTATION, SPURIOUS: LACKING_ANNOTATION, WRONG_TYPE: OTHER_TYPE}


def _score(annotated: tuple[Entity, ...], suggested: tuple[Entity, ...], probable: Mapping[Entity, float]) -> float:
    if suggested:
        return min(probable.get(entity, 0.0) for entity in suggested)
    # The probability that no entity overlaps the annotation: spans that share a token exclude each other.
    overlapping = (p for span, p in probable.items() if any(overlap(span, entity) > 0 for entity in annotated))
    return max(0.0, 1.0 - sum(overlapping))
