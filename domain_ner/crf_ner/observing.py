"""Notes on documents what `monitor` compares and only the recogniser knows: expected entities, and the mean vector.

Only on request (`CRFRecognizer.is_observed`), in `doc.user_data`. No text is noted.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc

EXPECTED_KEY, VECTOR_KEY = "expected_entities", "mean_vector"
# Numbers of a mean vector.
WIDTH = 16
# The smallest number of expected entities that is noted.
LEAST = 0.001
# Of both.
DIGITS = 3


def note_expected(doc: Doc, labels: Sequence[str], expected: Sequence[float]) -> None:
    """Note the expected number of entities of each type, unless it is tiny. expected: empty for an empty document."""
    doc.user_data[EXPECTED_KEY] = {
        label: round(n, DIGITS) for label, n in zip(labels, expected, strict=False) if n >= LEAST
    }


def note_vectors(docs: Sequence[Doc], vectors: Sequence[NDArray[np.floating]]) -> None:
    """Note the mean vector of each document's tokens, projected to `WIDTH` numbers.

    vectors: (n_tokens, width) for each document.
    """
    if not vectors:
        return
    lengths = np.array([len(array) for array in vectors])
    sums = np.add.reduceat(np.concatenate(vectors), np.cumsum(lengths) - lengths, axis=0)
    means = sums.astype(np.float64) / lengths[:, None]
    projected = np.round(means @ projection(means.shape[1]), DIGITS).tolist()
    for doc, mean in zip(docs, projected, strict=True):
        doc.user_data[VECTOR_KEY] = mean


@cache
def projection(width: int, n: int = WIDTH) -> NDArray[np.float64]:
    """(width, n) random signs, always the same: distances survive (Achlioptas 2003, "Database-friendly random
    projections"), words do not.
    """
    state = np.arange(width * n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # splitmix64
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    signs = 1.0 - 2.0 * (state >> np.uint64(63)).astype(np.float64)
    projected: NDArray[np.float64] = signs.reshape(width, n) / np.sqrt(width)
    return projected
