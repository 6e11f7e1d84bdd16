"""Confidence intervals of scores, and significance tests of differences: bootstrap and permutation over documents.

Intervals are bias-corrected and accelerated (Efron 1987, "Better Bootstrap Confidence Intervals"); a score of 0 or 1
gets Wilson's interval (1927). The test is approximate randomisation (Noreen 1989, "Computer-Intensive Methods for
Testing Hypotheses"), as Yeh (2000) uses it for F1. Several tests are corrected by Holm's method (1979).
Knows no spaCy and no files.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from domain_ner.metrics.scores import Entity

Array = NDArray[np.float64]
N_RESAMPLES = 2000
N_PERMUTATIONS = 5000
# Per tested type: the smallest p, 1 / (n + 1), then stays below 0.005 after Holm's correction.
PERMUTATIONS_A_TYPE = 200
LEVEL = 0.95
MIN_GROUPS = 6
# Resamples per block, to bound memory.
BLOCK = 250
SCORE_NAMES = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Counts:
    """Correct, predicted and gold entities of each document by type. values: (n_docs, 3, n_types)."""

    labels: tuple[str, ...]
    values: Array

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a score, 0..1, or of a difference, -1..1."""

    low: float
    high: float


@dataclass(frozen=True)
class ScoreIntervals:
    """Confidence intervals of precision, recall and F1, by name; None if the data is insufficient.

    by_type: label to the same.
    """

    micro: dict[str, Interval | None]
    macro: dict[str, Interval | None]
    by_type: dict[str, dict[str, Interval | None]]


@dataclass(frozen=True)
class Difference:
    """The gain in F1 of the second system over the first, and the probability of such a gain by chance.

    p_holm: p, corrected for the number of tested types.
    """

    value: float
    interval: Interval | None
    p: float
    p_holm: float


def count(pairs: Iterable[tuple[Iterable[Entity], Iterable[Entity]]], labels: Sequence[str]) -> Counts:
    """Count exact matches. pairs: for each document its gold and its predicted entities. labels: all that occur."""
    column = {label: n for n, label in enumerate(labels)}
    rows = []
    for gold, predicted in pairs:
        row = np.zeros((3, len(labels)))
        gold_set, predicted_set = set(gold), set(predicted)
        for n, entities in enumerate((gold_set & predicted_set, predicted_set, gold_set)):
            for _, _, label in entities:
                row[n, column[label]] += 1
        rows.append(row)
    return Counts(tuple(labels), np.array(rows).reshape(len(rows), 3, len(labels)))


def precision_recall_f1(sums: Array) -> Array:
    """Compute precision, recall and F1; NaN for 0 / 0. sums: (..., 3) correct, predicted, gold -> (..., 3)."""
    correct, predicted, gold = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack((correct / predicted, correct / gold, 2 * correct / (predicted + gold)), axis=-1)


def intervals(counts: Counts, *, n_resamples: int = N_RESAMPLES, level: float = LEVEL, seed: int = 0) -> ScoreIntervals:
    """Compute confidence intervals of the scores on a test set, for a resample of its documents."""
    resampled = np.concatenate([_all_scores(sums) for sums in _resample(counts.values, n_resamples, seed)])
    sums = counts.values.sum(axis=0)
    observed = _all_scores(sums[None])[0]
    left_out = _all_scores(sums - counts.values)
    n_holding = _n_holding(counts.values)
    rows = []
    for n, scores in enumerate(observed):
        rows.append(
            {
                name: _interval(resampled[:, n, k], scores[k], left_out[:, n, k], level)
                or _of_share(scores[k], n_holding[n, k], len(counts), level)
                for k, name in enumerate(SCORE_NAMES)
            }
        )
    return ScoreIntervals(rows[0], rows[1], dict(zip(counts.labels, rows[2:], strict=True)))


