"""What more data would bring: a power law through the scores of trainings on parts of the data. Knows no pipeline.

The error of a learner falls as floor + scale * n ** -exponent (Hestness et al. 2017, "Deep Learning Scaling is
Predictable, Empirically"). A few trainings fix these three badly, so that none is chosen: all that fit are weighed, by
their likelihood and by what is usual, and the spread of what they predict is the interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# For each exponent, floor and scale follow by weighted least squares; so many draws of them.
EXPONENTS = np.geomspace(0.05, 2.0, 200)
N_EACH = 200
# What is usual: an exponent of 0.4, give or take a factor of 2.
USUAL_EXPONENT, SPREAD = 0.4, np.log(2)
# Noise between trainings before any is seen: a standard deviation of 1 point of F1, worth as much as 3 trainings.
USUAL_NOISE, NOISE_WEIGHT = 0.01, 3.0
# The fewer the passages, the more it matters which they are: the variance falls with the root of their number.
NOISE_EXPONENT = 0.5
N_DRAWS = 4000
# Log-weight of draws that are no law (a floor below 0, scores that fall): used where there is no other.
FORBIDDEN = 50.0
LEVEL = 0.95
MIN_SIZES = 3
# Below this F1 nothing was learned yet: there the law does not hold.
MIN_F1 = 0.02


class Trained(NamedTuple):
    """A training: how many passages, and the F1 it reached; 0..1."""

    n_passages: int
    f1: float


class Expected(NamedTuple):
    """F1 that is to be expected, with its 95 % interval; 0..1."""

    f1: float
    low: float
    high: float


class Reached(NamedTuple):
    """Passages at which an F1 is expected, with the 95 % interval; None: more than was looked at, or never."""

    n_passages: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Curve:
    """Draws from all the power laws that fit. floor, scale, exponent: (n_draws,), with n in shares of `n_passages`.

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

    def expect(self, n_passages: int) -> Expected:
        """The F1 that a law says, without the luck of a single training."""
        return _summary(self.f1(n_passages))

    def expect_measured(self, n_passages: int, n_trainings: int = 1) -> Expected:
        """The F1 that so many trainings will show on average, their luck included."""
        spread = self.noise * _noise(n_passages / self.n_passages) / np.sqrt(n_trainings)
        return _summary(self.f1(n_passages) + spread * np.random.default_rng(1).standard_normal(len(spread)))

    def gain(self, n_more: int) -> Expected:
        """The F1 that so many more passages bring; also as a difference in 0..1."""
        return _summary(self.f1(self.n_passages + n_more) - self.f1(self.n_passages), lowest=0.0)

    def reaches(self, f1: float, *, at_most: int) -> Reached:
        """When an F1 is expected. at_most: passages beyond which nobody should believe an extrapolation."""
        sizes = np.unique(np.geomspace(1, at_most, 400).astype(int))
        curves = np.stack([self.f1(size) for size in sizes.tolist()])
        quantiles = np.quantile(curves, [0.5, (1 + LEVEL) / 2, (1 - LEVEL) / 2], axis=1)
        found = [sizes[values >= f1] for values in quantiles]
        return Reached(*(int(some[0]) if len(some) else None for some in found))


def fit(trained: Sequence[Trained], *, seed: int = 0) -> Curve | None:
    """The curve through trainings on parts of the data; None with fewer than three sizes.

    seed: of the draws.
    """
    sizes = np.array([one.n_passages for one in trained], dtype=float)
    errors = 1 - np.array([one.f1 for one in trained], dtype=float)
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
    drawn = rng.choice(len(chances), size=N_DRAWS, p=chances / chances.sum())
    floor, scale, exponents, noise = np.concatenate(draws, axis=1)[:, drawn]
    return Curve(int(largest), np.clip(floor, 0, 1), np.maximum(scale, 0), exponents, noise)


class _Line(NamedTuple):
    """A weighted regression: best (2,) intercept and slope, root (2, 2) of their covariance for a noise of 1, and the
    weighted sum of squares that is left.
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
    """The standard deviation of a training on a share of the data, in that of one on all of it."""
    return np.asarray(share, dtype=float) ** (-NOISE_EXPONENT / 2)


def _summary(values: Floats, *, lowest: float = 0.0) -> Expected:
    low, middle, high = np.quantile(np.clip(values, lowest, 1.0), [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return Expected(float(middle), float(low), float(high))
