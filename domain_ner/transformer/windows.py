"""Cuts a long sequence of wordpieces into overlapping windows, and assigns each wordpiece to one of them."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from domain_ner.transformer.alignment import IntArray


class Window(NamedTuple):
    """A window. The encoder reads the wordpieces `start` to `end` (exclusive) together; the vectors of `first` to
    `last` (exclusive) are taken from this window.
    """

    start: int
    end: int
    first: int
    last: int


def cut_windows(tokens: IntArray, *, size: int, overlap: int) -> list[Window]:
    """Cut a document into at least one window; every wordpiece is assigned to exactly one.

    tokens: (n_wordpieces,) the index of the token of each wordpiece, ascending.
    size: maximum of wordpieces in a window. overlap: wordpieces that two neighbours share, less than `size`.

    A token in the overlap of two windows is assigned to the one in which its middle is further from the edge. Only a
    token longer than half an overlap can be divided.
    """
    n_pieces = len(tokens)
    spans = list(_spans(n_pieces, size=size, overlap=overlap))
    cuts = [0, *(_cut(tokens, next_start, end) for (_, end), (next_start, _) in pairwise(spans))]
    lasts = [*cuts[1:], n_pieces]
    return [Window(*span, first, last) for span, first, last in zip(spans, cuts, lasts, strict=True)]


def _spans(n_pieces: int, *, size: int, overlap: int) -> Iterator[tuple[int, int]]:
    start = 0
    while start + size < n_pieces:
        yield start, start + size
        start += size - overlap
    yield start, n_pieces


def _cut(tokens: IntArray, low: int, high: int) -> int:
    """Find the wordpiece at which the second of two windows takes over: a token boundary in their overlap."""
    middle = (low + high) // 2
    if not low < middle < high:
        return middle
    first = middle
    while first > low and tokens[first - 1] == tokens[middle]:
        first -= 1
    last = middle
    while last < high and tokens[last] == tokens[middle]:
        last += 1
    edges = [edge for edge in (first, last) if low < edge < high]
    return min(edges, key=lambda edge: abs(2 * edge - low - high), default=middle)
