"""Formats figures, the same way in every report."""

from collections import Counter
from collections.abc import Iterable, Mapping

from domain_ner.evaluation.confidence_schema import Certainty
from domain_ner.evaluation.schema import Figure, Report, Shape, SplitScore

# Pieces of advice shown at first; with many types there are far more.
MAX_TIPS = 10
# Items of a list shown at first, and further items on request.
FIRST_SHOWN, MORE_SHOWN = 10, 50
# Types with a column in a table, and with a row in a chart.
MAX_COLUMNS, MAX_ROWS = 20, 50


def most(labels: Iterable[str], n_of: Mapping[str, float], n: int) -> list[str]:
    """Select at most `n` of the labels, those with the highest numbers, in the given order."""
    listed = list(labels)
    chosen = set(sorted(listed, key=lambda label: -n_of.get(label, 0))[:n])
    return [label for label in listed if label in chosen]


def column_labels(report: Report) -> list[str]:
    """List the types with a column in tables: all, or those with most mistakes."""
    n_mistakes = Counter[str]()
    for of_kind in report.mistake_counts.values():
        n_mistakes.update(of_kind)
    return most(report.labels, n_mistakes, MAX_COLUMNS)


def percent(share: float) -> str:
    """Format a share in 0..1 as a percentage with one decimal."""
    return f"{100 * share:.1f}"


def with_interval(figure: Figure) -> str:
    """Format a figure as a percentage, with its interval if it has one."""
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({percent(figure.low)}–{percent(figure.high)})"


def measured_on(report: Report) -> str:
    """State date and test set of the evaluation."""
    head = report.headline
    name = "" if report.test_set in ("", "test") else f" {report.test_set}"
    text = f"Test set{name}: {_times(head.n_passages, 'passage')}, "
    text += f"{_times(head.micro.support, 'entity', 'entities')} of {_times(len(report.labels), 'type')}"
    return f"{report.date}. {text}." if report.date else f"{text}."


def _times(n: int, singular: str, plural: str = "") -> str:
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def elsewhere(report: Report) -> str:
    """State micro F1 on passages of groups that are not in the test set; empty if it has too few groups."""
    grouped = report.grouped
    if grouped is None:
        return ""
    low, high = percent(grouped.low), percent(grouped.high)
    return f"{low} to {high} for a new {grouped.key}, judging by {grouped.n_groups} in the test set"


def change(shape: Shape) -> str:
    """Format the difference of F1 on changed texts, in points, with its interval if it has one."""
    interval = (
        "" if shape.low is None or shape.high is None else f" ({100 * shape.low:+.1f} to {100 * shape.high:+.1f})"
    )
    return f"{100 * shape.difference:+.1f}{interval}"


def entropy(score: SplitScore) -> str:
    """Format the entropy of the confidences on a split, in bits; empty if there are none."""
    return "" if score.entropy is None else f"{score.entropy:.2f}"


def reported_from(calibration: Certainty) -> str:
    """Format the minimum confidence of reported entities, in per cent; empty if there is none."""
    if calibration.least is None:
        return ""
    return "not reported" if calibration.least >= 1 else percent(calibration.least)


def unreported(report: Report) -> str:
    """Name the types that are not reported at all; empty if there are none."""
    labels = [
        label
        for label, calibration in report.certainty.items()
        if calibration.least is not None and calibration.least >= 1
    ]
    if not labels:
        return ""
    return f"Not reported at all: {', '.join(labels)}; the dev set could not guarantee the precision of vars.threshold."
