"""Of several texts of a row, the one on which its spans lie, told from what all rows of a file show.

What tells it is that the words of the spans stand at their offsets; where the export has no words, that all other
texts are too short, or that the edges of the spans are edges of words. Where none of this decides, the user must: a
wrong text is worse than none.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

WHITE = re.compile(r"\s+")
ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:/)?[^\s/]*/[^\s]*", re.IGNORECASE)
ASTRAL = re.compile("[\U00010000-\U0010ffff]")
INSIDE_WORD = re.compile(r"\w\w")
# A text is taken for the right one where more than this share of the spans with words have them in it.
CONVINCING = 0.5
# Of the offsets, so many may lie off a text that is the right one (each of them is reported as lost).
MAX_OFF = 0.05
# So many spans without words tell a text by the edges of words: nearly all at edges there, at most half elsewhere.
MIN_EDGES, AT_EDGES, NOT_AT_EDGES = 5, 0.95, 0.5


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


@dataclass
class Fit:
    """How spans fit a text.

    n: spans; of them n_at with their words at their offsets, n_in with their words somewhere, n_off off the text, and
    n_edges between edges of words.
    """

    n: int = 0
    n_at: int = 0
    n_in: int = 0
    n_off: int = 0
    n_edges: int = 0

    def add(self, text: Shown, start: Any, end: Any, said: str, *, is_off: bool = False) -> None:
        """Count a span. said: its words, as `plain` makes them. is_off: it is known to point nowhere in the text."""
        has_offsets = not is_off and _is_offset(start) and _is_offset(end)
        is_at = has_offsets and said != "" and _says(text, start, end, said)
        self.n += 1
        self.n_at += is_at
        self.n_in += is_at or (said != "" and squeezed(said) in text.squeezed)
        self.n_off += is_off or (has_offsets and end > text.length)
        self.n_edges += has_offsets and (_is_whole(text.text, start, end) or _is_whole(text.as_units, start, end))

    @property
    def may_be(self) -> bool:
        """Whether spans without words may lie on the text."""
        return self.n_off <= MAX_OFF * self.n


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
            if not ADDRESS.fullmatch(text.text):
                self.no_address.add(key)

    def count(self, name: str, words: str | None) -> tuple[Mapping[str, Fit], str]:
        """Count a span of that name. Gives the fits of each text, to which it is to be added, and its words, plain."""
        self.n_spans[name] += 1
        self.n_words[name] += words is not None
        return self.fits[name], plain(words)

    def candidates(self) -> list[str]:
        """The keys of what may be texts, as they were first seen; blank ones only where there are no others."""
        return [key for key, is_filled in self.texts.items() if is_filled] or list(self.texts)

    def may_be(self, name: str, candidates: Sequence[str]) -> list[str]:
        """The texts on which the spans of that name may lie: one where it is certain; none where they fit nowhere."""
        if len(candidates) == 1:
            return self._only(name, candidates[0])
        is_address = self.by_key and name in candidates and name not in self.no_address
        if self.n_words[name]:
            found = self._by_words(name, candidates)
        else:
            fits = self.fits[name]
            found = [key for key in candidates if fits[key].n == self.n_spans[name] and fits[key].may_be]
        if not found and is_address:  # the text is in files, as is told of each span
            return [name]
        found = found if len(found) == 1 else self._alike(name, found)
        is_named = self.by_key and name in found
        return found if self.n_words[name] or is_named else self._by_edges(name, found)

    def _only(self, name: str, key: str) -> list[str]:
        """The only text, unless none of the words stands in it."""
        is_another = self.n_words[name] and not self.fits[name][key].n_in
        return [] if is_another and key in self.no_address else [key]

    def _by_words(self, name: str, candidates: Sequence[str]) -> list[str]:
        """The texts that the words fit best: none has more of them, at their offsets or anywhere."""
        fits = self.fits[name]
        n_at, n_in = (max(getattr(fits[key], count) for key in candidates) for count in ("n_at", "n_in"))
        if n_in <= CONVINCING * self.n_words[name]:
            is_named = self.by_key and not n_in and name in candidates and fits[name].may_be
            return [name] if is_named else []
        best = [key for key in candidates if fits[key].n_at == n_at and fits[key].n_in == n_in]
        return best or [key for key in candidates if fits[key].n_at == n_at or fits[key].n_in == n_in]

    def _alike(self, name: str, found: Sequence[str]) -> list[str]:
        """One text of several: where all of them are the same everywhere, or where the spans have the name of one."""
        if len({self.values[key] for key in found}) == 1:
            return [name if name in found else found[0]]
        if self.by_key and name in found and not self._is_contradicted(name, found):
            return [name]
        return list(found)

    def _by_edges(self, name: str, found: Sequence[str]) -> list[str]:
        fits = self.fits[name]
        sure = [key for key in found if fits[key].n >= MIN_EDGES and fits[key].n_edges >= AT_EDGES * fits[key].n]
        others = [key for key in found if fits[key].n_edges > NOT_AT_EDGES * fits[key].n]
        return sure if len(sure) == 1 and others == sure else list(found)

    def _is_contradicted(self, name: str, found: Sequence[str]) -> bool:
        """Whether the edges of words say that the spans lie on another text than the one that they have the name of."""
        fit, others = self.fits[name][name], [self.fits[name][key] for key in found if key != name]
        return fit.n_edges < fit.n and any(other.n_edges == other.n for other in others)


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


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether a span has characters, and neither starts nor ends inside a word."""
    return start < end <= len(text) and not any(INSIDE_WORD.fullmatch(text[at - 1 : at + 1]) for at in (start, end))


def _is_offset(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
