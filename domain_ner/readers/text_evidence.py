"""Of several texts of a row, the one on which its spans lie, told from what all rows of a file show.

What tells it is that the words of the spans stand at their offsets; where the export has no words, that all other
texts are too short, or that the edges of the spans are edges of words. A name that spans and a text have in common
tells nothing by itself. Where none of this decides, the user must: a wrong text is worse than none.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log
from typing import Any, NamedTuple

from domain_ner.readers.word_edges import log_rates, n_edges

WHITE = re.compile(r"\s+")
ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:/)?[^\s/]*/[^\s]*", re.IGNORECASE)
ASTRAL = re.compile("[\U00010000-\U0010ffff]")
# A text is taken for the right one where more than this share of the spans with words have them in it.
CONVINCING = 0.5
# Of the offsets, so many may lie off a text that is the right one (each of them is reported as lost).
MAX_OFF = 0.05
# So many spans without words tell a text by the edges of words: nearly all of theirs are such edges there, at most half
# elsewhere, and by chance they would be once in 10,000 times.
MIN_BARE, AT_EDGES, NOT_AT_EDGES, MAX_LOG_CHANCE = 3, 0.95, 0.5, log(1e-4)
# How seldom a name that a text has too is that of another text.
LOG_MISNAMED = log(0.05)


@dataclass(frozen=True)
class Shown:
    """A text as the annotator saw it."""

    text: str

    @cached_property
    def squeezed(self) -> str:
        """The text without white space."""
        return squeezed(self.text)

    @cached_property
    def as_units(self) -> str:
        """The text with a character for each UTF-16 unit; empty where it is that already."""
        return in_units(self.text) if not self.text.isascii() and max(self.text, default="") > "\uffff" else ""

    @property
    def length(self) -> int:
        """Its length in the unit in which it is longer."""
        return len(self.as_units or self.text)

    @cached_property
    def log_rates(self) -> tuple[float, float]:
        """Logarithms of how often a place in it starts, and ends, a word."""
        return log_rates(self.text)


class Place(NamedTuple):
    """Where a span would lie on a text. is_off: it is known to point nowhere in the text."""

    text: Shown
    start: Any
    end: Any
    is_off: bool = False

    @property
    def has_offsets(self) -> bool:
        """Whether there is something to look at."""
        return not self.is_off and _is_offset(self.start) and _is_offset(self.end)

    def says(self, said: str) -> bool:
        """Whether these words, as `plain` makes them, stand here."""
        return self.has_offsets and _says(self.text, self.start, self.end, said)

    @property
    def is_beyond(self) -> bool:
        """Whether this is off the text."""
        return self.is_off or (self.has_offsets and self.end > self.text.length)

    @property
    def n_edges(self) -> int:
        """How many of its edges are edges of words, in the unit in which more are."""
        if not self.has_offsets:
            return 0
        text = self.text
        return max(n_edges(one, self.start, self.end) for one in (text.text, text.as_units))


@dataclass
class Fit:
    """How spans fit a text.

    n: spans; of them n_at with their words at their offsets, n_in with their words there, or somewhere if they stand at
    their offsets in no text, and n_off off the text. n_bare: those without words, with n_edges edges at edges of words,
    which would be so by chance with a probability of exp(log_chance).
    """

    n: int = 0
    n_at: int = 0
    n_in: int = 0
    n_off: int = 0
    n_bare: int = 0
    n_edges: int = 0
    log_chance: float = 0.0
    _text: Shown | None = None
    _here: set[tuple[int, int]] = field(default_factory=set)

    def add_bare(self, place: Place) -> None:
        """Count a span without words."""
        n_at_edges = place.n_edges
        self.n += 1
        self.n_off += place.is_beyond
        self.n_bare += 1
        self.n_edges += n_at_edges
        if n_at_edges == 2:
            self._add_chance(place.text, place.start, place.end)

    def _add_chance(self, text: Shown, start: int, end: int) -> None:
        """Multiply the chance by that of a span; of the same one, by another annotator, only once."""
        if text is not self._text:
            self._text, self._here = text, set()
        if (start, end) not in self._here:
            self._here.add((start, end))
            at_start, at_end = text.log_rates
            self.log_chance += (at_start if start else 0) + at_end

    @property
    def may_be(self) -> bool:
        """Whether the spans may lie on the text; one of several that is off it does not deny that."""
        return self.n_off < self.n and self.n_off <= max(1, MAX_OFF * self.n)

    @property
    def at_edges(self) -> float:
        """The share of the edges of spans without words that are edges of words."""
        return self.n_edges / (2 * self.n_bare) if self.n_bare else 0.0


@dataclass
class Evidence:
    """What the rows of a file show.

    by_key: whether spans have the name of something that may be called as a key of the texts is.
    fits: of each name of spans, by text. n_spans, n_words: its spans, and those with words. texts: by key, whether one
    of them is not blank. values: of each, a hash over all rows. no_address: those that are not addresses everywhere.
    """

    by_key: bool = False
    fits: dict[str, dict[str, Fit]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fit)))
    n_spans: Counter[str] = field(default_factory=Counter)
    n_words: Counter[str] = field(default_factory=Counter)
    texts: dict[str, bool] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    no_address: set[str] = field(default_factory=set)
    n_rows: int = 0

    def see(self, texts: Mapping[str, Shown]) -> None:
        """Look at the texts of a row."""
        self.n_rows += 1
        for key, text in texts.items():
            self.texts[key] = self.texts.get(key, False) or bool(text.text.strip())
            self.values[key] = hash((self.values.get(key), self.n_rows, text.text))
            if key not in self.no_address and not ADDRESS.fullmatch(text.text):
                self.no_address.add(key)

    def add(self, name: str, words: str | None, places: Mapping[str, Place]) -> None:
        """Count a span of that name. places: where it would lie on each text of its row."""
        self.n_spans[name] += 1
        fits = self.fits[name]
        if words is None:
            for key, place in places.items():
                fits[key].add_bare(place)
            return
        self.n_words[name] += 1
        said = plain(words)
        at = [key for key, place in places.items() if place.says(said)]
        closed = "" if at else squeezed(said)
        for key, place in places.items():
            fit = fits[key]
            is_at = key in at
            fit.n += 1
            fit.n_at += is_at
            fit.n_in += is_at or (not at and closed in place.text.squeezed)
            fit.n_off += place.is_beyond

    def candidates(self) -> list[str]:
        """The keys of what may be texts, as they were first seen; blank ones only where there are no others."""
        return [key for key, is_filled in self.texts.items() if is_filled] or list(self.texts)

    def may_be(self, name: str, candidates: Sequence[str]) -> list[str]:
        """The texts on which the spans of that name may lie: one where it is certain; none where they fit nowhere."""
        is_address = self.by_key and name in candidates and name not in self.no_address
        if len(candidates) == 1:
            return self._only(name, candidates[0])
        found = self._by_words(name, candidates) if self.n_words[name] else list(candidates)
        if len(found) != 1 or not self.n_words[name]:
            found = self._by_offsets(name, found)
        if not found and is_address:  # the text is in files, as is told of each span
            return [name]
        found = self._alike(name, found)
        return found if len(found) < 2 else self._by_edges(name, found)

    def _only(self, name: str, key: str) -> list[str]:
        """The only text, unless none of the words stands where it should, and most stand nowhere or are off it."""
        fit, n_words = self.fits[name][key], self.n_words[name]
        is_another = n_words and not fit.n_at and (fit.n_in <= CONVINCING * n_words or fit.n_off > CONVINCING * fit.n)
        return [] if is_another and key in self.no_address else [key]

    def _by_words(self, name: str, candidates: Sequence[str]) -> list[str]:
        """The texts that the words fit best: none has more of them, at their offsets or anywhere."""
        fits = self.fits[name]
        n_at, n_in = (max(getattr(fits[key], count) for key in candidates) for count in ("n_at", "n_in"))
        if n_in <= CONVINCING * self.n_words[name]:
            return []
        best = [key for key in candidates if fits[key].n_at == n_at and fits[key].n_in == n_in]
        return best or [key for key in candidates if fits[key].n_at == n_at or fits[key].n_in == n_in]

    def _by_offsets(self, name: str, found: Sequence[str]) -> list[str]:
        """The texts that every row with spans has, and that are long enough for them."""
        fits = self.fits[name]
        fitting = [key for key in found if fits[key].n == self.n_spans[name] and fits[key].may_be]
        return fitting or (list(found) if self.n_words[name] else [])

    def _alike(self, name: str, found: Sequence[str]) -> list[str]:
        """One text of several that are the same everywhere."""
        if len({self.values[key] for key in found}) == 1:
            return [name if name in found else found[0]]
        return list(found)

    def _by_edges(self, name: str, found: Sequence[str]) -> list[str]:
        """The text that has edges of words where the spans have theirs, unless another may, or has their name."""
        fits = self.fits[name]
        likely = [key for key in found if fits[key].at_edges > NOT_AT_EDGES]
        is_named = self.by_key and name in found
        if len(likely) != 1 or (is_named and likely != [name]):
            return list(found)
        fit, others = fits[likely[0]], [fits[key] for key in found if key not in likely]
        # A span that is off the others speaks for this one.
        log_chance = fit.log_chance + (is_named + min(other.n_off for other in others)) * LOG_MISNAMED
        is_sure = fit.n_bare >= MIN_BARE and fit.at_edges >= AT_EDGES and log_chance <= MAX_LOG_CHANCE
        return likely if is_sure else list(found)


def plain(words: str | None) -> str:
    """Words without what front ends change in them: runs of white space, and line ends written as two characters."""
    return WHITE.sub(" ", (words or "").replace("\\n", " ")).strip()


def squeezed(words: str) -> str:
    """Words without white space, of which what is copied from a page has other than the page."""
    return "".join(words.replace("\\n", " ").split())


def in_units(text: str) -> str:
    """A text with two signs in the place of each character that has two UTF-16 units."""
    return ASTRAL.sub("\ue000\ue000", text)


def _says(text: Shown, start: int, end: int, said: str) -> bool:
    """Whether these words stand at these offsets, in code points or in UTF-16 units."""
    at = text.text[start:end]
    if at == said or plain(at) == said:
        return True
    return bool(text.as_units) and in_units(said) == plain(text.as_units[start:end])


def _is_offset(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
