"""Precision, recall and F1 of a population, from a stratified random sample: intervals, proofs, and sizes needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from domain_ner.metrics.resampling import LEVEL, SCORE_NAMES, Interval
from domain_ner.metrics.stratified import (
    CORRECT,
    EXACT,
    MID_P,
    MISSED,
    SPURIOUS,
    Floats,
    Population,
    Reviewed,
    Supposed,
    cells,
    draw,
    estimate,
)

# Of estimates and proofs, and of forecasts.
N_DRAWS, N_FORECAST = 10_000, 1000
# How many times the sample a forecast supposes at most.
MAX_FACTOR = 1024.0
N_HALVINGS = 6


@dataclass(frozen=True)
class Estimate:
    """A measure of the population, 0..1. value: None if it has no denominator; the interval is then 0 to 1."""

    value: float | None
    interval: Interval


class Estimator:
    """The estimates of one type.

    seed, n_draws: of the posterior; the same seed gives the same numbers.
    """

    def __init__(self, population: Population, reviewed: Reviewed, *, seed: int = 0, n_draws: int = N_DRAWS) -> None:
        self._cells = cells(population, reviewed)
        self._n_reviewed = len(reviewed.strata)
        self._n_passages = int(population.n_passages.sum())
        self._seed, self._n_draws = seed, n_draws
        self._drawn: dict[tuple[float, float], Floats] = {}

    def estimates(self, *, level: float = LEVEL, factor: float = 1.0) -> Mapping[str, Estimate]:
        """Estimate precision, recall and F1 with two-sided intervals.

        level: of the intervals. factor: suppose that so many times as many passages had been reviewed, alike.
        """
        values = _scores(estimate(self._cells)[None])[:, 0]
        drawn = self._scores(MID_P, factor)
        return {
            name: _estimate(value, of_name, level)
            for name, value, of_name in zip(SCORE_NAMES, values, drawn, strict=True)
        }

    def lower_bound(self, measure: str, confidence: float, *, factor: float = 1.0) -> float:
        """What the measure is at least, one-sided, 0..1: a bound above the truth has a probability of 1 - confidence.

        Without predictions (or gold entities) it is 0.
        """
        drawn = self._scores(EXACT, factor)[SCORE_NAMES.index(measure)]
        return 0.0 if np.isnan(drawn).any() else float(np.quantile(drawn, 1 - confidence))

    def n_more(self, is_reached: Callable[[float], bool]) -> int | None:
        """Forecast how many more passages are needed, divided among the strata as now; 0: none; None: not foreseeable.

        is_reached: whether the goal is reached with `factor` times as many passages, if they are like the present ones.
        """
        if is_reached(1.0):
            return 0
        low, high = 1.0, 2.0
        while not is_reached(high):
            low, high = high, 2 * high
            if high > MAX_FACTOR:
                return None
        for _ in range(N_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if is_reached(middle) else (middle, high)
        return min(self._n_passages - self._n_reviewed, max(1, round(self._n_reviewed * (high - 1))))

    def _scores(self, adverse: float, factor: float) -> Floats:
        if (adverse, factor) not in self._drawn:
            rng = np.random.default_rng(self._seed)
            n_draws = self._n_draws if factor == 1 else min(N_FORECAST, self._n_draws)
            counts = draw(self._cells, rng, n_draws, Supposed(adverse, factor))
            self._drawn[adverse, factor] = _scores(counts)
        return self._drawn[adverse, factor]


def _scores(counts: Floats) -> Floats:
    """Precision, recall and F1: (n, 3) -> (3, n); NaN for 0 / 0."""
    correct, spurious, missed = counts[:, CORRECT], counts[:, SPURIOUS], counts[:, MISSED]
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = (
            correct / (correct + spurious),
            correct / (correct + missed),
            2 * correct / (2 * correct + spurious + missed),
        )
    return np.stack(scores)


def _estimate(value: float, drawn: Floats, level: float) -> Estimate:
    """Take the interval from the draws. It holds the estimate, which they may lie beside when nearly all is known."""
    if np.isnan(value):
        return Estimate(None, Interval(0.0, 1.0))
    known = drawn[~np.isnan(drawn)]
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2]) if len(known) else (0.0, 1.0)
    return Estimate(float(value), Interval(min(float(low), float(value)), max(float(high), float(value))))
