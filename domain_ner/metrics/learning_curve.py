"""Extrapolates a learning curve: fits a power law to the scores of trainings on parts of the data.

The error of a learner falls as floor + scale * n ** -exponent (Hestness et al. 2017, "Deep Learning Scaling is
Predictable, Empirically"). A few trainings determine these three parameters poorly. So all curves that fit are
weighted by their likelihood and a prior; the spread of their predictions is the interval. Knows no pipeline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# For each exponent, floor and scale follow by weighted least squares; number of draws of both.
EXPONENTS = np.geomspace(0.05, 2.0, 200)
N_EACH = 200
# The prior: an exponent of 0.4, within a factor of 2.
USUAL_EXPONENT, SPREAD = 0.4, np.log(2)
# Prior noise between trainings: a standard deviation of 1 point of F1, weighted like 3 trainings.
USUAL_NOISE, NOISE_WEIGHT = 0.01, 3.0
# Small samples vary more: the variance falls with the square root of the number of passages.
NOISE_EXPONENT = 0.5
N_DRAWS = 4000
# Penalty in log-weight for invalid draws (a floor below 0, rising error): they count only if there are no valid ones.
FORBIDDEN = 50.0
LEVEL = 0.95
MIN_SIZES = 3
# Below this F1 the model has learned nothing, and the law does not hold.
MIN_F1 = 0.02


class TrainingScore(NamedTuple):
    """A training: its number of passages, and its F1; 0..1."""

    n_passages: int
    f1: float


class ExpectedScore(NamedTuple):
    """Expected F1, with its 95 % interval; 0..1."""

    f1: float
    low: float
    high: float


class RequiredSize(NamedTuple):
    """The number of passages needed for an F1, with the 95 % interval; None: beyond the range, or never."""

    n_passages: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Curve:
    """Draws of power laws that fit. floor, scale, exponent: (n_draws,), with n relative to `n_passages`.

    noise: (n_draws,) standard deviation of one training at that size.
    """

    n_passages: int
    floor: Floats
    scale: Floats
    exponent: Floats
    noise: Floats

    def f1(self, n_passages: float) -> Floats:
        """(n_draws,) F1 at a size, without noise."""
        return 1 - self.floor - self.scale * (n_passages / self.n_passages) ** -self.exponent

    def expect(self, n_passages: int) -> ExpectedScore:
        """Predict the F1 at a size, without the noise of a single training."""
        return _summary(self.f1(n_passages))

    def expect_measured(self, n_passages: int, n_trainings: int = 1) -> ExpectedScore:
        """Predict the mean F1 of some trainings, including their noise."""
        spread = self.noise * _noise(n_passages / self.n_passages) / np.sqrt(n_trainings)
        return _summary(self.f1(n_passages) + spread * np.random.default_rng(1).standard_normal(len(spread)))

    def gain(self, n_more: int) -> ExpectedScore:
        """Predict the gain in F1 (0..1) from additional passages."""
        return _summary(self.f1(self.n_passages + n_more) - self.f1(self.n_passages), lowest=0.0)

    def reaches(self, f1: float, *, at_most: int) -> RequiredSize:
        """Find the size at which an F1 is expected. at_most: the largest size to extrapolate to, in passages."""
        sizes = np.unique(np.geomspace(1, at_most, 400).astype(int))
        curves = np.stack([self.f1(size) for size in sizes.tolist()])
        quantiles = np.quantile(curves, [0.5, (1 + LEVEL) / 2, (1 - LEVEL) / 2], axis=1)
        reached = [sizes[values >= f1] for values in quantiles]
        return RequiredSize(*(int(sizes_at_f1[0]) if len(sizes_at_f1) else None for sizes_at_f1 in reached))


def fit(trained: Sequence[TrainingScore], *, seed: int = 0) -> Curve | None:
    """Fit the curve to trainings on parts of the data; None with fewer than three sizes.

    seed: of the draws.
    """
    sizes = np.array([training.n_passages for training in trained], dtype=float)
    errors = 1 - np.array([training.f1 for training in trained], dtype=float)
    learned = [size for size in set(sizes) if errors[sizes == size].mean() < 1 - MIN_F1]
    if len(learned) >= MIN_SIZES:
        is_kept = np.isin(sizes, learned)
        sizes, errors = sizes[is_kept], errors[is_kept]
    if len(set(sizes)) < MIN_SIZES:
        return None
    largest, degrees = sizes.max(), len(sizes) - 2 + NOISE_WEIGHT
    rng = np.random.default_rng(seed)
    draws, log_weights = [], []
    for exponent in EXPONENTS:
        line = _regress((sizes / largest) ** -exponent, errors, 1 / _noise(sizes / largest) ** 2)
        squares = line.squares + NOISE_WEIGHT * USUAL_NOISE**2
        noise = np.sqrt(squares / rng.chisquare(degrees, size=N_EACH))
        floor, scale = line.best[:, None] + noise * (line.root @ rng.standard_normal((2, N_EACH)))
        draws.append(np.stack([floor, scale, np.full(N_EACH, exponent), noise]))
        usual = -((np.log(exponent / USUAL_EXPONENT) / SPREAD) ** 2) / 2
        log_weight = usual - degrees / 2 * np.log(squares) + np.log(np.abs(np.linalg.det(line.root)))
        is_law = (floor >= 0) & (floor <= 1) & (scale >= 0)
        log_weights.append(np.where(is_law, log_weight, log_weight - FORBIDDEN))
    chances = np.exp(np.concatenate(log_weights) - np.max(log_weights))
    selected = rng.choice(len(chances), size=N_DRAWS, p=chances / chances.sum())
    floor, scale, exponents, noise = np.concatenate(draws, axis=1)[:, selected]
    return Curve(int(largest), np.clip(floor, 0, 1), np.maximum(scale, 0), exponents, noise)


class _Line(NamedTuple):
    """A weighted regression: best (2,) intercept and slope, root (2, 2) of their covariance for a noise of 1, and the
    weighted sum of squared residuals.
    """

    best: Floats
    root: Floats
    squares: float


def _regress(x: Floats, y: Floats, weights: Floats) -> _Line:
    design = np.stack([np.ones_like(x), x], axis=1)
    covariance = np.linalg.inv(design.T @ (weights[:, None] * design))
    best = covariance @ design.T @ (weights * y)
    return _Line(best, np.linalg.cholesky(covariance), float((weights * (y - design @ best) ** 2).sum()))


def _noise(share: float | Floats) -> Floats:
    """Standard deviation of a training on a share of the data, relative to one on all data."""
    return np.asarray(share, dtype=float) ** (-NOISE_EXPONENT / 2)


def _summary(values: Floats, *, lowest: float = 0.0) -> ExpectedScore:
    low, middle, high = np.quantile(np.clip(values, lowest, 1.0), [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return ExpectedScore(float(middle), float(low), float(high))
