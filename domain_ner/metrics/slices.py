"""What distinguishes entities that are found from those that are not: seen in training, length, case, place.

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
# Where the encoder's windows meet, and the tokens around it.
NEAR_CUT = 10
WINDOWS = ("a passage in one window", f"within {NEAR_CUT} tokens of a cut", "farther from any cut")
# The order of the values in a report; a value that is not here comes behind, by name.
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
        """One more mention."""
        self.counts.setdefault(fold(surface), Counter())[label] += 1

    def of(self, surface: str) -> Mapping[str, int]:
        """Types, and how often the surface was annotated so."""
        return self.counts.get(fold(surface), {})


@dataclass(frozen=True)
class Occurrence:
    """An entity of gold, of the prediction, or of both. traits: what it is sliced by, name to value."""

    label: str
    is_gold: bool
    is_predicted: bool
    traits: Mapping[str, str]


def fold(surface: str) -> str:
    """A surface without case, its white space single."""
    return " ".join(surface.casefold().split())


def entity_traits(surface: str, label: str, trained: Surfaces) -> dict[str, str]:
    """What the words of an entity say of it. trained: the surfaces of the training split."""
    known = trained.of(surface)
    seen = SEEN if label in known else SEEN_OTHERWISE if known else UNSEEN
    return {
        "surface": seen,
        "in training": _bin(sum(known.values()), FREQUENCIES, "more often"),
        "case": case(surface),
    }


def place_traits(*, first: int, n_entity_tokens: int, n_tokens: int) -> dict[str, str]:
    """What the place of an entity says. first: number of its first token; n_tokens: of the document."""
    return {
        "length": _bin(n_entity_tokens, LENGTHS, "more"),
        "document length": _bin(n_tokens, DOC_LENGTHS, "more"),
        "position": FIFTHS[min(len(FIFTHS) * first // max(n_tokens, 1), len(FIFTHS) - 1)],
    }


def window_trait(first: int, last: int, cuts: Sequence[int]) -> str:
    """How near an entity stands to where the encoder's windows meet. first, last: its tokens, last exclusive.

    cuts: tokens with which another window takes over.
    """
    if not cuts:
        return WINDOWS[0]
    distance = min(max(first - cut, cut - last, 0) for cut in cuts)
    return WINDOWS[1] if distance < NEAR_CUT else WINDOWS[2]


def case(surface: str) -> str:
    """How the letters of a surface are written; those without case count as lower."""
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
    """Trait to value to the score of the entities that have it, in the order of a report."""
    counts: dict[str, dict[str, list[int]]] = {}
    for one in occurrences:
        for trait, value in one.traits.items():
            row = counts.setdefault(trait, {}).setdefault(value, [0, 0, 0])
            row[0] += one.is_gold and one.is_predicted
            row[1] += one.is_predicted
            row[2] += one.is_gold
    return {
        trait: {value: Score(*rows[value]) for value in sorted(rows, key=lambda value: _place(trait, value))}
        for trait, rows in counts.items()
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
    """By type. mentions: surface and label of each."""
    by_type: dict[str, Counter[str]] = {}
    for surface, label in mentions:
        by_type.setdefault(label, Counter())[fold(surface)] += 1
    found = {}
    for label, surfaces in sorted(by_type.items()):
        top, n_top = min(surfaces.items(), key=lambda one: (-one[1], one[0]))
        n_once = sum(n == 1 for n in surfaces.values())
        found[label] = Diversity(surfaces.total(), len(surfaces), n_once, top, n_top)
    return found


def _bin(n: int, edges: tuple[tuple[int, str], ...], beyond: str) -> str:
    return next((name for edge, name in edges if n <= edge), beyond)


def _place(trait: str, value: str) -> tuple[int, str]:
    order = ORDER.get(trait, ())
    return (order.index(value) if value in order else len(order)), value
