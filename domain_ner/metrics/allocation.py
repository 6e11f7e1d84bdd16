"""Divides a sample among strata. Knows no pipeline.

Neyman (1934): a stratum's share is proportional to its size times the standard deviation of what is estimated. The
expected variance of an entity is p (1 - p), with p its calibrated confidence. Several measures compromise by the mean
of their best shares (Cochran 1977, "Sampling Techniques", section 5A.3), so that rare types have the same say.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain_ner.metrics.stratified import Floats, Ints

# Errors that no confidence shows: the share of the predictions, and of the missed entities per prediction.
UNFORESEEN_SPURIOUS, UNFORESEEN_MISSED = 0.02, 0.05


def shares(n_passages: Ints, n_predicted: Ints, spurious: Floats, missed: Floats) -> Floats:
    """Compute the strata's shares of the sample: (n_strata,), which sum to 1.

    n_passages: (n_strata,). n_predicted: (n_strata, n_types), predictions. spurious, missed: (n_strata, n_types), sums
    of p (1 - p) over predictions, and over what may have been missed.
    """
    predicted = n_predicted.sum(axis=0)
    foreseen = spurious + UNFORESEEN_SPURIOUS * n_predicted
    # Missed where nothing shows it: in any passage alike.
    unseen = UNFORESEEN_MISSED * np.outer(n_passages, predicted) / n_passages.sum()
    deviations = [np.sqrt(n_passages[:, None] * sums) for sums in (foreseen, missed + unseen)]
    best = [deviation[:, predicted > 0] for deviation in deviations]
    wanted = np.concatenate([part / part.sum(axis=0) for part in best], axis=1)
    if not wanted.shape[1]:  # nothing was predicted
        wanted = n_passages[:, None] / n_passages.sum()
    mean: Floats = wanted.mean(axis=1)
    return mean


def allocate(n: int, sizes: Ints, wanted: Floats, least: Sequence[int] | Ints) -> Ints:
    """Divide `n` passages: whole numbers near `wanted * n`, at least `least` and at most `sizes`.

    n: at least the sum of `least`, or all there are. wanted: (n_strata,), sums to 1. The largest remainders round up.
    """
    n = min(n, int(sizes.sum()))
    low = np.minimum(np.asarray(least), sizes)
    fixed = np.full(len(sizes), -1.0)
    while True:
        free = fixed < 0
        rest = n - fixed[~free].sum()
        target = np.where(free, wanted * rest / max(wanted[free].sum(), 1e-300), fixed)
        over, under = free & (target > sizes), free & (target < low)
        # The side with the larger excess is fixed first; fixing both could leave nothing to divide.
        is_over = (target - sizes)[over].sum() >= (low - target)[under].sum()
        chosen, values = (over, sizes) if is_over else (under, low)
        if not chosen.any():
            return _rounded(target, n, sizes)
        fixed = np.where(chosen, values, fixed)


def _rounded(target: Floats, n: int, sizes: Ints) -> Ints:
    whole: NDArray[np.int64] = np.floor(target + 1e-9).astype(np.int64)
    order = np.argsort(-(target - whole), kind="stable")
    for stratum in [*order, *order]:
        if whole.sum() < n and whole[stratum] < sizes[stratum]:
            whole[stratum] += 1
    return whole
