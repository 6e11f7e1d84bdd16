"""Computes the confidence sections of an evaluation's report."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import log2

from domain_ner.evaluation.confidence_schema import Certainty, Histogram, Point, Reliability, ReliabilityBin
from domain_ner.evaluation.predicting import EvaluatedDoc
from domain_ner.metrics.calibration import Bin, ScoredSpan, calibration_error, chance_error, reliability, thresholds
from domain_ner.metrics.proportions import wilson_interval

N_HISTOGRAM = 20
HIGH_CONFIDENCE = 0.99
N_POINTS = 50


def histogram(docs: Iterable[EvaluatedDoc]) -> Histogram | None:
    """Count the predictions by confidence; None if no prediction has one."""
    bins: dict[bool, list[int]] = {True: [0] * N_HISTOGRAM, False: [0] * N_HISTOGRAM}
    n_high = Counter[bool]()
    for doc in docs:
        gold = set(doc.gold)
        for entity in doc.predicted:
            confidence = doc.confidences.get(entity)
            if confidence is not None:
                bins[entity in gold][min(int(confidence * N_HISTOGRAM), N_HISTOGRAM - 1)] += 1
                n_high[entity in gold] += confidence >= HIGH_CONFIDENCE
    n_correct, n_wrong = sum(bins[True]), sum(bins[False])
    if not n_correct + n_wrong:
        return None
    return Histogram(
        correct=bins[True],
        wrong=bins[False],
        share_sure=n_high.total() / (n_correct + n_wrong),
        share_sure_wrong=n_high[False] / n_wrong if n_wrong else 0.0,
    )


def entropy(confidences: Sequence[float]) -> float | None:
    """Compute the mean binary entropy, in bits; None without confidences."""
    if not confidences:
        return None
    inner = [confidence for confidence in confidences if 0 < confidence < 1]
    return -sum(p * log2(p) + (1 - p) * log2(1 - p) for p in inner) / len(confidences)


def certainty(
    judged: Sequence[ScoredSpan],
    uncalibrated: Sequence[ScoredSpan],
    support: Mapping[str, int],
    least: Mapping[str, float],
) -> dict[str, Certainty]:
    """Compute the calibration overall and by type; empty if nothing is judged.

    support: gold entities by type. least: type to the minimum confidence, 0..1, of reported entities.
    """
    by_type = {}
    for label in ["", *sorted({span.label for span in judged})] if judged else []:
        before, after = ([span for span in spans if label in ("", span.label)] for spans in (uncalibrated, judged))
        n_gold = support.get(label, 0) if label else sum(support.values())
        by_type[label] = Certainty(
            before=_reliability(before), after=_reliability(after), curve=_curve(after, n_gold), least=least.get(label)
        )
    return by_type


def _reliability(judged: Sequence[ScoredSpan]) -> Reliability:
    return Reliability(
        ece=calibration_error(judged),
        ece_by_chance=chance_error(judged),
        bins=[_bin(part) for part in reliability(judged)],
    )


def _bin(part: Bin) -> ReliabilityBin:
    low, high = wilson_interval(round(part.n * part.precision), part.n)
    return ReliabilityBin(**asdict(part), precision_low=low, precision_high=high)


def _curve(judged: Sequence[ScoredSpan], n_gold: int) -> list[Point]:
    """Select at most N_POINTS of the thresholds, including both ends."""
    ascending = thresholds(judged, n_gold)[::-1]
    last = len(ascending) - 1
    chosen = sorted({round(n * last / (N_POINTS - 1)) for n in range(N_POINTS)}) if ascending else []
    points = (ascending[n] for n in chosen)
    return [
        Point(confidence=point.confidence, precision=point.precision, recall=min(1.0, point.recall)) for point in points
    ]


def share(value: float | None) -> float | None:
    """Round a share to four digits and clip it to 0..1."""
    return None if value is None else round(min(1.0, max(0.0, value)), 4)
