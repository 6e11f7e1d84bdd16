"""Draws many samples of a population with known truth, and counts how often the intervals hold it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from _review.populations import Truth
from domain_ner.metrics.design_based import Estimator
from domain_ner.metrics.resampling import SCORE_NAMES
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.metrics.stratified import Population, Reviewed
from domain_ner.reviewing.strata import population_of, sizes_of, strata_of

N_DRAWS = 1000


@dataclass
class Coverage:
    """Of a type and a measure. n_below, n_above: samples whose interval lies above, and below, the truth.

    width: sum of the intervals' widths. n_false: samples that prove more than the truth, at 95 %.
    """

    label: str
    measure: str
    truth: float
    n_predicted: int
    n_below: int = 0
    n_above: int = 0
    width: float = 0.0
    n_false: int = 0

    def add(self, estimator: Estimator) -> None:
        """Count one sample."""
        interval = estimator.estimates()[self.measure].interval
        self.n_below += self.truth < interval.low - 1e-9
        self.n_above += self.truth > interval.high + 1e-9
        self.width += interval.high - interval.low
        self.n_false += estimator.lower_bound(self.measure, 0.95) > self.truth + 1e-9


def cover(truth: Truth, n: int, n_samples: int, *, seed: int, on_sample: Callable[[], None]) -> list[Coverage]:
    """Sample and estimate `n_samples` times, with samples of `n` passages."""
    frame = truth.frame
    strata, names = strata_of(frame, n)
    sizes = sizes_of(frame, strata, n)
    members = [np.flatnonzero(strata == number) for number in range(len(names))]
    every = list(range(len(truth.labels)))
    groups = {ALL_TYPES: every} | {label: [column] for column, label in enumerate(truth.labels)}
    populations: dict[str, Population] = {}
    counted = {}
    found: dict[str, list[Coverage]] = {}
    for label, columns in groups.items():
        populations[label] = population_of(frame, strata, columns)
        counted[label] = truth.counts[:, columns].sum(axis=1)
        correct, predicted, gold = counted[label].sum(axis=0)
        values = (correct / predicted, correct / gold, 2 * correct / (predicted + gold))
        found[label] = [
            Coverage(label, name, value, int(predicted)) for name, value in zip(SCORE_NAMES, values, strict=True)
        ]
    rng = np.random.default_rng(seed)
    for number in range(n_samples):
        rows = np.concatenate(
            [rng.choice(part, size, replace=False) for part, size in zip(members, sizes, strict=True)]
        )
        for label in groups:
            reviewed = Reviewed(strata[rows], counted[label][rows])
            estimator = Estimator(populations[label], reviewed, seed=number, n_draws=N_DRAWS)
            for coverage in found[label]:
                coverage.add(estimator)
        on_sample()
    return [coverage for of_label in found.values() for coverage in of_label]
