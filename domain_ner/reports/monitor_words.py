"""The sentences and figures of the report of `monitor`."""

from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.monitoring.comparing import SMALL_CHANGE, SMALL_CONFIDENCE, SMALL_DISTANCE, SMALL_PSI
from domain_ner.monitoring.features import (
    CONFIDENCE_SHAPE,
    ENTITY_RATE,
    LENGTH,
    LENGTH_SHAPE,
    MEAN_CONFIDENCE,
    UNSEEN,
    UNSEEN_NAMES,
    VECTOR,
)
from domain_ner.monitoring.judging import CONFIDENCE_FALL, UNSEEN_RISE
from domain_ner.monitoring.report import (
    AGGREGATES,
    FINE,
    LOOK,
    RETRAIN,
    EstimatedF1,
    Finding,
    MonitorReport,
    WindowReport,
)
from domain_ner.reports.numbers import percent

# Statistics whose difference is PSI, or a distance.
SHAPES = (CONFIDENCE_SHAPE, LENGTH_SHAPE)
# Ratios that are no shares: what they are counted in.
NO_SHARES = (LENGTH, "wordpieces per word", "characters per token")
SMALLEST_P = 0.0005
MARKS = {FINE: "✔", LOOK: "!", RETRAIN: "✘"}
HINTS = {
    ENTITY_RATE: "the type is reported more, or less, often",
    MEAN_CONFIDENCE: "the pipeline is less, or more, sure of the type",
    CONFIDENCE_SHAPE: "the confidences of the type have another distribution",
    "empty documents": "more, or fewer, documents without any entity",
    LENGTH: "documents are longer, or shorter",
    LENGTH_SHAPE: "documents have other lengths",
    UNSEEN: "words that the training text does not have: new vocabulary",
    UNSEEN_NAMES: "names that training does not have",
    "wordpieces per word": "words that the encoder must cut into more parts",
    "unknown wordpieces": "characters that the encoder cannot read",
    "capitalised words": "another use of capitals: text in lower case, or in upper case",
    "tokens with other letters than ASCII": "another language or script, or other symbols",
    "stop words": "another language, or another style",
    "numbers": "another kind of text, or another tool's",
    "punctuation": "another kind of text, or another tool's",
    "white space": "another tool's text",
    "characters per token": "another language, or another tool's text",
    VECTOR: "the text as the encoder sees it",
}
WHAT_IS_TESTED = (
    "p is by permutation of documents between baseline and window, corrected for the number of tests (Westfall and "
    "Young's step-down maxT). The limit is the size of a difference that some test reaches by chance with probability "
    "{alpha:g}."
)
WHAT_IS_RESAMPLED = (
    "The window has only aggregates: p comes from windows of its size that are drawn from the baseline's documents, "
    "corrected for the number of tests. Passages cannot be named."
)
WHAT_IS_SMALL = (
    f"Small: significant, but below {100 * SMALL_CHANGE:g} % of the baseline's value, {SMALL_CONFIDENCE:g} of a mean "
    f"confidence, a PSI of {SMALL_PSI:g}, or a distance of {SMALL_DISTANCE:g}. It does not change the verdict."
)
# Names of numbers that a window may lack, where they say too little.
MISSING = {"unseen": "unseen words"}


def verdict(report: MonitorReport) -> str:
    """Say what to do after the newest window."""
    window = report.windows[-1]
    meaning = {
        FINE: "nothing to do",
        LOOK: "something changed: read the passages that the report names",
        RETRAIN: "annotate passages of this window, and retrain",
    }
    return f"{window.name}: {window.verdict}; {meaning[window.verdict]}."


def compared(report: MonitorReport) -> str:
    """Say what is compared."""
    pipeline = report.pipeline
    return (
        f"{pipeline.name} {pipeline.version}, against {report.n_baseline:,} documents of {report.corpus} on which it"
        " was measured."
    )


def about(window: WindowReport, report: MonitorReport) -> str:
    """Say how the window was tested."""
    drawn = ""
    if window.n_compared < window.n_documents:
        drawn = f" {window.n_compared:,} of the {window.n_documents:,} documents were drawn at random."
    text = WHAT_IS_RESAMPLED if window.kind == AGGREGATES else WHAT_IS_TESTED.format(alpha=report.alpha)
    return f"{text}{drawn}"


def about_missing(window: WindowReport) -> str:
    """Say what the window lacks; empty if it lacks nothing."""
    if not window.missing:
        return ""
    names = ", ".join(MISSING.get(name, name.replace("_", " ")) for name in window.missing)
    why = (
        "aggregates do not have it"
        if window.kind == AGGREGATES
        else "annotate wrote no numbers of it: with --no-observe, or with a pipeline that has no baseline"
    )
    return f"Not compared, because {why}: {names}."


def about_verdict(report: MonitorReport) -> str:
    """Say when the verdict is retrain."""
    return (
        f"Retrain: significant differences, and F1 fell by more than {100 * report.margin:g} points by estimate, the"
        f" mean confidence by {100 * CONFIDENCE_FALL:g} points or more, or the share of unseen words rose by"
        f" {100 * UNSEEN_RISE:g} points or more. Look: other significant differences that are not small."
    )


def name_of(finding: Finding) -> str:
    """The name of a finding without its type."""
    return {ENTITY_RATE: "entities per 1,000 tokens"}.get(finding.name, finding.name)


def values(finding: Finding) -> tuple[str, str, str, str]:
    """Baseline, window, difference and limit of a finding."""
    if finding.name in SHAPES or finding.name == VECTOR:
        unit = "PSI " if finding.name in SHAPES else ""
        return "", "", f"{unit}{finding.difference:.2f}", f"{finding.limit:.2f}"
    if finding.name in NO_SHARES:
        texts = [f"{number:.2f}" for number in (finding.baseline, finding.window)]
        return texts[0], texts[1], _signed(f"{finding.difference:+.2f}"), f"± {finding.limit:.2f}"
    scale, unit = (1000, "") if finding.name == ENTITY_RATE else (100, " %")
    both = [f"{scale * number:.1f}{unit}" for number in (finding.baseline, finding.window)]
    return both[0], both[1], _signed(f"{scale * finding.difference:+.1f}"), f"± {scale * finding.limit:.1f}"


def p_value(p: float) -> str:
    """Format a probability by permutation."""
    return f"{p:.4f}" if p > SMALLEST_P else f"≤ {SMALLEST_P}"


def scores(window: WindowReport) -> dict[str, EstimatedF1]:
    """Estimated F1 over all types and of each type; empty where it cannot be estimated."""
    return {ALL_TYPES: window.f1, **window.by_type} if window.f1 else {}


def has_review(window: WindowReport) -> bool:
    """Whether a reviewed sample of the window is known."""
    return any(f1.reviewed for f1 in scores(window).values())


def f1_row(f1: EstimatedF1) -> tuple[str, str, str, str]:
    """Baseline, estimate, interval, and difference in points."""
    interval = f"{percent(f1.low)} to {percent(f1.high)}"
    return percent(f1.baseline), percent(f1.value), interval, _signed(f"{100 * f1.difference:+.1f}")


def reviewed(f1: EstimatedF1) -> str:
    """Say what the reviewed sample says, and whether it agrees; empty without one."""
    review = f1.reviewed
    if review is None:
        return ""
    known = review.low is not None and review.high is not None
    interval = f" ({percent(review.low or 0)} to {percent(review.high or 0)})" if known else ""
    return f"{percent(review.value)}{interval}: {'agrees' if review.agrees else 'differs'}"


def _signed(text: str) -> str:
    return text.replace("-", "−")
