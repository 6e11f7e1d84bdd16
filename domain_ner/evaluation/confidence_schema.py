"""The part of evaluation.json that tells of the confidences. Knows no pipeline and no files."""

from domain_ner.evaluation.schema_base import Part, Share


class Histogram(Part):
    """How many predictions have a confidence in each of as many equal bins of 0..1; share_sure: at 0.99 or above."""

    correct: list[int]
    wrong: list[int]
    share_sure: Share
    share_sure_wrong: Share


class ReliabilityBin(Part):
    """Predictions with confidences from low to high: how many, their mean confidence, and how many are right.

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
    """How far confidence and precision are apart, and how far they would be by chance alone."""

    ece: Share
    ece_by_chance: Share
    bins: list[ReliabilityBin]


class Point(Part):
    """What is left with a least confidence."""

    confidence: Share
    precision: Share
    recall: Share


class Certainty(Part):
    """Calibration of all predictions, suppressed ones included, or of a type. curve: by least confidence, ascending.

    least: the confidence from which entities of the type are reported; null of all, and where there is none.
    """

    before: Reliability
    after: Reliability
    curve: list[Point]
    least: Share | None = None
