"""Aligns wordpieces with tokens by character offsets. Knows no tokenizer, no spaCy and no torch."""

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def align_wordpieces(token_starts: IntArray, token_ends: IntArray, offsets: IntArray) -> list[IntArray]:
    """List for each token the rows of `offsets` that cover it: as `align_ragged`, one array a token."""
    pieces, lengths = align_ragged(token_starts, token_ends, offsets)
    return np.split(pieces, np.cumsum(lengths)[:-1]) if len(lengths) else []


def align_ragged(token_starts: IntArray, token_ends: IntArray, offsets: IntArray) -> tuple[IntArray, IntArray]:
    """Find for each token the wordpieces that cover at least one of its characters, in order.

    A wordpiece that covers white space before its word (as DeBERTa's do) belongs to that word alone; spacy-transformers
    1.4 gets this wrong (https://github.com/explosion/spaCy/issues/13730). A wordpiece that covers characters of
    several tokens belongs to each of them; one without characters (special tokens, padding) belongs to none.

    token_starts, token_ends: (n_tokens,), character offsets, ascending, ends exclusive, not overlapping.
    offsets: (n_wordpieces, 2), start and end of each wordpiece in the same characters; start = end for none.
    Returns the rows of `offsets`, those of the first token first, and (n_tokens,) how many each token has.
    """
    first = np.searchsorted(token_ends, offsets[:, 0], side="right")
    last = np.searchsorted(token_starts, offsets[:, 1], side="left")
    covers = np.maximum(last - first, 0)
    covers[offsets[:, 0] == offsets[:, 1]] = 0
    # One row per (wordpiece, token) pair, then grouped by token; the stable sort keeps the wordpieces in order.
    pieces = np.repeat(np.arange(len(offsets)), covers)
    within = np.arange(len(pieces)) - np.repeat(np.cumsum(covers) - covers, covers)
    tokens = np.repeat(first, covers) + within
    order = np.argsort(tokens, kind="stable")
    return pieces[order], np.bincount(tokens, minlength=len(token_starts))
