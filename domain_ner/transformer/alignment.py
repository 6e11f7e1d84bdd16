"""Which wordpieces make up which token. Offsets only: knows no tokenizer, no spaCy and no torch."""

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def align_wordpieces(token_starts: IntArray, token_ends: IntArray, offsets: IntArray) -> list[IntArray]:
    """For each token the wordpieces that cover at least one of its characters, in order.

    A wordpiece that covers white space before its word (DeBERTa's do) belongs to that word alone, which is what
    spacy-transformers 1.4 gets wrong (https://github.com/explosion/spaCy/issues/13730). One that covers characters of
    several tokens belongs to each of them; one that covers none (special tokens, padding) belongs to no token.

    token_starts, token_ends: (n_tokens,), character offsets, ascending, ends exclusive, not overlapping.
    offsets: (n_wordpieces, 2), start and end of each wordpiece in the same characters; start = end for none.
    Returns n_tokens arrays of rows of `offsets`.
    """
    first = np.searchsorted(token_ends, offsets[:, 0], side="right")
    last = np.searchsorted(token_starts, offsets[:, 1], side="left")
    covers = np.maximum(last - first, 0)
    covers[offsets[:, 0] == offsets[:, 1]] = 0
    # One row a (wordpiece, token) pair, then gathered by token; the stable sort keeps the wordpieces in order.
    pieces = np.repeat(np.arange(len(offsets)), covers)
    within = np.arange(len(pieces)) - np.repeat(np.cumsum(covers) - covers, covers)
    tokens = np.repeat(first, covers) + within
    order = np.argsort(tokens, kind="stable")
    bounds = np.searchsorted(tokens[order], np.arange(1, len(token_starts)))
    return np.split(pieces[order], bounds) if len(token_starts) else []
