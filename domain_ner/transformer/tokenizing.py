"""Cuts documents into wordpieces and windows, and aligns wordpieces with tokens. Knows no encoder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from spacy.tokens import Doc
from thinc.types import Ragged

from domain_ner.transformer.alignment import IntArray, align_wordpieces
from domain_ner.transformer.windows import Window, cut_windows


class Encoding(NamedTuple):
    """A text in wordpieces, without special ones. ids: (n_wordpieces,). offsets: (n_wordpieces, 2), the start and end
    of each wordpiece in characters.
    """

    ids: list[int]
    offsets: Sequence[tuple[int, int]]


class Special(NamedTuple):
    """The ids of the special wordpieces that the encoder expects before and after a text."""

    before: list[int]
    after: list[int]


EncodeTexts = Callable[[list[str]], Sequence[Encoding]]


@dataclass(frozen=True)
class Tokenized:
    """A document's wordpieces. windows: of the document. rows: the ids in each window, special ones included.
    align: for each token the positions of its wordpieces in the windows, which are concatenated and padded to the
    longest. cuts: the tokens at which the next window takes over.
    """

    windows: list[Window]
    rows: list[list[int]]
    align: Ragged
    cuts: list[int]


def tokenize(
    encode: EncodeTexts, special: Special, docs: Sequence[Doc], *, window: int, overlap: int
) -> list[Tokenized]:
    """Cut non-empty documents into wordpieces and windows.

    encode: the tokenizer. window, overlap: in wordpieces; `window` includes the special ones.
    """
    before, after = special
    size = window - len(before) - len(after)
    tokenized = []
    for doc, encoding in zip(docs, encode([doc.text for doc in docs]) if docs else [], strict=True):
        ids = encoding.ids
        aligned = align_doc(doc, np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2))
        owners = _owners(aligned, len(ids))
        windows = cut_windows(owners, size=size, overlap=overlap)
        cuts = [int(owners[window.first]) for window in windows[1:]]
        rows = [[*before, *ids[window.start : window.end], *after] for window in windows]
        align = _place(aligned, windows, len(before), max(map(len, rows)))
        tokenized.append(Tokenized(windows, rows, align, cuts))
    return tokenized


def align_doc(doc: Doc, offsets: IntArray) -> list[IntArray]:
    """List for each token the indices of its wordpieces. offsets: (n_wordpieces, 2), characters of the text."""
    starts, lengths = doc.to_array(["IDX", "LENGTH"]).astype(np.int64).T
    return align_wordpieces(starts, starts + lengths, offsets)


def mask_tokens(doc: Tokenized, mask: int | None, share: float) -> list[list[int]]:
    """Return the ids in each window, with a random share of the tokens masked.

    mask: the id of the mask; without one nothing is masked.
    """
    if not share or mask is None:
        return doc.rows
    hidden = np.flatnonzero(np.random.random(len(doc.align.lengths)) < share)
    longest = max(map(len, doc.rows))
    rows = [list(row) for row in doc.rows]
    ends = np.cumsum(doc.align.lengths)
    for token in hidden:
        for position in doc.align.dataXd[ends[token] - doc.align.lengths[token] : ends[token]]:
            rows[position // longest][position % longest] = mask
    return rows


def _owners(aligned: Sequence[IntArray], n_pieces: int) -> IntArray:
    """(n_pieces,) for each wordpiece the first token it belongs to, or the last one before it."""
    owners = np.zeros(n_pieces, dtype=np.int64)
    for token in reversed(range(len(aligned))):
        owners[aligned[token]] = token
    return np.maximum.accumulate(owners)


def _place(aligned: Sequence[IntArray], windows: Sequence[Window], n_before: int, longest: int) -> Ragged:
    """Find the positions of each token's wordpieces among the vectors of all windows."""
    positions = np.concatenate(
        [
            number * longest + n_before + np.arange(window.first, window.last) - window.start
            for number, window in enumerate(windows)
        ]
    )
    lengths = np.fromiter(map(len, aligned), dtype="i", count=len(aligned))
    return Ragged(positions[np.concatenate(aligned)].astype("i"), lengths)
