"""What is kept of a predicted document for `monitor`: numbers, no text. Knows no spaCy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Numbers of a document, in this order. words: tokens that are neither white space, punctuation nor numbers. unseen:
# words that the training text does not have. pieces: wordpieces of the words; unknown_pieces: those that the encoder
# cannot read. capitals: words in title or upper case. stop_words: of the language. entity_words, entity_unseen: words,
# and unseen words, within entities.
COUNTS = (
    "characters", "tokens", "words", "unseen", "pieces", "unknown_pieces", "capitals", "non_ascii", "stop_words",
    "numbers", "punctuation", "spaces", "entity_words", "entity_unseen",
)  # fmt: skip
# Upper edges of the bins of numbers of tokens.
LENGTHS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
# The folder of the observations within an output of `annotate`: a file for each part.
OBSERVED = "observed"


@dataclass(frozen=True)
class Observation:
    """The numbers of a document.

    counts: by name, of `COUNTS`; one that was not measured is missing. confidences: of the entities of each type, 0..1;
    None where a component gives none. expected: by type, the expected number of entities, which is the sum of their
    probabilities; None if no component knows. vector: the mean vector of the tokens, projected; empty if not known.
    below: by type, the number of spans below their threshold. correct, gold: by type, of a labelled document.
    """

    id: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    confidences: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    expected: Mapping[str, float] | None = None
    vector: Sequence[float] = ()
    below: Mapping[str, int] = field(default_factory=dict)
    correct: Mapping[str, int] | None = None
    gold: Mapping[str, int] | None = None


def to_row(observation: Observation) -> dict[str, Any]:
    """The observation as JSON; what is empty is left out. `counts` is a list in the order of `COUNTS`."""
    row: dict[str, Any] = {
        "id": observation.id,
        "counts": [observation.counts.get(name) for name in COUNTS],
        "confidences": dict(observation.confidences),
        "expected": None if observation.expected is None else dict(observation.expected),
        "vector": list(observation.vector),
        "below": dict(observation.below) or None,
        "correct": observation.correct,
        "gold": observation.gold,
    }
    kept = ("id", "counts", "confidences")
    return {name: value for name, value in row.items() if name in kept or (value is not None and value != [])}


def from_row(row: Mapping[str, Any]) -> Observation:
    """The inverse of `to_row`. Raises ValueError, KeyError or TypeError for another row."""
    counts = dict(zip(COUNTS, row["counts"], strict=True))
    return Observation(
        id=str(row.get("id", "")),
        counts={name: int(n) for name, n in counts.items() if n is not None},
        confidences={label: list(given) for label, given in row["confidences"].items()},
        expected=row.get("expected"),
        vector=tuple(row.get("vector", ())),
        below=row.get("below", {}),
        correct=row.get("correct"),
        gold=row.get("gold"),
    )


def of_entities(id: str, entities: Sequence[Mapping[str, Any]]) -> Observation:
    """What the rows of an output without observations tell: the entities and their confidences."""
    confidences: dict[str, list[float | None]] = {}
    for entity in entities:
        confidences.setdefault(str(entity["label"]), []).append(entity.get("confidence"))
    return Observation(id=id, confidences=confidences)
