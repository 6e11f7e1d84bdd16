"""Tokenizes documents for an encoder: wordpieces, their windows, and their alignment with tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from spacy.tokens import Doc
from spacy_transformers.data_classes import WordpieceBatch
from thinc.types import Ragged

from domain_ner.transformer.alignment import IntArray, align_wordpieces
from domain_ner.transformer.windows import Window, cut_windows


@dataclass(frozen=True)
class Tokenized:
    """A document's wordpieces. strings: in each window. windows: of the document. rows: the ids in each window, special
    ones included. align: for each token the positions of its wordpieces in the windows, which are concatenated and
    padded to the longest. cuts: the tokens at which the next window takes over.
    """

    strings: list[list[str]]
    windows: list[Window]
    rows: list[list[int]]
    align: Ragged
    cuts: list[int]


def tokenize(tokenizer: Any, docs: Sequence[Doc], *, window: int, overlap: int) -> list[Tokenized]:
    """Cut non-empty documents into wordpieces and windows.

    window, overlap: in wordpieces; `window` includes the special ones.
    """
    if not docs:
        return []
    before, after = special_ids(tokenizer)
    size = window - len(before) - len(after)
    encoding = tokenizer(
        [doc.text for doc in docs],
        add_special_tokens=False,
        return_offsets_mapping=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    tokenized = []
    for doc, ids, offsets in zip(docs, encoding["input_ids"], encoding["offset_mapping"], strict=True):
        aligned = align_doc(doc, np.asarray(offsets, dtype=np.int64).reshape(-1, 2))
        owners = _owners(aligned, len(ids))
        windows = cut_windows(owners, size=size, overlap=overlap)
        cuts = [int(owners[window.first]) for window in windows[1:]]
        rows = [[*before, *ids[window.start : window.end], *after] for window in windows]
        strings = [tokenizer.convert_ids_to_tokens(row) for row in rows]
        align = _place(aligned, windows, len(before), max(map(len, rows)))
        tokenized.append(Tokenized(strings, windows, rows, align, cuts))
    return tokenized


def align_doc(doc: Doc, offsets: IntArray) -> list[IntArray]:
    """List for each token the indices of its wordpieces. offsets: (n_wordpieces, 2), characters of the text."""
    starts, lengths = doc.to_array(["IDX", "LENGTH"]).astype(np.int64).T
    return align_wordpieces(starts, starts + lengths, offsets)


def special_ids(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Find the special wordpieces that the encoder expects before and after a text."""
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    complete = tokenizer("a")["input_ids"]
    n_before = next(n for n in range(len(complete)) if complete[n : n + len(plain)] == plain)
    return complete[:n_before], complete[n_before + len(plain) :]


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


def wordpiece_batch(doc: Tokenized) -> WordpieceBatch:
    """Convert to spacy-transformers' WordpieceBatch."""
    lengths = list(map(len, doc.rows))
    ids, mask = np.zeros((len(lengths), max(lengths)), dtype=np.int64), np.zeros((len(lengths), max(lengths)), "f")
    for n, row in enumerate(doc.rows):
        ids[n, : len(row)], mask[n, : len(row)] = row, 1
    return WordpieceBatch(strings=doc.strings, input_ids=ids, attention_mask=mask, lengths=lengths, token_type_ids=None)


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
