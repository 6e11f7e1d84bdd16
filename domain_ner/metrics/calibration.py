"""Is a confidence of 0.8 right eight times in ten? Measures it, mends it, and chooses thresholds. Knows no pipeline.

Temperature scaling and the expected calibration error are those of Guo et al. (2017), "On Calibration of Modern Neural
Networks"; the bound of a share is Wilson's (1927).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from math import ceil, exp, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_BINS = 10
# Of a type with fewer judged predictions the temperature is that of all types.
MIN_JUDGED = 30
# One-sided 90 %: the bound under which the true precision lies once in ten times.
Z = 1.2816
# A threshold for a precision is looked for from so many of the surest predictions on, in as many as must be right each
# one for the bound to hold: with fewer a single mistake would end the search.
START = 1.5
# Of fewer predictions nothing is foretold.
MIN_SURE = 10
LOG_TEMPERATURES = (-2.0, 3.0)
# Of the search for a temperature, in its logarithm.
TOLERANCE = 1e-3


class Judged(NamedTuple):
    """A predicted entity: its type, its confidence in 0..1, and whether gold has it too."""

    label: str
    confidence: float
    is_correct: bool


@dataclass(frozen=True)
class Bin:
    """Predictions with confidences from `low` to `high`: how many, their mean confidence, and how many are right."""

    low: float
    high: float
    n: int
    confidence: float
    precision: float


@dataclass(frozen=True)
class Threshold:
    """The least confidence to report, and what it gives on the data it was chosen on.

    n: how many are reported. precision_bound: the true precision is lower once in ten times only. is_reached: what was
    asked for is possible; else nothing of the type is reported (confidence 1), and the figures are those of the
    strictest threshold that was tested.
    """

    confidence: float
    n: int
    precision: float
    precision_bound: float
    recall: float
    is_reached: bool


NOTHING = Threshold(1.0, 0, 0.0, 0.0, 0.0, is_reached=False)


def reliability(judged: Sequence[Judged], n_bins: int = N_BINS) -> list[Bin]:
    """Bins of equal width, those without predictions left out."""
    confidence = np.array([one.confidence for one in judged])
    is_correct = np.array([one.is_correct for one in judged], dtype=float)
    places = _places(confidence, n_bins)
    bins = []
    for place in sorted(set(places.tolist())):
        within = places == place
        figures = int(within.sum()), float(confidence[within].mean()), float(is_correct[within].mean())
        bins.append(Bin(place / n_bins, (place + 1) / n_bins, *figures))
    return bins


def calibration_error(judged: Sequence[Judged], n_bins: int = N_BINS) -> float:
    """The expected calibration error: how far confidence and precision are apart, averaged over predictions; 0..1."""
    bins = reliability(judged, n_bins)
    return sum(one.n * abs(one.confidence - one.precision) for one in bins) / len(judged) if judged else 0.0


def chance_error(judged: Sequence[Judged], n_bins: int = N_BINS) -> float:
    """The calibration error to expect by chance of confidences without fault on so few predictions; 0..1.

    What is right in a bin is a sum of Bernoulli variables, taken for normal: its mean distance from its expectation.
    """
    confidence = np.array([one.confidence for one in judged])
    variance = np.bincount(_places(confidence, n_bins), confidence * (1 - confidence), n_bins)
    return float(np.sqrt(2 / pi * variance).sum()) / len(judged) if judged else 0.0


def _places(confidence: NDArray[np.float64], n_bins: int) -> NDArray[np.int64]:
    return np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)


def fit_temperature(loss: Callable[[float], float]) -> float:
    """The temperature with the least loss, by golden-section search. loss: of a temperature, with one minimum."""
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


def fit_type_temperatures(log_odds: Sequence[float], judged: Sequence[Judged]) -> dict[str, float]:
    """By type what the log-odds must be divided by; that of all types together for those with few predictions.

    log_odds: (n_judged,), uncalibrated. What is right is taken for a little less than certain, and what is wrong for a
    little more than impossible, as in Platt (1999), so that no type is ever wholly sure because it was right each time.
    """
    if len(judged) < MIN_JUDGED:
        return {}
    odds, is_correct = np.array(log_odds), np.array([one.is_correct for one in judged])
    labels = np.array([one.label for one in judged])

    def fit(chosen: NDArray[np.bool_]) -> float:
        n_correct = is_correct[chosen].sum()
        n_wrong = chosen.sum() - n_correct
        target = np.where(is_correct[chosen], (n_correct + 1) / (n_correct + 2), 1 / (n_wrong + 2))

        def loss(temperature: float) -> float:
            warm = odds[chosen] / temperature
            return float((np.logaddexp(0, warm) - target * warm).mean())

        return fit_temperature(loss)

    together = fit(np.ones(len(judged), dtype=bool))
    found = {}
    for label in sorted(set(labels.tolist())):
        chosen = labels == label
        is_enough = chosen.sum() >= MIN_JUDGED and len(set(is_correct[chosen].tolist())) > 1
        found[label] = fit(chosen) if is_enough else together
    return found


def precise_threshold(judged: Sequence[Judged], n_gold: int, precision: float) -> Threshold:
    """A low confidence above which the precision is what is asked for, but for once in ten times.

    judged: of one type. n_gold: how many there are in gold. precision: 0..1.
    Thresholds are tested one after the other, from a strict one on to laxer ones for as long as the bound holds, so
    that having chosen among many takes nothing from the promise: fixed sequence testing, Angelopoulos et al. (2021),
    "Learn then Test".
    """
    found = thresholds(judged, n_gold)
    if not found:
        return NOTHING
    enough = min(len(judged), _n_enough(precision) if precision < 1 else len(judged))
    tested = [one for one in found if one.n >= enough]
    passed = list(takewhile(lambda one: one.precision_bound >= precision, tested))
    if passed:
        return passed[-1]
    return replace(tested[0], confidence=NOTHING.confidence, is_reached=False)


def _n_enough(precision: float) -> float:
    return START * Z * Z * precision / (1 - precision)


def highest_promise(judged: Sequence[Judged], n_gold: int) -> float:
    """The highest precision that `precise_threshold` can promise of a type, in whole per cent; 0..1, 0 for none."""
    promises = (percent / 100 for percent in range(99, 0, -1))
    return next((one for one in promises if precise_threshold(judged, n_gold, one).is_reached), 0.0)


def needed_entities(judged: Sequence[Judged], n_gold: int, precision: float) -> int | None:
    """About how many entities of a type it takes to promise a precision, were they predicted as well as these are.

    None where the surest predictions, however many but at least MIN_SURE, are not right often enough. judged, n_gold,
    precision: as of `precise_threshold`, whose bound, Wilson's, is solved for the number of predictions.
    """
    needed = []
    for one in thresholds(judged, n_gold):
        if one.n >= MIN_SURE and one.precision > precision:
            n = max(_n_enough(precision), Z * Z * precision * (1 - precision) / (one.precision - precision) ** 2)
            needed.append(ceil(n_gold * max(1.0, n / one.n)))
    return min(needed, default=None)


def measure(judged: Sequence[Judged], n_gold: int, confidence: float) -> Threshold:
    """What is reported with a least confidence that was chosen before. judged: what is reported, of one type."""
    n_correct, n = sum(one.is_correct for one in judged), len(judged)
    recall = n_correct / n_gold if n_gold else 0.0
    if not n:
        return Threshold(confidence, 0, 0.0, 0.0, recall, is_reached=True)
    return Threshold(confidence, n, n_correct / n, lower_bound(n_correct, n), recall, is_reached=True)


def thresholds(judged: Sequence[Judged], n_gold: int) -> list[Threshold]:
    """All there are to choose from, the strictest first: each confidence that a prediction has."""
    ranked = sorted(judged, key=lambda one: one.confidence, reverse=True)
    found, n_correct = [], 0
    for n, one in enumerate(ranked, start=1):
        n_correct += one.is_correct
        if n == len(ranked) or ranked[n].confidence < one.confidence:
            recall = n_correct / n_gold if n_gold else 0.0
            bound = lower_bound(n_correct, n)
            found.append(Threshold(one.confidence, n, n_correct / n, bound, recall, is_reached=True))
    return found


def lower_bound(n_correct: int, n: int) -> float:
    """Wilson's lower bound of a share, one-sided, 90 %. n: at least 1."""
    share, z2 = n_correct / n, Z * Z
    return (share + z2 / (2 * n) - Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)


def f1_score(n_correct: int, n_predicted: int, n_gold: int) -> float:
    """Of counts; 0 where there is nothing."""
    return 2 * n_correct / (n_predicted + n_gold) if n_predicted + n_gold else 0.0
