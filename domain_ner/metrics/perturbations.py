"""Perturbs texts (case, typing errors, scanning noise, other names) and moves their entities. Knows no spaCy, no files.

Scanning noise uses known confusions of optical character recognition (Kukich 1992, "Techniques for Automatically
Correcting Words in Text"); typing errors are of her four kinds.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from domain_ner.metrics.scores import Entity

TYPO_SHARE, OCR_SHARE = 0.1, 0.1
LONG_WORD = re.compile(r"[^\W\d_]{4,}")
KNOWN_NAMES, NEW_NAMES = "known names", "new names"
CONFUSIONS = {
    "rn": "m", "m": "rn", "cl": "d", "vv": "w", "l": "1", "I": "l", "O": "0", "0": "O", "1": "l", "5": "S", "S": "5",
    "e": "c", "h": "b", "B": "8", "g": "q", "i": "j", "u": "ii",
}  # fmt: skip
Edit = tuple[int, int, str]
"""Start, end (exclusive) and the replacement."""


@dataclass(frozen=True)
class Passage:
    """A text and its entities, in characters."""

    text: str
    entities: tuple[Entity, ...]


Surfaces = Mapping[str, Sequence[str]]
"""Type to surfaces that may replace another of the type."""
Perturb = Callable[[Passage, Random, Surfaces], list[Edit]]


def perturb(passage: Passage, name: str, rng: Random, surfaces: Surfaces) -> Passage:
    """Perturb a passage. name: one of PERTURBATIONS. Entities that become empty are dropped."""
    return apply(passage, PERTURBATIONS[name](passage, rng, surfaces))


def apply(passage: Passage, edits: Sequence[Edit]) -> Passage:
    """Replace characters. edits: in order, without overlaps.

    An edit across the boundary of an entity counts as outside of it.
    """
    parts, at, moved = list[str](), 0, 0
    shifts: list[tuple[int, int, int]] = []  # old start and end of an edit, shift of the offsets after it
    for start, end, new in edits:
        parts += [passage.text[at:start], new]
        at, moved = end, moved + len(new) - (end - start)
        shifts.append((start, end, moved))
    text = "".join([*parts, passage.text[at:]])
    entities = []
    for start, end, label in passage.entities:
        new_start, new_end = _new_offset(start, shifts, is_start=True), _new_offset(end, shifts, is_start=False)
        if new_start < new_end and text[new_start:new_end].strip():
            entities.append((new_start, new_end, label))
    return Passage(text, tuple(entities))


def _new_offset(offset: int, shifts: Sequence[tuple[int, int, int]], *, is_start: bool) -> int:
    moved = 0
    for start, end, shift in shifts:
        if end <= offset and (is_start or start < offset):
            moved = shift
        elif start < offset:  # within the edit
            return end + shift if is_start else start + moved
        else:
            break
    return offset + moved


def _characters(change: Callable[[str], str]) -> Perturb:
    def edits(passage: Passage, rng: Random, surfaces: Surfaces) -> list[Edit]:
        return [(n, n + 1, change(old)) for n, old in enumerate(passage.text) if change(old) != old]

    return edits


def _typos(passage: Passage, rng: Random, surfaces: Surfaces) -> list[Edit]:
    """Swap two letters, omit one, double one or replace one by its neighbour, in a tenth of the words."""
    edits = []
    for word in LONG_WORD.finditer(passage.text):
        if rng.random() < TYPO_SHARE:
            n = rng.randrange(word.start() + 1, word.end() - 1)
            first, second = passage.text[n], passage.text[n + 1]
            edits.append((n, n + 2, rng.choice([second + first, second, first + first + second, first + first])))
    return edits


def _no_punctuation(passage: Passage, rng: Random, surfaces: Surfaces) -> list[Edit]:
    """Remove the marks that end or enclose clauses; marks inside words stay."""
    return [(mark.start(), mark.end(), "") for mark in re.finditer(r"""[.,;:!?]+(?=\s|$)|[()"“”«»]""", passage.text)]


def _spaces(passage: Passage, rng: Random, surfaces: Surfaces) -> list[Edit]:
    return [(space.start(), space.end(), "  ") for space in re.finditer(r"(?<=\S) (?=\S)", passage.text)]


def _scanned(passage: Passage, rng: Random, surfaces: Surfaces) -> list[Edit]:
    """Replace a tenth of the confusable characters by their confusions."""
    pattern = "|".join(sorted(map(re.escape, CONFUSIONS), key=len, reverse=True))
    confusable = re.finditer(pattern, passage.text)
    return [(match.start(), match.end(), CONFUSIONS[match[0]]) for match in confusable if rng.random() < OCR_SHARE]


def _swapped(passage: Passage, rng: Random, surfaces: Surfaces) -> list[Edit]:
    """Replace each entity by another of its type, the same one for the same words; if they overlap, the outermost."""
    edits, at = list[Edit](), 0
    chosen: dict[tuple[str, str], str] = {}
    for start, end, label in sorted(passage.entities, key=lambda entity: (entity[0], -entity[1])):
        old = passage.text[start:end]
        others = [other for other in surfaces.get(label, ()) if other != old]
        if start >= at and others:
            if (old, label) not in chosen:
                chosen[old, label] = rng.choice(others)
            edits.append((start, end, chosen[old, label]))
            at = end
    return edits


PERTURBATIONS: dict[str, Perturb] = {
    "lower case": _characters(str.lower),
    "upper case": _characters(str.upper),
    "typing errors": _typos,
    "no punctuation": _no_punctuation,
    "doubled white space": _spaces,
    "scanned": _scanned,
    KNOWN_NAMES: _swapped,
    NEW_NAMES: _swapped,
}
DESCRIPTIONS = {
    "lower case": "everything in lower case",
    "upper case": "everything in upper case",
    "typing errors": "one word in ten mistyped",
    "no punctuation": "without the marks that end or enclose clauses",
    "doubled white space": "every space doubled",
    "scanned": "confusions of optical character recognition",
    KNOWN_NAMES: "every entity another of its type, from training",
    NEW_NAMES: "every entity another of its type that training never saw",
}
