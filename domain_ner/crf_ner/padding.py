"""Groups documents of similar length and pads them to one batch for the lattice: NumPy arrays, to predict."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Maximum of scores (of a tag at a token) in one batch, padding included: some 200 MB, for any number of types. A
# document with more forms its own batch.
MAX_SCORES = 1 << 22
# So few tokens are not worth another batch, however much of them is padding.
FEW_PADDED = 1 << 12


class Group(NamedTuple):
    """numbers: of the documents. scores: (n_docs, n_tokens, n_tags), padded at the end. transitions: as one vector.
    lengths: (n_docs,). Scores and transitions are float64.
    """

    numbers: list[int]
    scores: NDArray[np.float64]
    transitions: NDArray[np.float64]
    lengths: NDArray[np.int64]


def padded_groups(
    scores: Sequence[NDArray[np.floating]], transitions: NDArray[np.floating], temperature: float = 1.0
) -> Iterator[Group]:
    """Yield scores and transitions, divided by the temperature, of all documents in groups.

    scores: (n_tokens, n_tags) for each document. transitions: as one vector.
    """
    scaled_transitions = np.asarray(transitions, dtype=np.float64) / temperature
    n_tags = len(transitions) // 2
    for numbers in length_groups([len(array) for array in scores], n_tags):
        lengths = np.array([len(scores[n]) for n in numbers])
        padded = np.zeros((len(numbers), lengths.max(), n_tags))
        for row, n in zip(padded, numbers, strict=True):
            row[: len(scores[n])] = scores[n]
        padded /= temperature
        yield Group(numbers, padded, scaled_transitions, lengths)


def length_groups(lengths: Sequence[int], n_tags: int) -> Iterator[list[int]]:
    """Yield groups of document numbers for one batch each; at most half of a large batch is padding."""
    max_padded = MAX_SCORES // n_tags
    group: list[int] = []
    n_tokens = 0
    for n in sorted(range(len(lengths)), key=lambda n: lengths[n], reverse=True):
        padded = lengths[group[0]] * (len(group) + 1) if group else 0
        if padded > max_padded or padded > max(FEW_PADDED, 2 * (n_tokens + lengths[n])):
            yield group
            group, n_tokens = [], 0
        group.append(n)
        n_tokens += lengths[n]
    if group:
        yield group
