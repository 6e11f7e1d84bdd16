"""Tests whether two samples of documents differ: permutation tests of many statistics, corrected for their number.

Documents (passages) are what is permuted, because entities of one document resemble each other. Corrected by the
step-down maxT procedure of Westfall & Young (1993, "Resampling-Based Multiple Testing", algorithm 4.1), which keeps the
family-wise error under any dependence. Statistics of different kinds are made comparable by the cube root of Wilson &
Hilferty (1931). Knows no spaCy and no files.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
N_PERMUTATIONS = 2000
# Numbers in one block of memberships, to bound memory.
MAX_BLOCK = 4_000_000
# Added to each bin of a histogram, so that an empty one is no infinite difference.
PSEUDO_COUNT = 0.5


@dataclass(frozen=True)
class Ratio:
    """A sum over a sum, as entities over tokens. numerator, denominator: columns of the documents' numbers."""

    numerator: int
    denominator: int


@dataclass(frozen=True)
class Histogram:
    """A histogram, compared by the population stability index (PSI). columns: the counts of its bins."""

    columns: tuple[int, ...]


@dataclass(frozen=True)
class Distance:
    """The distance of two mean vectors, each number divided by its standard deviation over all documents.

    columns: of the vector. weight: the column that says whether a document has one.
    """

    columns: tuple[int, ...]
    weight: int


Statistic = Ratio | Histogram | Distance


@dataclass(frozen=True)
class Tested:
    """A statistic on two samples.

    reference, window: its value in each: the ratio; of a histogram the number of what it counts; of vectors the number
    of documents. difference: of the ratios; PSI; the distance. limit: the size of the difference that is reached by
    chance, in any of the statistics, with probability alpha. p: of this statistic alone. p_corrected: for all of them.
    """

    reference: float
    window: float
    difference: float
    limit: float
    p: float
    p_corrected: float


def psi(reference: Array, window: Array) -> Array:
    """The population stability index of histograms. reference, window: (..., n_bins) counts; returns (...)."""
    shares = []
    for counts in (reference, window):
        padded = counts + PSEUDO_COUNT
        shares.append(padded / padded.sum(axis=-1, keepdims=True))
    index: Array = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum(axis=-1)
    return index


@dataclass(frozen=True)
class DriftSettings:
    """How to test. alpha: probability that some statistic exceeds its limit by chance.

    n_draws: permutations, or resamples; p is at least 1 / (n_draws + 1).
    """

    alpha: float = 0.01
    n_draws: int = N_PERMUTATIONS
    seed: int = 0


def compare_documents(
    reference: Array, window: Array, statistics: Sequence[Statistic], testing: DriftSettings = DriftSettings()
) -> list[Tested]:
    """Compare two samples of documents by permutation: who was in which sample is drawn anew.

    reference, window: (n_docs, n_columns) numbers of each document. Returns a result for each statistic.
    """
    rows = np.concatenate([reference, window])
    total = rows.sum(axis=0)

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        members = np.zeros((n, len(rows)))
        order = rng.random((n, len(rows)), dtype=np.float32)
        chosen = np.argpartition(order, len(window) - 1, axis=1)[:, : len(window)]
        np.put_along_axis(members, chosen, 1.0, axis=1)
        sums = members @ rows
        return total - sums, sums

    observed = (reference.sum(axis=0), window.sum(axis=0))
    return _compare(observed, _Draws(draw, len(rows), _scale(rows)), statistics, testing)


def compare_sums(
    reference: Array,
    window: Array,
    n_docs: int,
    statistics: Sequence[Statistic],
    testing: DriftSettings = DriftSettings(),
) -> list[Tested]:
    """Compare with a window of which only sums are known: reference documents are resampled to such windows.

    reference: (n_docs, n_columns). window: (n_columns,) sums over its `n_docs` documents.
    Both samples are drawn with replacement, so that the reference's own sampling error counts too. Less exact than
    `compare_documents`: what makes documents of the window differ from each other is taken from the reference.
    """
    n_reference = len(reference)
    shares = np.full(n_reference, 1 / n_reference)

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        drawn = [rng.multinomial(size, shares, size=n).astype(np.float64) for size in (n_reference, n_docs)]
        return drawn[0] @ reference, drawn[1] @ reference

    observed = (reference.sum(axis=0), window)
    return _compare(observed, _Draws(draw, n_reference, _scale(reference)), statistics, testing)


def contributions(rows: Array, tested: tuple[Array, Array], statistic: Statistic) -> Array:
    """How much each document of a window adds to a difference. rows: (n_docs, n_columns) of the window.

    tested: (n_columns,) sums of the reference and of the window. Returns (n_docs,); the largest explain it best.
    """
    reference, window = tested
    if isinstance(statistic, Histogram):
        columns = list(statistic.columns)
        counts = [sums[columns] + PSEUDO_COUNT for sums in tested]
        excess = np.log(counts[1] / counts[1].sum()) - np.log(counts[0] / counts[0].sum())
        added: Array = rows[:, columns] @ excess
    elif isinstance(statistic, Ratio):
        before, now = (_ratio(sums, statistic) for sums in tested)
        added = np.sign(now - before) * (rows[:, statistic.numerator] - before * rows[:, statistic.denominator])
    else:
        columns = list(statistic.columns)
        means = [sums[columns] / max(sums[statistic.weight], 1.0) for sums in (reference, window)]
        added = (rows[:, columns] - means[0] * rows[:, [statistic.weight]]) @ (means[1] - means[0])
    return added


