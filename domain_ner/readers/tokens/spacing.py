"""Infers the spaces between the tokens of a file that does not contain them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain_ner.annotations.records import FileLog
from domain_ner.annotations.words import NO_SPACE, SYLLABLE, UNIT

# Minimum shares of tokens: single characters, scripts without spaces, white space.
BY_CHARACTERS, OF_SCRIPT, BLANK = 0.9, 0.3, 0.2


@dataclass
class Spacing:
    """Infers from all tokens of a file how they form the text. Add all sentences first; then ask for the spaces.

    Scripts without spaces get none, whether a token is a word or a character, so the text is as people write it. If
    tokens are characters, white-space tokens are the text's own spaces.
    """

    n_tokens: int = 0
    n_blank: int = 0
    n_single: int = 0
    n_words: int = 0
    n_of_script: int = 0
    n_syllables: int = 0

    def add(self, words: Iterable[str]) -> None:
        """Count the tokens of one sentence."""
        for word in filter(None, words):
            self.n_tokens += 1
            self.n_blank += word.isspace()
            self.n_words += word.isalnum() or any(map(str.isalnum, word))
            if word.isascii():
                self.n_single += len(word) == 1
            else:
                self._add_other(word)

    def _add_other(self, word: str) -> None:
        self.n_single += len(word) == 1 or bool(UNIT.fullmatch(word) and NO_SPACE.match(word))
        self.n_of_script += bool(NO_SPACE.search(word))
        self.n_syllables += bool(SYLLABLE.fullmatch(word))

    @property
    def by_characters(self) -> bool:
        """Whether tokens are characters."""
        return self.n_tokens > 0 and self.n_single >= BY_CHARACTERS * self.n_tokens

    @property
    def is_unspaced(self) -> bool:
        """Whether the script has no spaces; Korean has spaces, but not between the syllables of a word."""
        n_found = self.n_of_script + self.n_syllables * self.by_characters
        return n_found > 0 and n_found >= OF_SCRIPT * self.n_words

    @property
    def keeps_blanks(self) -> bool:
        """Whether white-space tokens are the spaces of the text."""
        return self.n_blank > 0 and (self.by_characters or self.is_unspaced or self.n_blank >= BLANK * self.n_tokens)

    def spaces(self, words: Sequence[str]) -> tuple[bool, ...] | None:
        """Return whether a space follows each token of a sentence; None: unknown, single spaces everywhere."""
        if self.keeps_blanks:
            return (False,) * len(words)
        if not self.is_unspaced or not (self.by_characters or any(map(NO_SPACE.search, words))):
            return None
        return (*(self._are_parted(*pair) for pair in pairwise(words)), False)[: len(words)]

    def report(self, log: FileLog) -> None:
        """Note how the text is composed."""
        if self.keeps_blanks:
            log.note(f"{self.n_blank} tokens of white space are the text's own; no other spaces between tokens")
        elif self.is_unspaced:
            reason = "a token is a character" if self.by_characters else "its script has none"
            log.note(f"no spaces between tokens: {reason}")

    def _are_parted(self, left: str, right: str) -> bool:
        """Whether two tokens are two words of a script with spaces; single characters form one word."""
        if self.by_characters and len(left) == len(right) == 1:
            return False
        return all(char.isalnum() and not NO_SPACE.match(char) for char in (left[-1:], right[:1]))
