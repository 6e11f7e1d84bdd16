"""Finds known names in texts: whole words, the longest name first, in other letter case only where that is safe."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from domain_ner.guide.occurrences import stands_alone

# Words, white space, and single other characters; an accent of its own belongs to its letter.
PART = re.compile(r"(?:\w[\u0300-\u036f]*)+|\s+|[^\w\s]")
# A name of fewer letters, or all in capitals, is found in its own letter case alone: `IT` is not `it`, `Go` not `go`.
MIN_LETTERS = 4
EXACT, OTHER_CASE = 1.0, 0.5

Key = tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """A name in a text. labels: of the name, in order. is_exact: whether the letter case is that of the name."""

    start: int
    end: int
    labels: tuple[str, ...]
    is_exact: bool

    @property
    def score(self) -> float:
        """1, half of it in other letter case, divided by the number of labels."""
        return (EXACT if self.is_exact else OTHER_CASE) / len(self.labels)


@dataclass
class Names:
    """Names with their labels. A search takes time with the length of the text, not with the number of names."""

    _exact: dict[Key, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    _folded: dict[Key, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    # By the first part of a folded name: the numbers of parts that such names have, longest first.
    _lengths: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __len__(self) -> int:
        return len(self._exact)

    def add(self, name: str, label: str) -> bool:
        """Add a name; returns whether it was new. A name without a letter or a digit is ignored."""
        parts = [part for part, _, _ in _parts(name.strip())]
        if not any(char.isalnum() for part in parts for char in part):
            return False
        exact, folded = tuple(parts), tuple(part.casefold() for part in parts)
        is_new = label not in self._exact[exact]
        self._exact[exact][label] = None
        letters = [char for char in name if char.isalpha()]
        if len(letters) >= MIN_LETTERS and not all(char.isupper() for char in letters):
            self._folded[folded][label] = None
        if len(folded) not in self._lengths[folded[0]]:
            self._lengths[folded[0]] = sorted((*self._lengths[folded[0]], len(folded)), reverse=True)
        return is_new

    def find(self, text: str) -> Iterator[Found]:
        """Yield the names in a text that stand alone and do not overlap, the longest at each place.

        Unicode: composed and decomposed accents are the same; other letter case is by case folding (ß as ss).
        """
        parts = list(_parts(text))
        exact = [part for part, _, _ in parts]
        folded = [part.casefold() for part in exact]
        number = 0
        while number < len(parts):
            found = self._at(text, parts, exact, folded, number)
            if found is None:
                number += 1
            else:
                yield found[0]
                number = found[1]

    def _at(
        self, text: str, parts: list[tuple[str, int, int]], exact: list[str], folded: list[str], first: int
    ) -> tuple[Found, int] | None:
        for length in self._lengths.get(folded[first], ()):
            after = first + length
            if after > len(parts):
                continue
            start, end = parts[first][1], parts[after - 1][2]
            same = self._exact.get(tuple(exact[first:after]))
            labels = same or self._folded.get(tuple(folded[first:after]))
            if labels and stands_alone(text, start, end):
                return Found(start, end, tuple(labels), same is not None), after
        return None


def _parts(text: str) -> Iterator[tuple[str, int, int]]:
    """Cut a text: (normal form, start, end) of each part. A run of white space is one space."""
    for match in PART.finditer(text):
        part = match[0]
        yield " " if part.isspace() else unicodedata.normalize("NFC", part), *match.span()
