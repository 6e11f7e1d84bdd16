"""Renders a learning curve as Markdown and as a chart."""

from collections.abc import Sequence
from statistics import fmean

from domain_ner.evaluation.learning_curve import MORE, ExpectedF1, LearningCurve, TypeCurve
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports import plots
from domain_ner.reports.highlights import short
from domain_ner.reports.markdown import table
from domain_ner.reports.numbers import most, percent
from domain_ner.reports.plots import Axis, axis_of

# Each colour is used for two types: once with filled dots, once with hollow ones. All types together have their own.
MAX_CURVES = 2 * len(plots.SERIES) + 1
TARGET_LINE = f"{plots.SOFT} dash"
# Share of the width that the words of two ticks need.
MIN_APART = 0.09


def learning_curve_markdown(curve: LearningCurve) -> str:
    """Render the scores on each part, the expected gain of more data, and the check on the largest part."""
    sizes = [size.n_passages for size in next(iter(curve.by_type.values())).sizes]
    rows = list(curve.by_type.items())
    parts = [
        "# Expected gain of more annotation",
        f"Trained on parts of {curve.n_passages:,} passages, scored on {curve.n_test_passages:,} test passages. In "
        "brackets: 95 % intervals. The curve is a power law: the farther beyond the data, the less reliable it is.",
        "## F1 on parts of the data",
        table(
            ["type", "support", *(f"{n:,} passages" for n in sizes)],
            (
                [label, f"{type_curve.support:,}", *(" / ".join(map(percent, size.f1)) for size in type_curve.sizes)]
                for label, type_curve in rows
            ),
        ),
        "## Expected gain of more passages like these, in points of F1",
        table(
            ["type", "F1 now", *(f"+{n:,}" for n in MORE), f"F1 of {100 * curve.target_f1:.0f} at"],
            ([label, *_cells(type_curve, curve)] for label, type_curve in rows),
        ),
    ]
    checked = [(label, type_curve.check) for label, type_curve in rows if type_curve.check is not None]
    if checked:
        n_within = sum(check.is_within for _, check in checked)
        parts += [
            "## Check of the curve",
            f"The smaller parts alone predict the F1 with all {curve.n_passages:,} passages within the interval for "
            f"{n_within} of {len(checked)}.",
            table(
                ["type", "predicted", "measured", ""],
                (
                    [
                        label,
                        _with_interval(check.expected),
                        percent(check.measured),
                        "within" if check.is_within else "not within",
                    ]
                    for label, check in checked
                ),
            ),
        ]
    return "\n\n".join(parts) + "\n"


def _cells(type_curve: TypeCurve, curve: LearningCurve) -> list[str]:
    """Format F1 now, the gains, and when the target is reached; empty if there is no curve."""
    if type_curve.now is None:
        return [""] * (2 + len(MORE))
    return [
        _with_interval(type_curve.now),
        *(f"+{_with_interval(type_curve.more[n])}" for n in MORE),
        when(type_curve, curve),
    ]


def _with_interval(expected: ExpectedF1) -> str:
    """Format a figure with its interval."""
    return f"{percent(expected.f1)} ({percent(expected.low)}–{percent(expected.high)})"


def when(type_curve: TypeCurve, curve: LearningCurve) -> str:
    """Format the number of passages at which the target is expected."""
    if type_curve.target_at is not None and type_curve.target_at <= curve.n_passages:
        return "reached"
    if type_curve.target_at is None and type_curve.target_at_low is None:
        return "not foreseeable"
    low = "now" if (type_curve.target_at_low or 0) <= curve.n_passages else f"{type_curve.target_at_low:,}"
    high = "?" if type_curve.target_at_high is None else f"{type_curve.target_at_high:,}"
    return f"{'?' if type_curve.target_at is None else f'{type_curve.target_at:,}'} ({low}–{high})"


def learning_curve_chart(curve: LearningCurve) -> str:
    """Draw the scores by type over the number of passages, and the expected scores beyond, as an SVG file."""
    # Too many curves would hide one another: only the types with most entities are drawn, all of them together on top.
    support = {label: type_curve.support for label, type_curve in curve.by_type.items()}
    labels = most(support, support, MAX_CURVES)
    measured = {label: _measured(curve.by_type[label]) for label in labels}
    expected = {label: _expected(curve.by_type[label], curve.n_passages) for label in labels}
    sizes = [n for n, _ in next(iter(measured.values()))]
    target, last = 100 * curve.target_f1, curve.n_passages + MORE[-1]
    x = Axis(sizes[0], last, _apart([*sizes, last]), "training passages (dotted: expected)", is_log=True)
    f1 = [value for points in (*measured.values(), *expected.values()) for _, value in points]
    y = axis_of([*f1, target], least=0, most=100)
    marks = [plots.line((0, 100), (y.at(target),) * 2, TARGET_LINE)]
    legend = []
    for n, label in enumerate(labels):
        kind, dots = _look(n, label)
        marks.append(plots.curve(placed(measured[label], x, y), kind))
        marks.append(plots.curve(placed(expected[label], x, y), f"{kind} dots"))
        marks += [plots.dot(*place, dots) for place in placed(measured[label], x, y)]
        legend.append((curve_key(kind, dots), short(label)))
    figures = ", ".join(f"{label} {points[-1][1]:.1f}" for label, points in measured.items())
    return plots.chart_file(
        "Test F1 by number of training passages",
        (x, y),
        marks,
        label=f"Test F1 with {curve.n_passages:,} passages: {figures}",
        legend=[*legend, (curve_key(TARGET_LINE), f"target {target:.0f}")],
    )


def _measured(type_curve: TypeCurve) -> list[tuple[float, float]]:
    """List (passages, F1 in per cent) of the trainings, the mean over the seeds."""
    return [(size.n_passages, 100 * fmean(size.f1)) for size in type_curve.sizes]


def _expected(type_curve: TypeCurve, n_passages: int) -> list[tuple[float, float]]:
    """List (passages, F1 in per cent) of the forecast; empty if there is no curve."""
    if type_curve.now is None:
        return []
    now = type_curve.now.f1
    return [(n_passages, 100 * now), *((n_passages + n, 100 * (now + type_curve.more[n].f1)) for n in MORE)]


def _apart(values: Sequence[float]) -> list[float]:
    """Leave out values whose words would overlap those of the next one on a logarithmic axis; the last one stays."""
    least = (values[-1] / values[0]) ** MIN_APART
    kept = [values[-1]]
    for value in reversed(values[:-1]):
        if kept[-1] / value >= least:
            kept.append(value)
    return kept[::-1]


def _look(n: int, label: str) -> tuple[str, str]:
    """Choose the classes of a type's lines and of its dots."""
    if label == ALL_TYPES:
        return f"{plots.SUM} bold", plots.SUM
    colour = plots.SERIES[n % len(plots.SERIES)]
    return f"{colour} strong", colour if n < len(plots.SERIES) else f"{colour} hollow"


def placed(points: Sequence[tuple[float, float]], x: Axis, y: Axis) -> list[tuple[float, float]]:
    """Place (passages, F1 in per cent) on the axes."""
    return [(x.at(n), y.at(value)) for n, value in points]


def curve_key(kind: str, dots: str = "") -> str:
    """Draw a piece of a curve for the legend. kind, dots: classes; dots may be empty."""
    drawn = f'<line class="{kind}" x1="0" y1="10" x2="28" y2="10"/>'
    return drawn + (f'<circle class="{dots}" cx="14" cy="10" r="4"/>' if dots else "")
