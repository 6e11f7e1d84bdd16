"""Estimates F1 without labels, from confidences: what a pipeline expects of itself, corrected by a labelled baseline.

The sum of the confidences of reported entities is the number expected to be correct; the sum of the probabilities that
an entity begins at a token, over all tokens, is the number of entities expected in the text. Both are multiplied by
what was true for each that was expected on labelled documents. This is the average confidence of Guillory et al. (2021,
"Predicting with Confidence on Unseen Distributions"), corrected by its error on labelled data, as counts that F1 needs.
It assumes that confidences are as well calibrated as there. Knows no spaCy and no files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Columns of what is known of each document by type: without labels, and with them.
PREDICTED, CONFIDENCE, EXPECTED, CORRECT, GOLD = range(5)
N_KNOWN = 3
# So many entities of all types together count as if they were of each type: corrections of rare types are uncertain.
PRIOR = 10.0
N_RESAMPLES = 1000
LEVEL = 0.95
BLOCK = 100


@dataclass(frozen=True)
class Estimate:
    """An estimated F1, 0..1. low, high: 95 % interval. baseline: F1 on the labelled documents.

    n_predicted: reported entities of the window. expected: entities expected in it, corrected.
    """

    value: float
    low: float
    high: float
    baseline: float
    n_predicted: float
    expected: float


def estimate_f1(
    baseline: Array, window: Array, n_docs: int, labels: Sequence[str], *, seed: int = 0
) -> dict[str, Estimate]:
    """Estimate F1 of a window by type, and as "" over all types.

    baseline: (n_docs, n_types, 5) of labelled documents. window: (n_types, 3) sums over `n_docs` documents.
    The intervals come from the baseline: windows of this size are drawn from it, estimated with another draw, and
    compared with their true F1. They hold for windows that are like the baseline.
    """
    sums = baseline.sum(axis=0)
    value = _f1(sums[None], window[None])[0]
    truth = _true_f1(sums[None])[0]
    errors = np.concatenate(list(_errors(baseline, n_docs, seed)))
    tail = 100 * (1 - LEVEL) / 2
    far, near = np.percentile(errors, [100 - tail, tail], axis=0)
    expected = _corrected(sums[None], window[None], (EXPECTED, GOLD))[0]
    totals = np.concatenate([[expected.sum()], expected])
    predicted = np.concatenate([[window[:, PREDICTED].sum()], window[:, PREDICTED]])
    return {
        label: Estimate(
            float(value[n]),
            float(np.clip(value[n] - far[n], 0, 1)),
            float(np.clip(value[n] - near[n], 0, 1)),
            float(truth[n]),
            float(predicted[n]),
            float(totals[n]),
        )
        for n, label in enumerate(["", *labels])
    }


def _errors(baseline: Array, n_docs: int, seed: int) -> Iterator[Array]:
    """Yield (n, 1 + n_types) estimates minus true F1 of windows drawn from the baseline."""
    rng, flat = np.random.default_rng(seed), baseline.reshape(len(baseline), -1)
    shares = np.full(len(baseline), 1 / len(baseline))
    for start in range(0, N_RESAMPLES, BLOCK):
        n = min(BLOCK, N_RESAMPLES - start)
        drawn = [
            (rng.multinomial(size, shares, size=n).astype(np.float64) @ flat).reshape(n, *baseline.shape[1:])
            for size in (len(baseline), n_docs)
        ]
        yield _f1(drawn[0], drawn[1][..., :N_KNOWN]) - _true_f1(drawn[1])


def _f1(baseline: Array, window: Array) -> Array:
    """(n, 1 + n_types) estimates. baseline: (n, n_types, 5) sums; window: (n, n_types, 3) sums."""
    correct = _corrected(baseline, window, (CONFIDENCE, CORRECT))
    gold = _corrected(baseline, window, (EXPECTED, GOLD))
    predicted = window[..., PREDICTED]
    # No more can be correct than was reported, or than there is.
    correct = np.minimum(correct, np.minimum(predicted, gold))
    return _with_all(correct, predicted, gold)


def _true_f1(sums: Array) -> Array:
    return _with_all(sums[..., CORRECT], sums[..., PREDICTED], sums[..., GOLD])


def _with_all(correct: Array, predicted: Array, gold: Array) -> Array:
    parts = [np.concatenate([part.sum(axis=1, keepdims=True), part], axis=1) for part in (correct, predicted, gold)]
    total = parts[1] + parts[2]
    f1: Array = np.where(total > 0, 2 * parts[0] / np.where(total > 0, total, 1.0), 0.0)
    return f1


def _corrected(baseline: Array, window: Array, columns: tuple[int, int]) -> Array:
    """(n, n_types) what is expected in the window, times what was true for each that was expected."""
    expected, true = columns
    overall = baseline[..., true].sum(axis=1) / np.maximum(baseline[..., expected].sum(axis=1), 1e-9)
    factors = (baseline[..., true] + PRIOR * overall[:, None]) / (baseline[..., expected] + PRIOR)
    corrected: Array = window[..., expected] * factors
    return corrected
