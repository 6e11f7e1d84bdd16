"""Defines the confidence sections of evaluation.json. Knows no pipeline and no files."""

from domain_ner.evaluation.schema_base import Part, Share


class Histogram(Part):
    """Number of right and wrong predictions in equal bins of confidence over 0..1.

    share_sure: share of the predictions with a confidence of at least 0.99; share_sure_wrong: of the wrong ones.
    """

    correct: list[int]
    wrong: list[int]
    share_sure: Share
    share_sure_wrong: Share


class ReliabilityBin(Part):
    """Predictions with confidences from low to high: number, mean confidence, and precision.

    precision_low, precision_high: Wilson's 95 % interval of precision.
    """

    low: Share
    high: Share
    n: int
    confidence: Share
    precision: Share
    precision_low: Share | None = None
    precision_high: Share | None = None


class Reliability(Part):
    """The expected calibration error, and the error that perfect calibration would show by chance."""

    ece: Share
    ece_by_chance: Share
    bins: list[ReliabilityBin]


class Point(Part):
    """Precision and recall with a minimum confidence."""

    confidence: Share
    precision: Share
    recall: Share


class Certainty(Part):
    """Calibration of the predictions of a type, or of all; including suppressed ones.

    curve: by minimum confidence, ascending. least: the minimum confidence of reported entities of the type; null for
    all types together, and if there is none.
    """

    before: Reliability
    after: Reliability
    curve: list[Point]
    least: Share | None = None
