"""Tells when a recogniser works in a pipeline whose tokenizer is not the one it learned with (`add_pipe(source=…)`)."""

import warnings
from collections.abc import Callable, Sequence
from typing import TypeAlias

from spacy.tokens import Doc
from spacy.vocab import Vocab

Tokenize: TypeAlias = Callable[[str], Doc]
# As many documents of another pipeline are compared; to tokenize all of them twice would take time.
N_COMPARED = 20


class ForeignTokens:
    """Warns once, at the first of `N_COMPARED` documents of another vocabulary that has other tokens.

    vocab, tokenizer: of the pipeline that the recogniser was made for.
    """

    def __init__(self, name: str, vocab: Vocab, tokenizer: Tokenize | None) -> None:
        self._name, self._vocab, self._tokenizer, self._n_left = name, vocab, tokenizer, N_COMPARED

    def look_at(self, docs: Sequence[Doc]) -> None:
        """Compare documents that another pipeline made; those of the own one are trusted."""
        if not self._n_left or self._tokenizer is None:
            return
        for doc in docs:
            if doc.vocab is self._vocab or not self._n_left:
                return
            self._n_left -= 1
            expected = [token.text for token in self._tokenizer(doc.text)]
            if expected != [token.text for token in doc]:
                self._n_left = 0
                warnings.warn(_told(self._name, expected, doc), stacklevel=2)


def _told(name: str, expected: Sequence[str], doc: Doc) -> str:
    found = [token.text for token in doc]
    place = next(
        (n for n, (one, other) in enumerate(zip(expected, found, strict=False)) if one != other), len(expected)
    )
    known, given = expected[place : place + 3], found[place : place + 3]
    return (
        f"{name} learned with another tokenizer than this pipeline's: where it knows {known} it gets {given}."
        " Entities that begin or end inside such tokens cannot be found."
        " Take its own pipeline's tokenizer too: nlp.tokenizer = source.tokenizer, before the first text."
    )