def between_groups(counts: Counts, groups: Sequence[str], *, level: float = LEVEL) -> Interval | None:
    """Compute the interval of micro F1 on documents of a new group; None with fewer than MIN_GROUPS.

    groups: of each document, its group: a customer, a project. Documents of one group resemble each other, so they
    carry less information than documents of different groups; and the groups are few. Hence the jackknife that leaves
    out one group at a time (Quenouille 1956, Tukey 1958), with Student's t for one degree of freedom less than groups.
    """
    names = {name: n for n, name in enumerate(dict.fromkeys(groups))}
    if len(names) < MIN_GROUPS:
        return None
    sums = np.zeros((len(names), 3))
    np.add.at(sums, [names[name] for name in groups], counts.values.sum(axis=2))
    total = sums.sum(axis=0)
    observed, left_out = precision_recall_f1(total)[2], precision_recall_f1(total - sums)[:, 2]
    if np.isnan(observed) or np.isnan(left_out).any():
        return None
    n = len(names)
    error = float(np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()))
    margin = _student(n - 1, level) * error
    return Interval(max(0.0, float(observed) - margin), min(1.0, float(observed) + margin))


def _student(freedom: int, level: float) -> float:
    """The two-sided quantile of Student's t at `level`, by Cornish and Fisher's expansion.

    The error is at most 0.02 from 5 degrees of freedom on (Abramowitz & Stegun 1964, 26.7.5).
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def compare(
    first: Counts, second: Counts, *, n_permutations: int = 0, level: float = LEVEL, seed: int = 0
) -> dict[str, Difference]:
    """Compute the difference in F1 of two systems on the same documents, by type, and as "" for micro F1.

    first, second: counts with the same labels and the same documents in the same order. n_permutations: of the test;
    0: enough for significance of one type after the correction for all of them, at least N_PERMUTATIONS.
    """
    n_permutations = n_permutations or max(N_PERMUTATIONS, PERMUTATIONS_A_TYPE * len(first.labels))
    pair = np.stack((_with_micro(first.values), _with_micro(second.values)))  # (2, n_docs, 3, 1 + n_types)
    resampled = _resample(np.concatenate(tuple(pair), axis=1), min(n_permutations, N_PERMUTATIONS), seed)
    spread = np.concatenate([_f1_of(sums[:, 3:]) - _f1_of(sums[:, :3]) for sums in resampled])
    sums = pair.sum(axis=1)
    observed = _f1_of(sums[1]) - _f1_of(sums[0])
    left_out = _f1_of(sums[1] - pair[1]) - _f1_of(sums[0] - pair[0])
    p = _permutation_p(pair, observed, n_permutations, seed)
    corrected = [p[0], *holm(p[1:])]
    return {
        label: Difference(float(observed[n]), _interval(spread[:, n], observed[n], left_out[:, n], level), p[n], p_holm)
        for n, (label, p_holm) in enumerate(zip(("", *first.labels), corrected, strict=True))
    }


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction; the result keeps the order of `p_values`."""
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, n in enumerate(sorted(range(len(p_values)), key=lambda n: p_values[n])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[n]))
        corrected[n] = largest
    return corrected


def _with_micro(values: Array) -> Array:
    return np.concatenate((values.sum(axis=-1, keepdims=True), values), axis=-1)


def _f1_of(sums: Array) -> Array:
    """F1. sums: (..., 3, n) -> (..., n); 0 without predicted and gold entities."""
    return np.nan_to_num(precision_recall_f1(np.moveaxis(sums, -2, -1))[..., 2])


def _all_scores(sums: Array) -> Array:
    """(n, 3, n_types) -> (n, 2 + n_types, 3): micro, macro over the types in gold, and each type."""
    by_type = precision_recall_f1(np.moveaxis(sums, 1, 2))
    micro = precision_recall_f1(sums.sum(axis=2))
    in_gold = (sums[:, 2] > 0)[..., None]
    with np.errstate(invalid="ignore"):
        macro = np.where(in_gold, np.nan_to_num(by_type), 0).sum(axis=1) / in_gold.sum(axis=1)
    return np.concatenate((micro[:, None], macro[:, None], by_type), axis=1)


