"""Determines which of several texts of a row its spans lie on, from all rows of a file.

The evidence is that the spans' words are at their offsets. If the export has no words, it is that all other texts are
too short, or that the spans' edges are word edges. A common name of spans and a text proves nothing by itself. If none
of this decides, the user must: a wrong text is worse than none.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log

from domain_ner.readers.text_choice.fit import DisplayedText, Fit, Offsets, SpanWords, squeezed

ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:/)?[^\s/]*/[^\s]*", re.IGNORECASE)
# A text is chosen if it has the words of more than this share of the spans with words.
CONVINCING = 0.5
# This number of spans without words determines a text by word edges: in the right text nearly all their edges are word
# edges, elsewhere at most half. By chance that happens once in 10,000 cases.
MIN_BARE, AT_EDGES, NOT_AT_EDGES, MAX_LOG_CHANCE = 3, 0.95, 0.5, log(1e-4)
# The log-probability that a text with the spans' name is not theirs.
LOG_MISNAMED = log(0.05)


@dataclass
class Evidence:
    """The evidence from the rows of a file.

    by_key: whether spans are named after something that may have the same name as a key of the texts.
    fits: for each name of spans, by text. n_spans, n_words: its spans, and those with words. texts: by key, whether one
    of them is not blank. values: of each, a hash over all rows. no_address: texts that are not always addresses.
    """

    by_key: bool = False
    fits: dict[str, dict[str, Fit]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fit)))
    n_spans: Counter[str] = field(default_factory=Counter)
    n_words: Counter[str] = field(default_factory=Counter)
    texts: dict[str, bool] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    no_address: set[str] = field(default_factory=set)
    n_rows: int = 0

    def see(self, texts: Mapping[str, DisplayedText]) -> None:
        """Add the texts of a row."""
        self.n_rows += 1
        for key, text in texts.items():
            self.texts[key] = self.texts.get(key, False) or bool(text.text.strip())
            self.values[key] = hash((self.values.get(key), self.n_rows, text.text))
            if key not in self.no_address and not ADDRESS.fullmatch(text.text):
                self.no_address.add(key)

    def add(
        self,
        name: str,
        words: str | None,
        texts: Mapping[str, DisplayedText],
        at: Offsets,
        own: Mapping[str, Offsets] = {},
    ) -> None:
        """Add a span. texts: of its row. own: its offsets in texts where they differ from `at`."""
        self.n_spans[name] += 1
        fits = self.fits[name]
        if words is None:
            for key, text in texts.items():
                fits[key].add_bare(text, own.get(key, at))
            return
        self.n_words[name] += 1
        said = SpanWords(words)
        standing = [key for key, text in texts.items() if said.stands(text, own.get(key, at))]
        closed = "" if standing else squeezed(words)
        for key, text in texts.items():
            is_at = key in standing
            is_in = is_at or (not standing and closed in text.squeezed)
            fits[key].add(text, own.get(key, at), is_at=is_at, is_in=is_in)

    def candidates(self) -> list[str]:
        """Return the keys of possible texts, in order of occurrence; blank ones only if there are no others."""
        return [key for key, is_filled in self.texts.items() if is_filled] or list(self.texts)

    def may_be(self, name: str, candidates: Sequence[str]) -> list[str]:
        """Return the possible texts of spans with that name: a single one is certain; none if they fit nowhere."""
        is_address = self.by_key and name in candidates and name not in self.no_address
        if len(candidates) == 1:
            return self._only(name, candidates[0])
        possible = self._by_words(name, candidates) if self.n_words[name] else list(candidates)
        if len(possible) != 1 or not self.n_words[name]:
            possible = self._by_offsets(name, possible)
        if not possible and is_address:  # the text is in files, as reported for each span
            return [name]
        possible = self._alike(name, possible)
        return possible if len(possible) < 2 else self._by_edges(name, possible)

    def _only(self, name: str, key: str) -> list[str]:
        """Return the only text, unless no words are in place, and most occur nowhere or lie off the text."""
        fit, n_words = self.fits[name][key], self.n_words[name]
        is_another = n_words and not fit.n_at and (fit.n_in <= CONVINCING * n_words or fit.n_off > CONVINCING * fit.n)
        return [] if is_another and key in self.no_address else [key]

    def _by_words(self, name: str, candidates: Sequence[str]) -> list[str]:
        """Return the texts that the words fit best: none has more of them, at their offsets or anywhere."""
        fits = self.fits[name]
        n_at, n_in = (max(getattr(fits[key], count) for key in candidates) for count in ("n_at", "n_in"))
        if n_in <= CONVINCING * self.n_words[name]:
            return []
        best = [key for key in candidates if fits[key].n_at == n_at and fits[key].n_in == n_in]
        return best or [key for key in candidates if fits[key].n_at == n_at or fits[key].n_in == n_in]

    def _by_offsets(self, name: str, possible: Sequence[str]) -> list[str]:
        """Return the texts that every row with spans has, and that are long enough for them."""
        fits = self.fits[name]
        fitting = [key for key in possible if fits[key].n == self.n_spans[name] and fits[key].may_be]
        return fitting or (list(possible) if self.n_words[name] else [])

    def _alike(self, name: str, possible: Sequence[str]) -> list[str]:
        """Return one of several texts that are always equal."""
        if len({self.values[key] for key in possible}) == 1:
            return [name if name in possible else possible[0]]
        return list(possible)

    def _by_edges(self, name: str, possible: Sequence[str]) -> list[str]:
        """Return the text whose word edges match the spans' edges, unless another may, or has the spans' name."""
        fits = self.fits[name]
        likely = [key for key in possible if fits[key].at_edges > NOT_AT_EDGES]
        is_named = self.by_key and name in possible
        if len(likely) != 1 or (is_named and likely != [name]):
            return list(possible)
        fit, others = fits[likely[0]], [fits[key] for key in possible if key not in likely]
        # A span off the other texts is evidence for this one.
        log_chance = fit.log_chance + (is_named + min(other.n_off for other in others)) * LOG_MISNAMED
        is_sure = fit.n_bare >= MIN_BARE and fit.at_edges >= AT_EDGES and log_chance <= MAX_LOG_CHANCE
        return likely if is_sure else list(possible)
