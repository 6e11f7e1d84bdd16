"""Where annotations and a model that did not learn them disagree, and how sure the model is. Knows no spaCy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from domain_ner.metrics.mistakes import MISSING, SPURIOUS, WRONG_TYPE, find_mistakes
from domain_ner.metrics.schemes import overlap
from domain_ner.metrics.scores import Entity, Scores

# Of a model, in annotations of the same surface elsewhere.
MODEL_WEIGHT = 2.0

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


class Usage(NamedTuple):
    """How a surface is annotated elsewhere. n: how often it is there, annotated or not; labels: how often as what."""

    n: int
    labels: Mapping[str, int]


def weigh(probability: float, label: str, usage: Usage) -> float:
    """The probability that a span is an entity of a type: from a model's, and from its surface's annotations elsewhere.

    The model's word counts as much as `MODEL_WEIGHT` annotations of the same surface.
    """
    return (MODEL_WEIGHT * probability + usage.labels.get(label, 0)) / (MODEL_WEIGHT + usage.n)


def find_suspects(
    annotated: Iterable[Entity], predicted: Iterable[Entity], probable: Mapping[Entity, float]
) -> list[Suspect]:
    """The suspects of a document, in the order of the text.

    probable: probability of the annotated spans, of those of `predicted`, and of every other span that has one worth
    naming; 0..1.
    """
    return [
        Suspect(kind, one.gold, one.predicted, _score(one.gold, one.predicted, probable))
        for one in find_mistakes(annotated, predicted)
        for kind in [_KINDS.get(one.kind, BOUNDARY)]
    ]


def most_to_claim(suspect: Suspect, scores: Scores) -> float:
    """The most that a suspicion may claim as its probability: what the models have shown that they know; 0..1.

    scores: of the models, on annotations that they did not learn. That an annotation is needless: no more than their
    recall of its type, for they miss right ones as well. What they suggest: no more than their precision of its type.
    By the rule of succession (Laplace), so that of a type that was right three times of three nobody claims 100 %.
    """
    if suspect.suggested:
        known = [scores.by_type[label] for _, _, label in suspect.suggested]
        return min((one.n_correct + 1) / (one.n_predicted + 2) for one in known)
    known = [scores.by_type[label] for _, _, label in suspect.annotated]
    return min((one.n_correct + 1) / (one.n_gold + 2) for one in known)


# What a model missed, an annotator may have marked needlessly; what it found beside gold, may lack.
_KINDS = {MISSING: NEEDLESS, SPURIOUS: LACKING, WRONG_TYPE: OTHER_TYPE}


def _score(annotated: tuple[Entity, ...], suggested: tuple[Entity, ...], probable: Mapping[Entity, float]) -> float:
    if suggested:
        return min(probable.get(one, 0.0) for one in suggested)
    # That nothing at all lies over the annotation: spans that share a token exclude each other.
    over = (p for one, p in probable.items() if any(overlap(one, other) > 0 for other in annotated))
    return max(0.0, 1.0 - sum(over))
