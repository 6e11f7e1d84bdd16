"""Estimates error counts of a population from a stratified random sample of its passages. Knows no pipeline.

The population is known but for its errors: how many passages each stratum has, how many of them have predictions, and
how many predictions. Only the errors of the passages outside the sample are unknown. They are drawn many times from
the Pólya posterior of each cell (Ghosh & Meeden 1997, "Bayesian Methods for Finite Population Sampling", chapter 2;
Lo 1988, "A Bayesian bootstrap for a finite population"): whole passages are repeated, so that errors which come
together stay together, and what was reviewed has no variance (finite population correction).

That posterior says nothing of errors that the sample does not hold. As in the intervals of Clopper & Pearson (1934) for
one stratum and of Fay & Feuer (1997) for weighted sums, one passage is therefore added where it weighs most: with an
error for the outer limit, without one for the inner. Intervals take either with probability 1/2, which is the mid-P
interval (Fay & Kim 2017); proofs always take the error.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Cells with fewer reviewed passages are joined with others.
MIN_CELL = 5
# The columns of what the draws add up.
CORRECT, SPURIOUS, MISSED = range(3)
# The probability that the added passage has an error: for mid-P intervals, and for proofs.
MID_P, EXACT = 0.5, 1.0


@dataclass(frozen=True)
class Population:
    """What is known of a type, by stratum: (n_strata,).

    n_passages: all. n_with: those with a prediction of the type. n_predicted: the predictions of the type.
    """

    n_passages: Ints
    n_with: Ints
    n_predicted: Ints


@dataclass(frozen=True)
class Reviewed:
    """The reviewed passages. strata: (n,), their strata. counts: (n, 3), correct, predicted and gold entities."""

    strata: Ints
    counts: Ints


@dataclass(frozen=True)
class Supposed:
    """What the draws suppose.

    adverse: the probability that the added passage has an error. factor: that so many times as many passages had been
    reviewed, with the same shares of errors.
    """

    adverse: float = MID_P
    factor: float = 1.0


@dataclass(frozen=True)
class Cell:
    """Passages that represent others: those of some strata, with a prediction or without one.

    outcomes: (n, 3), correct, spurious and missed of each reviewed passage. weights: (n,), how many each represents.
    n_open, n_open_predictions: passages that were not reviewed, and their predictions.
    """

    outcomes: Ints
    weights: Floats
    n_open: float
    n_open_predictions: float

    @property
    def n(self) -> int:
        """Number of reviewed passages."""
        return len(self.outcomes)

    def joined(self, other: "Cell") -> "Cell":
        """The passages of both."""
        return Cell(
            np.concatenate((self.outcomes, other.outcomes)),
            np.concatenate((self.weights, other.weights)),
            self.n_open + other.n_open,
            self.n_open_predictions + other.n_open_predictions,
        )

    def scaled(self, factor: float) -> "Cell":
        """The cell as if `factor` times as many passages had been reviewed, with the same shares of errors."""
        n_all, grown = self.n_open + self.n, min(self.n * factor, self.n_open + self.n)
        left = (n_all - grown) / self.n_open if self.n_open else 0.0
        return Cell(self.outcomes, self.weights, n_all - grown, self.n_open_predictions * left)


def cells(population: Population, reviewed: Reviewed, *, minimum: int = MIN_CELL) -> list[Cell]:
    """Divide the strata into passages with and without predictions, whose numbers are known (post-stratification).

    Cells with fewer than `minimum` reviewed passages are joined with the next smallest, unless nothing is open in them.
    """
    made = []
    for has_predictions in (True, False):
        parts = [
            cell
            for stratum in range(len(population.n_passages))
            if (cell := _cell(population, reviewed, stratum, has_predictions=has_predictions)) is not None
        ]
        made += [part for part in parts if not part.n_open]
        made += _join_small([part for part in parts if part.n_open], minimum)
    return made


def estimate(of_cells: Sequence[Cell]) -> Floats:
    """Estimate the correct, spurious and missed entities of the population: (3,)."""
    total = np.zeros(3)
    for cell in of_cells:
        total += cell.outcomes.sum(axis=0)
        if cell.n and cell.n_open:
            weights = cell.weights / cell.weights.sum()
            mean = weights @ cell.outcomes
            total += _open(mean[None] * cell.n_open, cell.n_open_predictions)[0]
    return total


def draw(of_cells: Sequence[Cell], rng: np.random.Generator, n: int, supposed: Supposed = Supposed()) -> Floats:
    """Draw correct, spurious and missed entities of the population: (n, 3)."""
    factor = supposed.factor
    total = np.zeros((n, 3))
    opened = [cell.scaled(factor) for cell in of_cells]
    heaviest = {
        SPURIOUS: max(opened, key=lambda cell: cell.n_open_predictions / (cell.n * factor + 1), default=None),
        MISSED: max(opened, key=lambda cell: cell.n_open / (cell.n * factor + 1), default=None),
    }
    for before, cell in zip(of_cells, opened, strict=True):
        share = (before.n_open + before.n - cell.n_open) / before.n if before.n else 0.0
        total += cell.outcomes.sum(axis=0) * share
        if cell.n_open >= 0.5:
            added = [kind for kind, heavy in heaviest.items() if cell is heavy and (kind == MISSED or _predicts(cell))]
            total += _draw_open(cell, rng, n, added, supposed)
    return total


def _cell(population: Population, reviewed: Reviewed, stratum: int, *, has_predictions: bool) -> Cell | None:
    n_with = population.n_with[stratum]
    n_all = int(n_with if has_predictions else population.n_passages[stratum] - n_with)
    if not n_all:
        return None
    chosen = (reviewed.strata == stratum) & ((reviewed.counts[:, 1] > 0) == has_predictions)
    correct, predicted, gold = reviewed.counts[chosen].T
    n = int(chosen.sum())
    n_open_predictions = float(population.n_predicted[stratum] - predicted.sum()) if has_predictions else 0.0
    outcomes = np.stack((correct, predicted - correct, gold - correct), axis=1)
    return Cell(outcomes, np.full(n, n_all / max(n, 1)), float(n_all - n), n_open_predictions)


def _join_small(parts: list[Cell], minimum: int) -> list[Cell]:
    parts = sorted(parts, key=lambda cell: cell.n)
    while len(parts) > 1 and parts[0].n < minimum:
        parts = sorted([parts[0].joined(parts[1]), *parts[2:]], key=lambda cell: cell.n)
    return parts


def _predicts(cell: Cell) -> bool:
    return cell.n_open_predictions > 0


def _draw_open(cell: Cell, rng: np.random.Generator, n: int, added: Sequence[int], supposed: Supposed) -> Floats:
    """Draw the outcomes of the passages that were not reviewed: (n, 3)."""
    kinds, which = np.unique(cell.outcomes, axis=0, return_inverse=True)
    relative = cell.weights / cell.weights.mean() if cell.n else cell.weights
    # They sum to n - 1: with n, the posterior of a small cell varies less than the mean of its passages does.
    scale = supposed.factor * (1 - 1 / max(cell.n * supposed.factor, 2))
    shapes = np.bincount(which.ravel(), weights=relative, minlength=len(kinds)) * scale
    shares, outcomes = [rng.standard_gamma(shapes, (n, len(shapes)))], [kinds.astype(np.float64)]
    for kind in added:
        mass, is_error = rng.standard_exponential(n), rng.random(n) < supposed.adverse
        good, bad = np.zeros(3), np.zeros(3)
        bad[kind] = 1.0
        good[CORRECT] = bad[CORRECT] = float(_predicts(cell))
        bad[CORRECT] -= float(kind == SPURIOUS)
        shares.append(np.stack((mass * ~is_error, mass * is_error), axis=1))
        outcomes.append(np.stack((good, bad)))
    every = np.concatenate(shares, axis=1)
    if not every.shape[1]:  # nothing is known of these passages
        return np.zeros((n, 3))
    drawn = rng.multinomial(round(cell.n_open), every / every.sum(axis=1, keepdims=True))
    return _open(drawn.astype(np.float64) @ np.concatenate(outcomes), cell.n_open_predictions)


def _open(sums: Floats, n_predictions: float) -> Floats:
    """Scale correct and spurious entities to the known number of predictions. sums: (n, 3)."""
    found = sums[:, CORRECT] + sums[:, SPURIOUS]
    share = np.divide(sums[:, CORRECT], found, out=np.full(len(sums), 0.5), where=found > 0)
    return np.stack((n_predictions * share, n_predictions * (1 - share), sums[:, MISSED]), axis=1)
