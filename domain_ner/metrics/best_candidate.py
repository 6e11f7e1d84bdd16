"""Tests whether the best of several candidates beats the current choice, although it was chosen by its score.

The test permutes documents and selects the best candidate anew each time (Westfall & Young 1993, "Resampling-Based
Multiple Testing"), so selection among many candidates does not create significance. The gain is estimated on documents
that had no part in the selection (cross-fitting). Knows no spaCy and no files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain_ner.metrics.resampling import N_PERMUTATIONS, Counts, Interval, compare

Array = NDArray[np.float64]
ALPHA = 0.05
N_FOLDS = 5
# Fewer groups of documents cannot show a significant gain.
MIN_UNITS = 6
# Permutations per block, to bound memory.
BLOCK = 250


@dataclass(frozen=True)
class Choice:
    """The candidate with the best F1, and whether to take it.

    best: its index. value: its F1, 0..1. gain: in F1, on documents that had no part in the choice, with its 95 %
    interval (None if there is too little data). p: probability that the best candidate gains as much by chance.
    n_units: number of permuted documents or groups of documents.
    """

    best: int
    value: float
    gain: float
    interval: Interval | None
    p: float
    n_units: int

    @property
    def is_better(self) -> bool:
        """Whether the gain is significant."""
        return self.p < ALPHA and self.gain > 0


def sum_by_group(counts: Array, groups: Sequence[str]) -> Array:
    """Sum counts by group if there are enough groups; else return them unchanged.

    counts: (..., n_docs, 3). groups: of each document; a document with an empty one forms its own group.
    """
    names = {name: n for n, name in enumerate(dict.fromkeys(_named(groups)))}
    if len(names) < MIN_UNITS:
        return counts
    summed = np.zeros((*counts.shape[:-2], len(names), 3))
    for n, name in enumerate(_named(groups)):
        summed[..., names[name], :] += counts[..., n, :]
    return summed


def _named(groups: Sequence[str]) -> list[tuple[str, int]]:
    return [(name, 0) if name else ("", n) for n, name in enumerate(groups)]


def choose(in_use: Array, candidates: Array, *, n_permutations: int = N_PERMUTATIONS, seed: int = 0) -> Choice:
    """Compare the best candidate by micro F1 with the current choice.

    in_use: (n_units, 3) correct, predicted and gold entities of each document or group. candidates: (n_candidates,
    n_units, 3), the same for each candidate, at least one. seed: of folds and permutations.
    """
    f1_of_each = _f1(candidates.sum(axis=1))
    held_out = _cross_fit(candidates, seed)
    pair = (Counts(("",), values[:, :, None]) for values in (in_use, held_out))
    difference = compare(*pair, seed=seed)[""]
    best = int(f1_of_each.argmax())
    p = _max_p(in_use, candidates, n_permutations, seed)
    return Choice(best, float(f1_of_each[best]), difference.value, difference.interval, p, len(in_use))


def _cross_fit(candidates: Array, seed: int) -> Array:
    """Compute (n_units, 3) counts of each unit under the candidate that is best on the other folds."""
    n_units = candidates.shape[1]
    fold = np.random.default_rng(seed).permutation(n_units) % min(N_FOLDS, max(n_units, 1))
    cross_fitted = np.zeros((n_units, 3))
    for number in range(fold.max(initial=-1) + 1):
        is_held_out = fold == number
        cross_fitted[is_held_out] = candidates[_f1(candidates[:, ~is_held_out].sum(axis=1)).argmax()][is_held_out]
    return cross_fitted


def _max_p(in_use: Array, candidates: Array, n_permutations: int, seed: int) -> float:
    """Estimate how often the best candidate gains as much if documents of both are swapped at random."""
    rng, n_units = np.random.default_rng(seed), len(in_use)
    gap = np.moveaxis(candidates - in_use, 1, 0).reshape(n_units, -1)
    total = (candidates + in_use).sum(axis=1)
    observed = (_f1(candidates.sum(axis=1)) - _f1(in_use.sum(axis=0))).max()
    n_as_large = 1
    for start in range(0, n_permutations, BLOCK):
        n = min(BLOCK, n_permutations - start)
        signs = rng.integers(0, 2, size=(n, n_units)) * 2.0 - 1
        shift = (signs @ gap).reshape(n, *total.shape)
        gains = _f1((total + shift) / 2) - _f1((total - shift) / 2)
        n_as_large += int((gains.max(axis=1) >= observed - 1e-12).sum())
    return n_as_large / (n_permutations + 1)


def _f1(sums: Array) -> Array:
    """(..., 3) -> (...): 0 if there are no predicted and no gold entities."""
    total = sums[..., 1] + sums[..., 2]
    f1: Array = np.divide(2 * sums[..., 0], total, out=np.zeros_like(total), where=total > 0)
    return f1
