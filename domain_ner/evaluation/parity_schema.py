"""Defines the shape of `optimize.json`: what an optimised pipeline keeps of the trained one, and what it gains."""

from domain_ner.evaluation.schema_base import Part, Share
from domain_ner.onnx_encoder.encoder_file import RUNTIMES


class Timing(Part):
    """A pipeline in a process of its own. start_s: `import spacy`, `spacy.load` and the first text.

    memory_mb: at most, resident. batch_words_per_s: tokens a second in `nlp.pipe`; single_words_per_s: one text at a
    time. p50_ms, p99_ms: of one text.
    """

    start_s: float
    memory_mb: float
    batch_words_per_s: float
    single_words_per_s: float
    p50_ms: float
    p99_ms: float


class Quality(Part):
    """Scores on a corpus: micro F1, F1 by type, and the expected calibration error.

    by_chance: the error that perfect confidences would show on so few predictions.
    """

    f1: Share
    f1_by_type: dict[str, Share]
    calibration_error: Share
    by_chance: Share


class Difference(Part):
    """What two predictions of the same texts differ in. n_entities: of both together, each counted once.

    n_different: entities that only one has. confidence: largest and mean difference of the confidences of others.
    """

    n_texts: int
    n_entities: int
    n_different: int
    confidence_largest: Share
    confidence_mean: Share


class Promise(Part):
    """A type with a promised precision, on dev. bound: the precision holds with 90 % probability, of reported entities.

    refitted: whether the threshold was fitted anew.
    """

    label: str
    promised: Share
    bound: Share
    refitted: bool


class Side(Part):
    """One of the two pipelines. sha256: of its folder. size_mb: on disk. long: on texts of several passages."""

    sha256: str
    size_mb: float
    quality: Quality
    long: Quality
    timing: Timing | None


class Parity(Part):
    """The report of `optimize`. runtime: onnx or onnx-int8. trained, optimized: before and after, on the same texts.

    f1_p: probability of such a difference in F1 by chance. calibration_p, long_calibration_p: the same of a rise of the
    calibration error, on the test set and on long documents. difference: between the predictions of the two.
    long: the same on long documents. alone: of the optimised pipeline, a text alone against the same text among others
    in random batches. failures: the limits that are passed; empty if none is.
    """

    version: int = 1
    runtime: str
    corpus: str
    trained: Side
    optimized: Side
    f1_p: Share
    calibration_p: Share = 0.0
    long_calibration_p: Share = 0.0
    difference: Difference
    long: Difference
    alone: Difference
    promises: list[Promise]
    failures: list[str]

    @property
    def precision(self) -> str:
        """The precision of the encoder, float32 or int8."""
        return RUNTIMES[self.runtime]