def _n_holding(values: Array) -> Array:
    """Count the documents behind each score: (n_docs, 3, n_types) -> (2 + n_types, 3), in the order of `_all_scores`.

    Documents and not entities: entities of one document are right or wrong together more often than by chance.
    """
    of_type = values[:, 1:] > 0
    of_all = of_type.any(axis=-1, keepdims=True)
    predicted, gold = np.moveaxis(np.concatenate((of_all, of_all, of_type), axis=-1), 1, 0)
    return np.stack([has_any.sum(axis=0) for has_any in (predicted, gold, predicted | gold)], axis=-1)


def _of_share(observed: float, n: float, n_docs: int, level: float) -> Interval | None:
    """Wilson's interval, for a score of 0 or 1, which no resample of its documents changes."""
    if np.isnan(observed) or n_docs < 2 or observed not in (0, 1):
        return None
    slack = NormalDist().inv_cdf((1 + level) / 2) ** 2
    return Interval(n / (n + slack), 1.0) if observed else Interval(0.0, slack / (n + slack))


def _resample(values: Array, n_resamples: int, seed: int) -> Iterable[Array]:
    """Yield sums over documents drawn with replacement, a block of resamples at a time: (n, …)."""
    rng, n_docs = np.random.default_rng(seed), len(values)
    by_doc = values.reshape(n_docs, -1)
    for start in range(0, n_resamples, BLOCK):
        n = min(BLOCK, n_resamples - start)
        weights = rng.multinomial(n_docs, np.full(n_docs, 1 / n_docs), size=n) if n_docs else np.zeros((n, 0))
        yield (weights.astype(np.float64) @ by_doc).reshape(n, *values.shape[1:])


def _interval(resampled: Array, observed: float, left_out: Array, level: float) -> Interval | None:
    """Compute the interval of one score; None if it does not vary.

    resampled: (n_resamples,). left_out: (n_docs,), each without one document.
    """
    resampled, left_out = (values[~np.isnan(values)] for values in (resampled, left_out))
    if np.isnan(observed) or len(left_out) < 2 or resampled.min() == resampled.max():
        return None
    normal = NormalDist()
    share = (np.count_nonzero(resampled < observed) + np.count_nonzero(resampled == observed) / 2) / len(resampled)
    if not 0 < share < 1:
        return Interval(float(resampled.min()), float(resampled.max()))
    bias = normal.inv_cdf(share)
    deviation = left_out.mean() - left_out
    scale = (deviation**2).sum() ** 1.5
    acceleration = (deviation**3).sum() / (6 * scale) if scale else 0.0
    edges = []
    for z in (normal.inv_cdf((1 - level) / 2), normal.inv_cdf((1 + level) / 2)):
        edges.append(100 * normal.cdf(bias + (bias + z) / (1 - acceleration * (bias + z))))
    low, high = np.percentile(resampled, edges)
    return Interval(float(low), float(high))


def _permutation_p(pair: Array, observed: Array, n_permutations: int, seed: int) -> list[float]:
    """Estimate how often the difference is as large if documents of the two systems are swapped at random."""
    rng, n_docs = np.random.default_rng(seed), pair.shape[1]
    gap = (pair[1] - pair[0]).reshape(n_docs, -1)
    total = pair.sum(axis=(0, 1))
    n_as_large = np.ones(len(observed))
    for start in range(0, n_permutations, BLOCK):
        n = min(BLOCK, n_permutations - start)
        signs = rng.integers(0, 2, size=(n, n_docs)) * 2.0 - 1
        shift = (signs @ gap).reshape(n, *total.shape)
        difference = _f1_of((total + shift) / 2) - _f1_of((total - shift) / 2)
        n_as_large += (np.abs(difference) >= np.abs(observed) - 1e-12).sum(axis=0)
    return [float(p) for p in n_as_large / (n_permutations + 1)]
