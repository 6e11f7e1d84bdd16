"""Is the best of several candidates better than what is in use, by more than luck, though it was chosen by its score?

The test permutes documents and takes the best candidate anew each time (Westfall & Young 1993, "Resampling-Based
Multiple Testing"), so that having chosen among many makes no gain significant. How large the gain is, is told by
documents that had no part in the choice (cross-fitting). Knows no spaCy and no files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain_ner.metrics.resampling import N_PERMUTATIONS, Counts, Interval, compare

Array = NDArray[np.float64]
ALPHA = 0.05
N_FOLDS = 5
# Groups of documents say something from so many on: with fewer no gain could be significant.
MIN_UNITS = 6
# Permutations that are taken at a time, to bound memory.
BLOCK = 250


@dataclass(frozen=True)
class Choice:
    """The candidate with the best F1, and whether to take it.

    best: its number. value: its F1, 0..1. gain: in F1, on documents that had no part in the choice, with its 95 %
    interval (None where there is too little to tell). p: of as large a gain of the best candidate by luck alone.
    n_units: how many documents or groups of documents were permuted.
    """

    best: int
    value: float
    gain: float
    interval: Interval | None
    p: float
    n_units: int

    @property
    def is_better(self) -> bool:
        """Whether the gain is more than luck."""
        return self.p < ALPHA and self.gain > 0


def by_unit(counts: Array, groups: Sequence[str]) -> Array:
    """Counts summed by group, where there are groups enough; else as they are.

    counts: (..., n_docs, 3). groups: of each document; empty: it has none, and stands for itself.
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
    """Compare the best of the candidates by micro F1 with what is in use.

    in_use: (n_units, 3) correct, predicted and gold entities of each document or group. candidates: (n_candidates,
    n_units, 3), the same of each candidate, at least one. seed: of folds and permutations.
    """
    of_all = _f1(candidates.sum(axis=1))
    held_out = _cross_fit(candidates, seed)
    pair = (Counts(("",), some[:, :, None]) for some in (in_use, held_out))
    difference = compare(*pair, seed=seed)[""]
    best = int(of_all.argmax())
    p = _max_p(in_use, candidates, n_permutations, seed)
    return Choice(best, float(of_all[best]), difference.value, difference.interval, p, len(in_use))


def _cross_fit(candidates: Array, seed: int) -> Array:
    """(n_units, 3) counts of each unit under the candidate that is best on the other folds."""
    n_units = candidates.shape[1]
    fold = np.random.default_rng(seed).permutation(n_units) % min(N_FOLDS, max(n_units, 1))
    found = np.zeros((n_units, 3))
    for number in range(fold.max(initial=-1) + 1):
        held = fold == number
        found[held] = candidates[_f1(candidates[:, ~held].sum(axis=1)).argmax()][held]
    return found


def _max_p(in_use: Array, candidates: Array, n_permutations: int, seed: int) -> float:
    """How often the best candidate has as large a gain when its documents and those in use are swapped at random."""
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
    """(..., 3) -> (...): 0 where nothing is predicted and nothing is there."""
    total = sums[..., 1] + sums[..., 2]
    f1: Array = np.divide(2 * sums[..., 0], total, out=np.zeros_like(total), where=total > 0)
    return f1
