"""Measures calibration (is a confidence of 0.8 right in 80 % of cases?), fits temperatures and chooses thresholds.

Temperature scaling and the expected calibration error follow Guo et al. (2017), "On Calibration of Modern Neural
Networks"; the lower bound of a proportion is Wilson's (1927). Knows no pipeline.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from math import ceil, exp, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_BINS = 10
# A type with fewer scored predictions gets the temperature of all types together.
MIN_SCORED = 30
# One-sided 90 %: the true precision lies below the bound with 10 % probability.
Z = 1.2816
# The search for a threshold starts with START_FACTOR times as many top predictions as the bound needs if all of them
# are correct: with fewer, a single mistake would end it.
START_FACTOR = 1.5
# No estimate is made from fewer predictions.
MIN_CONFIDENT = 10
LOG_TEMPERATURES = (-2.0, 3.0)
# Tolerance of the search for the logarithm of the temperature.
TOLERANCE = 1e-3


class ScoredSpan(NamedTuple):
    """A predicted entity: its type, its confidence in 0..1, and whether gold contains it."""

    label: str
    confidence: float
    is_correct: bool


@dataclass(frozen=True)
class Bin:
    """Predictions with confidences from `low` to `high`: number, mean confidence, and share of correct ones."""

    low: float
    high: float
    n: int
    confidence: float
    precision: float


@dataclass(frozen=True)
class Threshold:
    """The minimum confidence to report, and the scores at it on the data it was chosen on.

    n: number of reported predictions. precision_bound: the true precision is at least this with 90 % probability.
    is_reached: whether the required precision is possible; else nothing of the type is reported (confidence 1), and
    the scores are those of the strictest tested threshold.
    """

    confidence: float
    n: int
    precision: float
    precision_bound: float
    recall: float
    is_reached: bool


REPORT_NOTHING = Threshold(1.0, 0, 0.0, 0.0, 0.0, is_reached=False)


def reliability(scored: Sequence[ScoredSpan], n_bins: int = N_BINS) -> list[Bin]:
    """Compute bins of equal width, without the empty ones."""
    confidence = np.array([span.confidence for span in scored])
    is_correct = np.array([span.is_correct for span in scored], dtype=float)
    bin_numbers = _bin_numbers(confidence, n_bins)
    bins = []
    for number in sorted(set(bin_numbers.tolist())):
        within = bin_numbers == number
        statistics = int(within.sum()), float(confidence[within].mean()), float(is_correct[within].mean())
        bins.append(Bin(number / n_bins, (number + 1) / n_bins, *statistics))
    return bins


def calibration_error(scored: Sequence[ScoredSpan], n_bins: int = N_BINS) -> float:
    """The expected calibration error: mean distance of confidence and precision, weighted by predictions; 0..1."""
    bins = reliability(scored, n_bins)
    return sum(each.n * abs(each.confidence - each.precision) for each in bins) / len(scored) if scored else 0.0


def chance_error(scored: Sequence[ScoredSpan], n_bins: int = N_BINS) -> float:
    """The calibration error to expect by chance from perfect confidences on so few predictions; 0..1.

    Normal approximation to a sum of Bernoulli variables: the mean absolute deviation in each bin.
    """
    confidence = np.array([span.confidence for span in scored])
    variance = np.bincount(_bin_numbers(confidence, n_bins), confidence * (1 - confidence), n_bins)
    return float(np.sqrt(2 / pi * variance).sum()) / len(scored) if scored else 0.0


def _bin_numbers(confidence: NDArray[np.float64], n_bins: int) -> NDArray[np.int64]:
    return np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)


def fit_temperature(loss: Callable[[float], float]) -> float:
    """Find the temperature with minimal loss by golden-section search. loss: of a temperature, with one minimum."""
    ratio = (sqrt(5) - 1) / 2
    low, high = LOG_TEMPERATURES
    inner = [high - ratio * (high - low), low + ratio * (high - low)]
    losses = [loss(exp(point)) for point in inner]
    while high - low > TOLERANCE:
        if losses[0] <= losses[1]:
            high, inner[1], losses[1] = inner[1], inner[0], losses[0]
            inner[0] = high - ratio * (high - low)
            losses[0] = loss(exp(inner[0]))
        else:
            low, inner[0], losses[0] = inner[0], inner[1], losses[1]
            inner[1] = low + ratio * (high - low)
            losses[1] = loss(exp(inner[1]))
    return exp((low + high) / 2)


def fit_type_temperatures(log_odds: Sequence[float], scored: Sequence[ScoredSpan]) -> dict[str, float]:
    """Fit by type the divisor of the log-odds; types with few predictions get that of all types together.

    log_odds: (n_scored,), uncalibrated. Targets are slightly below 1 and above 0, as in Platt (1999), so that no type
    gets a confidence of 1 because all its predictions were correct.
    """
    if len(scored) < MIN_SCORED:
        return {}
    odds, is_correct = np.array(log_odds), np.array([span.is_correct for span in scored])
    labels = np.array([span.label for span in scored])

    def fit(chosen: NDArray[np.bool_]) -> float:
        n_correct = is_correct[chosen].sum()
        n_wrong = chosen.sum() - n_correct
        target = np.where(is_correct[chosen], (n_correct + 1) / (n_correct + 2), 1 / (n_wrong + 2))

        def loss(temperature: float) -> float:
            scaled = odds[chosen] / temperature
            return float((np.logaddexp(0, scaled) - target * scaled).mean())

        return fit_temperature(loss)

    overall = fit(np.ones(len(scored), dtype=bool))
    temperatures = {}
    for label in sorted(set(labels.tolist())):
        chosen = labels == label
        is_enough = chosen.sum() >= MIN_SCORED and len(set(is_correct[chosen].tolist())) > 1
        temperatures[label] = fit(chosen) if is_enough else overall
    return temperatures


def threshold_for_precision(scored: Sequence[ScoredSpan], n_gold: int, precision: float) -> Threshold:
    """Find a low confidence above which the precision reaches `precision` with 90 % probability.

    scored: of one type. n_gold: how many there are in gold. precision: 0..1.
    Thresholds are tested in a fixed sequence, from strict to lax, as long as the bound holds. The guarantee therefore
    holds despite the choice among many: fixed sequence testing, Angelopoulos et al. (2021), "Learn then Test".
    """
    candidates = thresholds(scored, n_gold)
    if not candidates:
        return REPORT_NOTHING
    enough = min(len(scored), _n_enough(precision) if precision < 1 else len(scored))
    tested = [threshold for threshold in candidates if threshold.n >= enough]
    passed = list(takewhile(lambda threshold: threshold.precision_bound >= precision, tested))
    if passed:
        return passed[-1]
    return replace(tested[0], confidence=REPORT_NOTHING.confidence, is_reached=False)


def _n_enough(precision: float) -> float:
    return START_FACTOR * Z * Z * precision / (1 - precision)


def highest_guaranteed_precision(scored: Sequence[ScoredSpan], n_gold: int) -> float:
    """Find the highest precision that `threshold_for_precision` can guarantee for a type, in whole per cent; 0..1."""
    promises = (percent / 100 for percent in range(99, 0, -1))
    return next((promise for promise in promises if threshold_for_precision(scored, n_gold, promise).is_reached), 0.0)


def needed_entities(scored: Sequence[ScoredSpan], n_gold: int, precision: float) -> int | None:
    """Estimate how many entities of a type are needed to guarantee a precision, at the present quality.

    Returns None if the most confident predictions, MIN_CONFIDENT or more, are not precise enough.
    scored, n_gold, precision: as in `threshold_for_precision`, whose bound (Wilson's) is solved for the number of
    predictions.
    """
    needed = []
    for threshold in thresholds(scored, n_gold):
        if threshold.n >= MIN_CONFIDENT and threshold.precision > precision:
            n = max(_n_enough(precision), Z * Z * precision * (1 - precision) / (threshold.precision - precision) ** 2)
            needed.append(ceil(n_gold * max(1.0, n / threshold.n)))
    return min(needed, default=None)


def measure(scored: Sequence[ScoredSpan], n_gold: int, confidence: float) -> Threshold:
    """Score a minimum confidence that was chosen before. scored: the reported predictions, of one type."""
    n_correct, n = sum(span.is_correct for span in scored), len(scored)
    recall = n_correct / n_gold if n_gold else 0.0
    if not n:
        return Threshold(confidence, 0, 0.0, 0.0, recall, is_reached=True)
    return Threshold(confidence, n, n_correct / n, lower_bound(n_correct, n), recall, is_reached=True)


def thresholds(scored: Sequence[ScoredSpan], n_gold: int) -> list[Threshold]:
    """List all possible thresholds, the strictest first: each confidence that occurs."""
    ranked = sorted(scored, key=lambda span: span.confidence, reverse=True)
    all_thresholds, n_correct = [], 0
    for n, span in enumerate(ranked, start=1):
        n_correct += span.is_correct
        if n == len(ranked) or ranked[n].confidence < span.confidence:
            recall = n_correct / n_gold if n_gold else 0.0
            bound = lower_bound(n_correct, n)
            all_thresholds.append(Threshold(span.confidence, n, n_correct / n, bound, recall, is_reached=True))
    return all_thresholds


def lower_bound(n_correct: int, n: int) -> float:
    """Wilson's lower bound of a proportion, one-sided, 90 %. n: at least 1."""
    share, z2 = n_correct / n, Z * Z
    return (share + z2 / (2 * n) - Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)


def f1_score(n_correct: int, n_predicted: int, n_gold: int) -> float:
    """F1 from counts; 0 without predicted and gold entities."""
    return 2 * n_correct / (n_predicted + n_gold) if n_predicted + n_gold else 0.0
