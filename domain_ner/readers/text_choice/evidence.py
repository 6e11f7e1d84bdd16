"""Of several texts of a row, the one on which its spans lie, told from what all rows of a file show.

What tells it is that the words of the spans stand at their offsets; where the export has no words, that all other
texts are too short, or that the edges of the spans are edges of words. A name that spans and a text have in common
tells nothing by itself. Where none of this decides, the user must: a wrong text is worse than none.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log

from domain_ner.readers.text_choice.fit import Fit, Offsets, Said, Shown, squeezed

ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:/)?[^\s/]*/[^\s]*", re.IGNORECASE)
# A text is taken for the right one where more than this share of the spans with words have them in it.
CONVINCING = 0.5
# So many spans without words tell a text by the edges of words: nearly all of theirs are such edges there, at most half
# elsewhere, and by chance they would be once in 10,000 times.
MIN_BARE, AT_EDGES, NOT_AT_EDGES, MAX_LOG_CHANCE = 3, 0.95, 0.5, log(1e-4)
# How seldom a name that a text has too is that of another text.
LOG_MISNAMED = log(0.05)


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

    def add(
        self, name: str, words: str | None, texts: Mapping[str, Shown], at: Offsets, own: Mapping[str, Offsets] = {}
    ) -> None:  # fmt: skip
        """Count a span. texts: of its row. own: the offsets in those in which it has others than `at`."""
        self.n_spans[name] += 1
        fits = self.fits[name]
        if words is None:
            for key, text in texts.items():
                fits[key].add_bare(text, own.get(key, at))
            return
        self.n_words[name] += 1
        said = Said(words)
        standing = [key for key, text in texts.items() if said.stands(text, own.get(key, at))]
        closed = "" if standing else squeezed(words)
        for key, text in texts.items():
            is_at = key in standing
            is_in = is_at or (not standing and closed in text.squeezed)
            fits[key].add(text, own.get(key, at), is_at=is_at, is_in=is_in)

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
