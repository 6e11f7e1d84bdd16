"""What an evaluation's report says of the confidences."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import log2

from domain_ner.evaluation.confidence_schema import Certainty, Histogram, Point, Reliability, ReliabilityBin
from domain_ner.evaluation.predicting import EvaluatedDoc
from domain_ner.metrics.calibration import Bin, ScoredSpan, calibration_error, chance_error, reliability, thresholds
from domain_ner.metrics.proportions import wilson_interval

N_HISTOGRAM = 20
SURE = 0.99
N_POINTS = 50


def histogram(docs: Iterable[EvaluatedDoc]) -> Histogram | None:
    """None where no prediction has a confidence."""
    bins: dict[bool, list[int]] = {True: [0] * N_HISTOGRAM, False: [0] * N_HISTOGRAM}
    sure = Counter[bool]()
    for doc in docs:
        gold = set(doc.gold)
        for one in doc.predicted:
            confidence = doc.confidences.get(one)
            if confidence is not None:
                bins[one in gold][min(int(confidence * N_HISTOGRAM), N_HISTOGRAM - 1)] += 1
                sure[one in gold] += confidence >= SURE
    n_correct, n_wrong = sum(bins[True]), sum(bins[False])
    if not n_correct + n_wrong:
        return None
    return Histogram(
        correct=bins[True],
        wrong=bins[False],
        share_sure=sure.total() / (n_correct + n_wrong),
        share_sure_wrong=sure[False] / n_wrong if n_wrong else 0.0,
    )


def entropy(confidences: Sequence[float]) -> float | None:
    """Mean binary entropy, in bits; None of none."""
    if not confidences:
        return None
    inner = [one for one in confidences if 0 < one < 1]
    return -sum(p * log2(p) + (1 - p) * log2(1 - p) for p in inner) / len(confidences)


def certainty(
    judged: Sequence[ScoredSpan],
    uncalibrated: Sequence[ScoredSpan],
    support: Mapping[str, int],
    least: Mapping[str, float],
) -> dict[str, Certainty]:
    """Of all and by type; nothing where nothing is judged.

    support: gold entities by type. least: the confidences, 0..1, from which entities of a type are reported.
    """
    found = {}
    for label in ["", *sorted({one.label for one in judged})] if judged else []:
        before, after = ([one for one in some if label in ("", one.label)] for some in (uncalibrated, judged))
        n_gold = support.get(label, 0) if label else sum(support.values())
        found[label] = Certainty(
            before=_reliability(before), after=_reliability(after), curve=_curve(after, n_gold), least=least.get(label)
        )
    return found


def _reliability(judged: Sequence[ScoredSpan]) -> Reliability:
    return Reliability(
        ece=calibration_error(judged),
        ece_by_chance=chance_error(judged),
        bins=[_bin(one) for one in reliability(judged)],
    )


def _bin(one: Bin) -> ReliabilityBin:
    low, high = wilson_interval(round(one.n * one.precision), one.n)
    return ReliabilityBin(**asdict(one), precision_low=low, precision_high=high)


def _curve(judged: Sequence[ScoredSpan], n_gold: int) -> list[Point]:
    """At most N_POINTS of the thresholds there are, the ends among them."""
    found = thresholds(judged, n_gold)[::-1]
    last = len(found) - 1
    places = sorted({round(n * last / (N_POINTS - 1)) for n in range(N_POINTS)}) if found else []
    return [
        Point(confidence=found[n].confidence, precision=found[n].precision, recall=min(1.0, found[n].recall))
        for n in places
    ]


def share(value: float | None) -> float | None:
    """A share of 0..1 in four digits, whatever rounding made of it."""
    return None if value is None else round(min(1.0, max(0.0, value)), 4)
