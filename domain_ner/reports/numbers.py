"""Figures as people read them, in every report alike."""

from collections import Counter
from collections.abc import Iterable, Mapping

from domain_ner.evaluation.confidence_schema import Certainty
from domain_ner.evaluation.schema import Figure, Report, Shape, SplitScore

# Pieces of advice that a reader takes in at once; with many types there are far more.
MAX_TIPS = 10
# Of a list: how many are shown at first, and how many more on request.
FIRST_SHOWN, MORE_SHOWN = 10, 50
# Types that a table has a column for, and a chart a row.
MAX_COLUMNS, MAX_ROWS = 20, 50


def most(labels: Iterable[str], n_of: Mapping[str, float], n: int) -> list[str]:
    """At most `n` of the labels, those with the highest numbers, in the order given."""
    found = list(labels)
    chosen = set(sorted(found, key=lambda label: -n_of.get(label, 0))[:n])
    return [label for label in found if label in chosen]


def column_labels(report: Report) -> list[str]:
    """The types that tables have a column for: all, or those with most mistakes."""
    n_mistakes = Counter[str]()
    for of_kind in report.mistake_counts.values():
        n_mistakes.update(of_kind)
    return most(report.labels, n_mistakes, MAX_COLUMNS)


def percent(share: float) -> str:
    """A share in 0..1 as a percentage with one decimal."""
    return f"{100 * share:.1f}"


def told(figure: Figure) -> str:
    """A figure as a percentage, with its interval where it has one."""
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({percent(figure.low)}–{percent(figure.high)})"


def measured_on(report: Report) -> str:
    """When and on what it was measured, in words."""
    head = report.headline
    name = "" if report.test_set in ("", "test") else f" {report.test_set}"
    told = f"Test set{name}: {_times(head.n_passages, 'passage')}, "
    told += f"{_times(head.micro.support, 'entity', 'entities')} of {_times(len(report.labels), 'type')}"
    return f"{report.date}. {told}." if report.date else f"{told}."


def _times(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def elsewhere(report: Report) -> str:
    """What micro F1 is on passages of other groups than those of the test set, in words; empty where too few tell."""
    one = report.grouped
    if one is None:
        return ""
    return f"{percent(one.low)} to {percent(one.high)} for another {one.key}, by the {one.n_groups} of the test set"


def change(one: Shape) -> str:
    """How much better it is in worse shape, in points, with the interval of that where it has one."""
    interval = "" if one.low is None or one.high is None else f" ({100 * one.low:+.1f} to {100 * one.high:+.1f})"
    return f"{100 * one.difference:+.1f}{interval}"


def entropy(one: SplitScore) -> str:
    """The entropy of the confidences on a split, in bits; empty where there are none."""
    return "" if one.entropy is None else f"{one.entropy:.2f}"


def reported_from(found: Certainty) -> str:
    """The least confidence that is reported, in per cent; empty where there is none."""
    if found.least is None:
        return ""
    return "not reported" if found.least >= 1 else percent(found.least)


def unreported(report: Report) -> str:
    """A sentence on the types that are not reported at all; empty where there are none."""
    labels = [label for label, found in report.certainty.items() if found.least is not None and found.least >= 1]
    if not labels:
        return ""
    return f"Not reported at all: {', '.join(labels)}; the dev set could not promise the precision of vars.threshold."
