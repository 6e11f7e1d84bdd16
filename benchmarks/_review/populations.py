"""Made-up populations of passages: what a pipeline finds in each, and what it should find."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain_ner.reviewing.strata import Frame

# Of a type: the share of passages with it, and about the precision and recall to aim at.
TYPES = {
    "common": (0.30, 0.95), "frequent": (0.10, 0.85), "hard": (0.04, 0.65), "rare, good": (0.02, 0.98),
    "rare": (0.01, 0.85), "very rare": (0.005, 0.70),
}  # fmt: skip
# Shares of what is not found: wrong boundaries, which are spurious too; and missed where nothing shows it.
WRONG_EDGES, HIDDEN = 0.3, 0.3


@dataclass(frozen=True)
class Truth:
    """A population. frame: what is found. counts: (n_passages, n_types, 3), correct, predicted and gold entities."""

    labels: list[str]
    frame: Frame
    counts: NDArray[np.int64]


def make_truth(n_passages: int, seed: int) -> Truth:
    """Make passages of two kinds, one harder and richer; errors cluster in passages, confidences are nearly calibrated.

    A quarter of the passages hold most entities of the rarer types and are harder.
    """
    rng = np.random.default_rng(seed)
    shape = (n_passages, len(TYPES))
    counts = np.zeros((*shape, 3), np.int64)
    spurious, missed = np.zeros(shape), np.zeros(shape)
    least, candidate = np.ones(n_passages), np.zeros(n_passages)
    difficulty, is_hard = rng.normal(0, 0.8, n_passages), rng.random(n_passages) < 0.25
    for column, (prevalence, precision) in enumerate(TYPES.values()):
        rate = prevalence * np.where(is_hard, 2.2, 0.6)
        n_of = np.where(rng.random(n_passages) < rate, 1 + rng.poisson(0.7, n_passages), 0)
        rows = np.repeat(np.arange(n_passages), n_of)
        ease = np.log(precision / (1 - precision)) + 0.3 + rng.normal(0, 1, len(rows))
        ease -= difficulty[rows] + 0.6 * is_hard[rows]
        is_found = rng.random(len(rows)) < _logistic(ease)
        fate = rng.random(len(rows))
        has_wrong_edges, is_shown = ~is_found & (fate < WRONG_EDGES), ~is_found & (fate >= WRONG_EDGES + HIDDEN)
        n_noise = rng.poisson(0.8 * is_found.sum() * (1 - precision) / precision)
        weights = np.exp(0.7 * difficulty)
        noise = rng.choice(n_passages, n_noise, p=weights / weights.sum())
        predicted = np.concatenate((rows[is_found | has_wrong_edges], noise))
        sure = _logistic(ease[is_found | has_wrong_edges] + rng.normal(0, 0.6, len(predicted) - n_noise))
        sure = np.clip(np.concatenate((sure, _logistic(rng.normal(0.6, 1, n_noise)))), 0.02, 0.999)
        np.add.at(counts[:, column, 0], rows[is_found], 1)
        np.add.at(counts[:, column, 1], predicted, 1)
        np.add.at(counts[:, column, 2], rows, 1)
        np.add.at(spurious[:, column], predicted, sure * (1 - sure))
        np.minimum.at(least, predicted, sure)
        unreported = np.concatenate((rows[is_shown], np.flatnonzero(rng.random(n_passages) < prevalence / 2)))
        weak = rng.uniform(0.02, 0.5, len(unreported))
        np.add.at(missed[:, column], unreported, weak * (1 - weak))
        np.maximum.at(candidate, unreported, weak)
    return Truth(list(TYPES), Frame(counts[:, :, 1], spurious, missed, least, candidate), counts)


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    value: NDArray[np.float64] = 1 / (1 + np.exp(-x))
    return value
