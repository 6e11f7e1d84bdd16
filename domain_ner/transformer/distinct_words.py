"""Predicts with spaCy's `MultiHashEmbed`, and embeds each distinct word of a batch once.

A word's embedding depends on the word alone; most words of a text occur several times in a batch.
"""

from typing import Any

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d, Ragged

# The layers of `MultiHashEmbed` without static vectors: features, one array of all, its tables, their mix, documents.
EMBED = ["extract_features", "list2ragged", "with_array", "with_array", "ragged2list"]
# Odd numbers: multiplied by them, the features of a word add up to one number that hardly two words share.
FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], dtype=np.uint64)


def predict_vectors(tok2vec: Model[list[Doc], list[Floats2d]], docs: list[Doc]) -> list[Floats2d]:
    """Predict as `tok2vec.predict`, of spaCy's `Tok2Vec.v2`: (n_tokens, width) for each document."""
    if not (tok2vec.has_ref("embed") and tok2vec.has_ref("encode")):
        return tok2vec.predict(docs)  # type: ignore[no-any-return]
    return tok2vec.get_ref("encode").predict(embed_words(tok2vec.get_ref("embed"), docs))  # type: ignore[no-any-return]


def embed_words(embed: Model[list[Doc], list[Floats2d]], docs: list[Doc]) -> list[Floats2d]:
    """Predict as `embed.predict`: (n_tokens, width) for each document. embed: `MultiHashEmbed`; others only predict."""
    if [layer.name.partition("(")[0] for layer in embed.layers] != EMBED or not docs:
        return embed.predict(docs)  # type: ignore[no-any-return]
    extract, _, tables, mix, _ = embed.layers
    features = extract.predict(docs)
    words = embed.ops.xp.concatenate(features)
    distinct = _distinct(words)
    if distinct is None:
        return embed.predict(docs)  # type: ignore[no-any-return]
    first, numbers = distinct
    embedded = mix.predict(tables.predict(Ragged(words[first], embed.ops.asarray1i([len(first)])))).dataXd[numbers]
    return np.split(embedded, np.cumsum([len(array) for array in features])[:-1])


def _distinct(words: Any) -> tuple[Any, Any] | None:
    """The rows of the distinct words, and for each word which one it is; None where they cannot be told apart.

    words: (n_words, n_features) uint64.
    """
    if not isinstance(words, np.ndarray) or words.shape[1] > len(FACTORS):
        return None
    sums = (words * FACTORS[: words.shape[1]]).sum(axis=1, dtype=np.uint64)
    _, first, numbers = np.unique(sums, return_index=True, return_inverse=True)
    return (first, numbers) if np.array_equal(words[first][numbers], words) else None
