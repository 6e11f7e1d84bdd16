"""Cuts documents into wordpieces and windows, and aligns wordpieces with tokens. Knows no encoder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from spacy.tokens import Doc
from thinc.types import Ragged

from domain_ner.transformer.alignment import IntArray, align_ragged, align_wordpieces
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
    size = window - len(special.before) - len(special.after)
    encodings = encode([doc.text for doc in docs]) if docs else []
    return [
        _cut(doc, encoding, special, size=size, overlap=overlap) for doc, encoding in zip(docs, encodings, strict=True)
    ]


def _cut(doc: Doc, encoding: Encoding, special: Special, *, size: int, overlap: int) -> Tokenized:
    ids = encoding.ids
    pieces, lengths = align_ragged(*token_edges(doc), np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2))
    if len(ids) <= size:
        row = [*special.before, *ids, *special.after]
        return Tokenized([Window(0, len(ids), 0, len(ids))], [row], _ragged(pieces + len(special.before), lengths), [])
    owners = _owners(pieces, lengths, len(ids))
    windows = cut_windows(owners, size=size, overlap=overlap)
    rows = [[*special.before, *ids[window.start : window.end], *special.after] for window in windows]
    places = _places(windows, len(special.before), max(map(len, rows)))
    cuts = [int(owners[window.first]) for window in windows[1:]]
    return Tokenized(windows, rows, _ragged(places[pieces], lengths), cuts)


def token_edges(doc: Doc) -> tuple[IntArray, IntArray]:
    """(n_tokens,) starts and ends of a document's tokens, in characters."""
    starts, lengths = doc.to_array(["IDX", "LENGTH"]).astype(np.int64).T
    return starts, starts + lengths


def align_doc(doc: Doc, offsets: IntArray) -> list[IntArray]:
    """List for each token the indices of its wordpieces. offsets: (n_wordpieces, 2), characters of the text."""
    return align_wordpieces(*token_edges(doc), offsets)


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


def _owners(pieces: IntArray, lengths: IntArray, n_pieces: int) -> IntArray:
    """(n_pieces,) for each wordpiece the first token it belongs to, or the last one before it."""
    owners = np.zeros(n_pieces, dtype=np.int64)
    owners[pieces[::-1]] = np.repeat(np.arange(len(lengths)), lengths)[::-1]  # the first token is written last
    return np.maximum.accumulate(owners)


def _places(windows: Sequence[Window], n_before: int, longest: int) -> IntArray:
    """(n_pieces,) the place of each wordpiece among the vectors of all windows, padded to the longest."""
    return np.concatenate(
        [
            number * longest + n_before + np.arange(window.first, window.last) - window.start
            for number, window in enumerate(windows)
        ]
    )


def _ragged(places: IntArray, lengths: IntArray) -> Ragged:
    return Ragged(places.astype("i"), lengths.astype("i"))
