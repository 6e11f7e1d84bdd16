"""Measures how spans fit a text: by their words, their offsets, and word edges."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from domain_ner.readers.text_choice.word_edges import log_rates, n_edges

WHITE = re.compile(r"\s+")
ASTRAL = re.compile("[\U00010000-\U0010ffff]")
# Maximum share of offsets off the correct text (each such span is reported as lost).
MAX_OFF = 0.05
# Minimum of a log-probability; smaller values need no precision.
NO_CHANCE = -30.0


@dataclass(frozen=True)
class DisplayedText:
    """A text as the annotator saw it."""

    text: str

    @cached_property
    def squeezed(self) -> str:
        """The text without white space."""
        return squeezed(self.text)

    @cached_property
    def as_units(self) -> str:
        """The text with one character per UTF-16 unit; empty if it is that already."""
        return in_units(self.text) if not self.text.isascii() and max(self.text, default="") > "\uffff" else ""

    @cached_property
    def length(self) -> int:
        """Its length in UTF-16 units."""
        return len(self.as_units or self.text)

    @cached_property
    def log_rates(self) -> tuple[float, float]:
        """Log-probabilities that a position in it starts, or ends, a word."""
        return log_rates(self.text)


class Offsets(NamedTuple):
    """The position of a span. is_usable: both are numbers. is_off: the span certainly lies outside the text."""

    start: int
    end: int
    is_usable: bool
    is_off: bool


@dataclass(frozen=True)
class SpanWords:
    """The words of a span."""

    words: str

    @cached_property
    def parts(self) -> list[str]:
        """The parts between white space."""
        return parts(self.words)

    def stands(self, text: DisplayedText, at: Offsets) -> bool:
        """Whether these words are at these offsets, in code points or UTF-16 units, ignoring white space."""
        if not at.is_usable:
            return False
        there = text.text[at.start : at.end]
        if there == self.words or (there and parts(there) == self.parts):
            return True
        return bool(text.as_units) and parts(text.as_units[at.start : at.end]) == parts(in_units(self.words))


def as_offsets(start: Any, end: Any, *, is_off: bool = False) -> Offsets:
    """Convert an export's offsets, which may be anything."""
    if is_off or not (_is_offset(start) and _is_offset(end)):
        return Offsets(0, 0, False, is_off)
    return Offsets(start, end, True, False)


@dataclass
class Fit:
    """How spans fit a text.

    n: spans; n_at: with their words at their offsets; n_in: with their words there or, if they are at their offsets in
    no text, anywhere; n_off: outside the text. n_bare: spans without words, with n_edges edges at word edges, which
    happens by chance with a probability of exp(log_chance).
    """

    n: int = 0
    n_at: int = 0
    n_in: int = 0
    n_off: int = 0
    n_bare: int = 0
    n_edges: int = 0
    log_chance: float = 0.0
    _text: DisplayedText | None = None
    _here: set[tuple[int, int]] = field(default_factory=set)

    def add(self, text: DisplayedText, at: Offsets, *, is_at: bool, is_in: bool) -> None:
        """Count a span with words."""
        self.n += 1
        self.n_at += is_at
        self.n_in += is_in
        self.n_off += at.is_off or (at.is_usable and at.end > text.length)

    def add_bare(self, text: DisplayedText, at: Offsets) -> None:
        """Count a span without words."""
        self.add(text, at, is_at=False, is_in=False)
        self.n_bare += 1
        if not at.is_usable:
            return
        n_at_edges = n_edges(text.text, at.start, at.end)
        if n_at_edges < 2 and text.as_units:
            n_at_edges = max(n_at_edges, n_edges(text.as_units, at.start, at.end))
        self.n_edges += n_at_edges
        if n_at_edges == 2 and self.log_chance > NO_CHANCE:
            self._add_chance(text, at.start, at.end)

    def _add_chance(self, text: DisplayedText, start: int, end: int) -> None:
        """Multiply the probability by that of a span; a span of several annotators counts once."""
        if text is not self._text:
            self._text, self._here = text, set()
        if (start, end) not in self._here:
            self._here.add((start, end))
            at_start, at_end = text.log_rates
            self.log_chance += (at_start if start else 0) + at_end

    @property
    def may_be(self) -> bool:
        """Whether the spans may lie on the text; one of several outside does not exclude it."""
        return self.n_off < self.n and self.n_off <= max(1, MAX_OFF * self.n)

    @property
    def at_edges(self) -> float:
        """The share of edges of spans without words that are word edges."""
        return self.n_edges / (2 * self.n_bare) if self.n_bare else 0.0


def plain(words: str | None) -> str:
    """Normalise words against changes by front ends: runs of white space, and line ends as two characters."""
    return WHITE.sub(" ", (words or "").replace("\\n", " ")).strip()


def parts(words: str) -> list[str]:
    """Split words at what front ends change."""
    return (words.replace("\\n", " ") if "\\n" in words else words).split()


def squeezed(words: str) -> str:
    """Remove the white space of words: copied text has other white space than the page."""
    return "".join(words.replace("\\n", " ").split())


def in_units(text: str) -> str:
    """Replace each character of two UTF-16 units by two signs."""
    return ASTRAL.sub("\ue000\ue000", text)


def _is_offset(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
