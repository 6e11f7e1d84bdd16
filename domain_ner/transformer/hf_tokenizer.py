"""What the pipeline needs of a tokenizer of Hugging Face's transformers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from spacy_transformers.data_classes import WordpieceBatch

from domain_ner.transformer.tokenizing import Encoding, Special, Tokenized


def encode_texts(tokenizer: Any, texts: Sequence[str]) -> list[Encoding]:
    """Cut texts into wordpieces, of any number, without special ones."""
    encoded = tokenizer(
        list(texts),
        add_special_tokens=False,
        return_offsets_mapping=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    return [Encoding(*pair) for pair in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)]


def special_ids(tokenizer: Any) -> Special:
    """Find the special wordpieces that the encoder expects before and after a text."""
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    complete = tokenizer("a")["input_ids"]
    n_before = next(n for n in range(len(complete)) if complete[n : n + len(plain)] == plain)
    return Special(complete[:n_before], complete[n_before + len(plain) :])


def wordpiece_batch(tokenizer: Any, doc: Tokenized) -> WordpieceBatch:
    """Convert to spacy-transformers' WordpieceBatch."""
    lengths = list(map(len, doc.rows))
    ids, mask = np.zeros((len(lengths), max(lengths)), dtype=np.int64), np.zeros((len(lengths), max(lengths)), "f")
    for n, row in enumerate(doc.rows):
        ids[n, : len(row)], mask[n, : len(row)] = row, 1
    strings = [tokenizer.convert_ids_to_tokens(row) for row in doc.rows]
    return WordpieceBatch(strings=strings, input_ids=ids, attention_mask=mask, lengths=lengths, token_type_ids=None)
