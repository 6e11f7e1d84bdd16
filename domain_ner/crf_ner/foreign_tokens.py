"""Warns when a recogniser runs with another tokenizer than in training (`add_pipe(source=…)`)."""

import warnings
from collections.abc import Callable, Sequence
from typing import TypeAlias

from spacy.tokens import Doc
from spacy.vocab import Vocab

Tokenize: TypeAlias = Callable[[str], Doc]
# The number of documents to compare; tokenizing all documents twice would take time.
N_COMPARED = 20


class TokenizerCheck:
    """Warns once, at the first of `N_COMPARED` documents of another vocabulary whose tokens differ.

    vocab, tokenizer: of the pipeline that the recogniser was made for.
    """

    def __init__(self, name: str, vocab: Vocab, tokenizer: Tokenize | None) -> None:
        self._name, self._vocab, self._tokenizer, self._n_left = name, vocab, tokenizer, N_COMPARED

    def check(self, docs: Sequence[Doc]) -> None:
        """Compare documents of another pipeline; those of the own pipeline are trusted."""
        if not self._n_left or self._tokenizer is None:
            return
        for doc in docs:
            if doc.vocab is self._vocab or not self._n_left:
                return
            self._n_left -= 1
            expected = [token.text for token in self._tokenizer(doc.text)]
            if expected != [token.text for token in doc]:
                self._n_left = 0
                warnings.warn(_warning(self._name, expected, doc), stacklevel=2)


def _warning(name: str, expected: Sequence[str], doc: Doc) -> str:
    actual = [token.text for token in doc]
    place = next(
        (n for n, (text, other) in enumerate(zip(expected, actual, strict=False)) if text != other), len(expected)
    )
    known, received = expected[place : place + 3], actual[place : place + 3]
    return (
        f"{name} was trained with another tokenizer than this pipeline's: it expects {known}, but gets {received}."
        " Entities that begin or end inside such tokens cannot be found."
        " Use the tokenizer of its own pipeline: set nlp.tokenizer = source.tokenizer before the first text."
    )
