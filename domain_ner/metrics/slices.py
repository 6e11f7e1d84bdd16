"""Scores entities by attributes that affect recognition: seen in training, length, case, position.

Knows no spaCy and no files.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from domain_ner.metrics.scores import Score

SEEN, SEEN_OTHERWISE, UNSEEN = "seen in training", "seen as another type", "unseen"
FREQUENCIES = ((0, "never"), (1, "once"), (5, "2 to 5 times"), (20, "6 to 20 times"))
LENGTHS = ((1, "1 token"), (2, "2 tokens"), (3, "3 tokens"))
DOC_LENGTHS = ((25, "up to 25 tokens"), (100, "26 to 100"), (400, "101 to 400"))
FIFTHS = ("first fifth", "second", "third", "fourth", "last fifth")
# Distance in tokens from a boundary of the encoder's windows.
NEAR_CUT = 10
WINDOWS = ("a passage in one window", f"within {NEAR_CUT} tokens of a cut", "farther from any cut")
# The order of the values in a report; other values follow, by name.
ORDER = {
    "surface": (SEEN, SEEN_OTHERWISE, UNSEEN),
    "in training": (*(name for _, name in FREQUENCIES), "more often"),
    "length": (*(name for _, name in LENGTHS), "more"),
    "case": ("lower", "Title", "UPPER", "mixed", "no letters"),
    "document length": (*(name for _, name in DOC_LENGTHS), "more"),
    "position": FIFTHS,
    "window": WINDOWS,
}


@dataclass
class Surfaces:
    """How often each surface was annotated as each type in training; surfaces are compared without case."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, surface: str, label: str) -> None:
        """Count a mention."""
        self.counts.setdefault(normalize_surface(surface), Counter())[label] += 1

    def of(self, surface: str) -> Mapping[str, int]:
        """Return the types of a surface, with the number of its annotations."""
        return self.counts.get(normalize_surface(surface), {})


@dataclass(frozen=True)
class Occurrence:
    """An entity in gold, in the prediction, or in both. attributes: attributes to slice by, name to value."""

    label: str
    is_gold: bool
    is_predicted: bool
    attributes: Mapping[str, str]


def normalize_surface(surface: str) -> str:
    """Lower the case of a surface, and reduce its white space to single spaces."""
    return " ".join(surface.casefold().split())


def surface_attributes(surface: str, label: str, trained: Surfaces) -> dict[str, str]:
    """Attributes of the words of an entity. trained: the surfaces of the training split."""
    known = trained.of(surface)
    seen = SEEN if label in known else SEEN_OTHERWISE if known else UNSEEN
    return {
        "surface": seen,
        "in training": _bin(sum(known.values()), FREQUENCIES, "more often"),
        "case": case(surface),
    }


def position_attributes(*, first: int, n_entity_tokens: int, n_tokens: int) -> dict[str, str]:
    """Attributes of the position of an entity. first: index of its first token; n_tokens: of the document."""
    return {
        "length": _bin(n_entity_tokens, LENGTHS, "more"),
        "document length": _bin(n_tokens, DOC_LENGTHS, "more"),
        "position": FIFTHS[min(len(FIFTHS) * first // max(n_tokens, 1), len(FIFTHS) - 1)],
    }


def window_distance(first: int, last: int, cuts: Sequence[int]) -> str:
    """The distance of an entity from the nearest window boundary, as a bin. first, last: its tokens, last exclusive.

    cuts: the tokens at which the next window of the encoder takes over.
    """
    if not cuts:
        return WINDOWS[0]
    distance = min(max(first - cut, cut - last, 0) for cut in cuts)
    return WINDOWS[1] if distance < NEAR_CUT else WINDOWS[2]


def case(surface: str) -> str:
    """The case of the letters of a surface; letters without case count as lower."""
    letters = [letter for letter in surface if letter.isalpha()]
    words = [word for word in ("".join(filter(str.isalpha, part)) for part in surface.split()) if word]
    if not letters:
        return "no letters"
    if not any(letter.isupper() or letter.istitle() for letter in letters):
        return "lower"
    if len(letters) > 1 and not any(letter.islower() for letter in letters):
        return "UPPER"
    return "Title" if all(word[:1].isupper() and not any(map(str.isupper, word[1:])) for word in words) else "mixed"


def slices(occurrences: Iterable[Occurrence]) -> dict[str, dict[str, Score]]:
    """Map attribute to value to the score of its entities, in the order of a report."""
    counts: dict[str, dict[str, list[int]]] = {}
    for occurrence in occurrences:
        for attribute, value in occurrence.attributes.items():
            row = counts.setdefault(attribute, {}).setdefault(value, [0, 0, 0])
            row[0] += occurrence.is_gold and occurrence.is_predicted
            row[1] += occurrence.is_predicted
            row[2] += occurrence.is_gold
    return {
        attribute: {value: Score(*rows[value]) for value in sorted(rows, key=lambda value: _place(attribute, value))}
        for attribute, rows in counts.items()
    }


@dataclass(frozen=True)
class Diversity:
    """How varied the mentions of a type are. top: the commonest surface; n_once: surfaces with one mention."""

    n_mentions: int
    n_surfaces: int
    n_once: int
    top: str
    n_top: int


def diversity(mentions: Iterable[tuple[str, str]]) -> dict[str, Diversity]:
    """Compute it by type. mentions: surface and label of each."""
    by_type: dict[str, Counter[str]] = {}
    for surface, label in mentions:
        by_type.setdefault(label, Counter())[normalize_surface(surface)] += 1
    by_label = {}
    for label, surfaces in sorted(by_type.items()):
        top, n_top = min(surfaces.items(), key=lambda item: (-item[1], item[0]))
        n_once = sum(n == 1 for n in surfaces.values())
        by_label[label] = Diversity(surfaces.total(), len(surfaces), n_once, top, n_top)
    return by_label


def _bin(n: int, edges: tuple[tuple[int, str], ...], beyond: str) -> str:
    return next((name for edge, name in edges if n <= edge), beyond)


def _place(attribute: str, value: str) -> tuple[int, str]:
    order = ORDER.get(attribute, ())
    return (order.index(value) if value in order else len(order)), value
