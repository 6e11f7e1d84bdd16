"""Where a long sequence of wordpieces is cut into overlapping windows, and which window speaks for which wordpiece."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from domain_ner.transformer.alignment import IntArray


class Window(NamedTuple):
    """Wordpieces `start` to `end` (exclusive) go through the encoder together; the vectors of `first` to `last`
    (exclusive) are taken from it.
    """

    start: int
    end: int
    first: int
    last: int


def cut_windows(tokens: IntArray, *, size: int, overlap: int) -> list[Window]:
    """Cut a document; every wordpiece is taken from exactly one window, there is at least one, and none is left out.

    tokens: (n_wordpieces,) the number of the token each wordpiece belongs to, in ascending order.
    size: wordpieces in a window, at most. overlap: wordpieces that two neighbours share, less than `size`.

    Where two windows overlap, a token is taken from the one in which its middle is further from the edge. Only a token
    that is longer than half an overlap can be taken in parts.
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
    """The wordpiece where the second of two windows takes over, within what they share: between two tokens."""
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
