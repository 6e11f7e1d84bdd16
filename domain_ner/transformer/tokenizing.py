"""Documents as an encoder reads them: wordpieces, cut into windows, each in its place under the tokens it covers."""

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
    """A document's wordpieces: strings, windows, the ids in each window (special ones included), and of each token the
    places of its wordpieces in the windows, one after the other and each padded to the longest. cuts: the tokens with
    which another window takes over.
    """

    strings: list[list[str]]
    windows: list[Window]
    rows: list[list[int]]
    align: Ragged
    cuts: list[int]


def tokenize(tokenizer: Any, docs: Sequence[Doc], *, window: int, overlap: int) -> list[Tokenized]:
    """Cut each document, none of them empty, into wordpieces and windows.

    window, overlap: wordpieces; a window counts the special ones.
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
    found = []
    for doc, ids, offsets in zip(docs, encoding["input_ids"], encoding["offset_mapping"], strict=True):
        aligned = align_doc(doc, np.asarray(offsets, dtype=np.int64).reshape(-1, 2))
        owners = _owners(aligned, len(ids))
        windows = cut_windows(owners, size=size, overlap=overlap)
        cuts = [int(owners[window.first]) for window in windows[1:]]
        rows = [[*before, *ids[window.start : window.end], *after] for window in windows]
        strings = [tokenizer.convert_ids_to_tokens(row) for row in rows]
        align = _place(aligned, windows, len(before), max(map(len, rows)))
        found.append(Tokenized(strings, windows, rows, align, cuts))
    return found


def align_doc(doc: Doc, offsets: IntArray) -> list[IntArray]:
    """Of each token the numbers of its wordpieces. offsets: (n_wordpieces, 2), characters of the text."""
    starts, lengths = doc.to_array(["IDX", "LENGTH"]).astype(np.int64).T
    return align_wordpieces(starts, starts + lengths, offsets)


def special_ids(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The wordpieces that the encoder expects before and after a text."""
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    n_before = next(n for n in range(len(whole)) if whole[n : n + len(plain)] == plain)
    return whole[:n_before], whole[n_before + len(plain) :]


def masked(one: Tokenized, mask: int | None, share: float) -> list[list[int]]:
    """The ids in each window, with those of a share of the tokens, drawn at random, put out of sight.

    mask: the id that stands for them; without one they stay.
    """
    if not share or mask is None:
        return one.rows
    hidden = np.flatnonzero(np.random.random(len(one.align.lengths)) < share)
    longest = max(map(len, one.rows))
    rows = [list(row) for row in one.rows]
    ends = np.cumsum(one.align.lengths)
    for token in hidden:
        for place in one.align.dataXd[ends[token] - one.align.lengths[token] : ends[token]]:
            rows[place // longest][place % longest] = mask
    return rows


def wordpiece_batch(one: Tokenized) -> WordpieceBatch:
    """As spacy-transformers keeps them."""
    lengths = list(map(len, one.rows))
    ids, mask = np.zeros((len(lengths), max(lengths)), dtype=np.int64), np.zeros((len(lengths), max(lengths)), "f")
    for n, row in enumerate(one.rows):
        ids[n, : len(row)], mask[n, : len(row)] = row, 1
    return WordpieceBatch(strings=one.strings, input_ids=ids, attention_mask=mask, lengths=lengths, token_type_ids=None)


def _owners(aligned: Sequence[IntArray], n_pieces: int) -> IntArray:
    """(n_pieces,) of each wordpiece the first token it belongs to, or the last one before it."""
    owners = np.zeros(n_pieces, dtype=np.int64)
    for token in reversed(range(len(aligned))):
        owners[aligned[token]] = token
    return np.maximum.accumulate(owners)


def _place(aligned: Sequence[IntArray], windows: Sequence[Window], n_before: int, longest: int) -> Ragged:
    """Where the wordpieces of each token stand among all windows' vectors."""
    places = np.concatenate(
        [
            number * longest + n_before + np.arange(window.first, window.last) - window.start
            for number, window in enumerate(windows)
        ]
    )
    lengths = np.fromiter(map(len, aligned), dtype="i", count=len(aligned))
    return Ragged(places[np.concatenate(aligned)].astype("i"), lengths)