@dataclass(frozen=True)
class _Draws:
    """draw: returns the sums of so many pairs of samples. n_docs: that a draw looks at. scale: (n_columns,)."""

    draw: Callable[[np.random.Generator, int], tuple[Array, Array]]
    n_docs: int
    scale: Array


def _compare(
    observed: tuple[Array, Array], draws: _Draws, statistics: Sequence[Statistic], testing: DriftSettings
) -> list[Tested]:
    rng, scale = np.random.default_rng(testing.seed), draws.scale
    values = [_values(observed[0][None], observed[1][None], statistics, scale)]
    values += [_values(*draws.draw(rng, n), statistics, scale) for n in _blocks(draws.n_docs, testing.n_draws)]
    roots = np.cbrt(np.concatenate(values))  # (1 + n_draws, n_statistics); the first row is what was observed
    # What was observed counts as a draw too, so that under the null hypothesis all rows are alike.
    mean, deviation = roots.mean(axis=0), roots.std(axis=0)
    varies = deviation > 1e-12
    scores = np.where(varies, (roots - mean) / np.where(varies, deviation, 1.0), 0.0)
    corrected = _step_down(scores)
    most = np.quantile(scores.max(axis=1, initial=0.0), 1 - testing.alpha, method="higher")
    limits = np.maximum(mean + most * deviation, 0.0) ** 3
    alone = (roots >= roots[0] - 1e-12).mean(axis=0)
    return [
        _tested(statistic, observed, float(values[0][0, n]), float(limits[n]), (float(alone[n]), float(corrected[n])))
        for n, statistic in enumerate(statistics)
    ]


def _blocks(n_docs: int, n_draws: int) -> Iterator[int]:
    size = max(1, MAX_BLOCK // max(1, n_docs))
    for start in range(0, n_draws, size):
        yield min(size, n_draws - start)


def _step_down(scores: Array) -> Array:
    """Corrected p of each statistic. scores: (1 + n_draws, n_statistics), comparable; the first row is observed."""
    order = np.argsort(-scores[0], kind="stable")
    of_rest = np.maximum.accumulate(scores[:, order][:, ::-1], axis=1)[:, ::-1]
    p = (of_rest >= of_rest[0] - 1e-12).mean(axis=0)
    corrected = np.empty(len(order))
    corrected[order] = np.maximum.accumulate(p)
    return corrected


def _values(reference: Array, window: Array, statistics: Sequence[Statistic], scale: Array) -> Array:
    """(n, n_statistics) squared differences, PSI and squared distances. reference, window: (n, n_columns) sums."""
    values = np.zeros((len(reference), len(statistics)))
    ratios = [n for n, statistic in enumerate(statistics) if isinstance(statistic, Ratio)]
    up, down = ([getattr(statistics[n], name) for n in ratios] for name in ("numerator", "denominator"))
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = window[:, up] / window[:, down] - reference[:, up] / reference[:, down]
    values[:, ratios] = np.nan_to_num(difference, posinf=0.0, neginf=0.0) ** 2
    for n, statistic in enumerate(statistics):
        if isinstance(statistic, Histogram):
            columns = list(statistic.columns)
            values[:, n] = psi(reference[:, columns], window[:, columns])
        elif isinstance(statistic, Distance):
            columns = list(statistic.columns)
            means = [sums[:, columns] / np.maximum(sums[:, [statistic.weight]], 1) for sums in (reference, window)]
            values[:, n] = (((means[1] - means[0]) / scale[columns]) ** 2).sum(axis=1)
    return values


def _scale(rows: Array) -> Array:
    deviation = rows.std(axis=0)
    scale: Array = np.where(deviation > 1e-12, deviation, 1.0)
    return scale


def _ratio(sums: Array, statistic: Ratio) -> float:
    return float(sums[statistic.numerator] / sums[statistic.denominator]) if sums[statistic.denominator] else 0.0


def _tested(
    statistic: Statistic, observed: tuple[Array, Array], value: float, limit: float, p: tuple[float, float]
) -> Tested:
    if isinstance(statistic, Ratio):
        before, now = (_ratio(sums, statistic) for sums in observed)
        return Tested(before, now, now - before, limit**0.5, *p)
    if isinstance(statistic, Histogram):
        before, now = (float(sums[list(statistic.columns)].sum()) for sums in observed)
        return Tested(before, now, value, limit, *p)
    before, now = (float(sums[statistic.weight]) for sums in observed)
    return Tested(before, now, value**0.5, limit**0.5, *p)
