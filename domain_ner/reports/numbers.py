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


def told(figure: Figure) -> str:
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


def _times(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def elsewhere(report: Report) -> str:
    """State micro F1 on passages of groups that are not in the test set; empty if it has too few groups."""
    one = report.grouped
    if one is None:
        return ""
    return f"{percent(one.low)} to {percent(one.high)} for a new {one.key}, judging by {one.n_groups} in the test set"


def change(one: Shape) -> str:
    """Format the difference of F1 on changed texts, in points, with its interval if it has one."""
    interval = "" if one.low is None or one.high is None else f" ({100 * one.low:+.1f} to {100 * one.high:+.1f})"
    return f"{100 * one.difference:+.1f}{interval}"


def entropy(one: SplitScore) -> str:
    """Format the entropy of the confidences on a split, in bits; empty if there are none."""
    return "" if one.entropy is None else f"{one.entropy:.2f}"


def reported_from(found: Certainty) -> str:
    """Format the minimum confidence of reported entities, in per cent; empty if there is none."""
    if found.least is None:
        return ""
    return "not reported" if found.least >= 1 else percent(found.least)


def unreported(report: Report) -> str:
    """Name the types that are not reported at all; empty if there are none."""
    labels = [label for label, found in report.certainty.items() if found.least is not None and found.least >= 1]
    if not labels:
        return ""
    return f"Not reported at all: {', '.join(labels)}; the dev set could not guarantee the precision of vars.threshold."
