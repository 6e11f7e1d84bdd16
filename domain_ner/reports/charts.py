"""Draws the charts of the pages as SVG of flexible width, with `plots`; the page's style sheet colours them."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from domain_ner.evaluation.confidence_schema import Certainty, Histogram, ReliabilityBin
from domain_ner.evaluation.schema import Evaluation, Figure, Shapes
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports.highlights import short
from domain_ner.reports.plots import (
    FIRST,
    SECOND,
    SOFT,
    TARGET,
    WRONG,
    Axis,
    axis_of,
    bar,
    curve,
    dot,
    line,
    magnitude_axis,
    panel,
    panels,
    rows,
    words,
)

PER_CENT = (0, 20, 40, 60, 80, 100)
CURVE_FIRST, CURVE_SECOND = f"{FIRST} strong", f"{SECOND} strong"


def scores_chart(by_type: Mapping[str, Figure], *, target: float, floor: float) -> Markup:
    """Draw F1 of each type with its interval, against target and floor."""
    estimates = {label: (figure.value, figure.low, figure.high) for label, figure in by_type.items()}
    axis = axis_of([*_ends(estimates), 100 * target, 100 * floor], "F1, with its 95 % interval", least=0, most=100)
    limits = ((target, f"{TARGET} dash", "target"), (floor, f"{SECOND} dash", "floor"))
    return rows(
        [
            (short(label), f"{100 * estimate[0]:.1f}", _interval(axis, estimate))
            for label, estimate in estimates.items()
        ],
        axis,
        label="F1 by type: " + ", ".join(f"{label} {100 * figure.value:.1f}" for label, figure in by_type.items()),
        legend=[(kind, f"{name} {100 * value:.0f}") for value, kind, name in limits],
        marks=[line((axis.at(100 * value),) * 2, (0, 100), kind) for value, kind, _ in limits],
    )


def shapes_chart(robustness: Shapes) -> Markup:
    """Draw the change in F1 for each kind of change to the text, with its interval."""
    return differences_chart({shape.name: (shape.difference, shape.low, shape.high) for shape in robustness.shapes})


def differences_chart(differences: Mapping[str, tuple[float, float | None, float | None]]) -> Markup:
    """Draw differences in F1 with their intervals, -1..1."""
    axis = axis_of([*_ends(differences), 0], "difference in F1, points, with its 95 % interval")
    return rows(
        [
            (short(name), f"{100 * estimate[0]:+.1f}".replace("-", "−"), _interval(axis, estimate))
            for name, estimate in differences.items()
        ],
        axis,
        label="Difference in F1: "
        + ", ".join(f"{name} {100 * estimate[0]:+.1f}" for name, estimate in differences.items()),
        marks=[line((axis.at(0),) * 2, (0, 100), SOFT)],
    )


def gains_chart(factors: Mapping[str, float]) -> Markup:
    """Draw how many times better something became; a bar that does not reach 1 became worse."""
    axis = axis_of([0, 1, *factors.values()], "times better than the trained pipeline", least=0)
    return rows(
        [
            (name, f"{factor:.1f} ×", [bar((0, axis.at(factor)), (22, 78), FIRST if factor >= 1 else WRONG)])
            for name, factor in factors.items()
        ],
        axis,
        label="Times better: " + ", ".join(f"{name} {factor:.1f}" for name, factor in factors.items()),
        marks=[line((axis.at(1),) * 2, (0, 100), f"{SOFT} dash")],
    )


def _ends(estimates: Mapping[str, tuple[float, float | None, float | None]]) -> list[float]:
    """List all figures and the ends of their intervals, in per cent."""
    return [100 * value for estimate in estimates.values() for value in estimate if value is not None]


def _interval(axis: Axis, estimate: tuple[float, float | None, float | None]) -> list[str]:
    """Draw a dot, and a line if there is an interval; figures in 0..1, or differences."""
    value, low, high = estimate
    drawn = [dot(axis.at(100 * value), 50, FIRST)]
    if low is not None and high is not None:
        drawn.insert(0, line((axis.at(100 * low), axis.at(100 * high)), (50, 50), CURVE_FIRST))
    return drawn


def training_chart(log: Sequence[Evaluation]) -> Markup:
    """Draw F1 on dev and the losses, by epoch."""
    epochs = axis_of(
        [evaluation.epoch for evaluation in log], "epoch", least=min(evaluation.epoch for evaluation in log)
    )
    whole = [value for value in epochs.ticks if value == int(value)]
    epochs = Axis(epochs.low, epochs.high, whole, epochs.label)
    losses = sorted({name for evaluation in log for name in evaluation.losses})
    f1 = [(evaluation.epoch, 100 * evaluation.f1) for evaluation in log]
    series = [("F1 on dev", f1, axis_of([value for _, value in f1], least=0, most=100))]
    for name in losses:
        known = [(evaluation.epoch, value) for evaluation in log if (value := evaluation.losses.get(name)) is not None]
        series.append((f"loss of {name}", known, magnitude_axis([value for _, value in known])))
    drawn = []
    for title, points, axis in series:
        places = [(epochs.at(epoch), axis.at(value)) for epoch, value in points]
        drawn.append(panel(title, (epochs, axis), [curve(places, CURVE_FIRST), *(dot(*at, FIRST, 3) for at in places)]))
    return panels(
        drawn, label="F1 on dev by evaluation: " + ", ".join(f"{100 * evaluation.f1:.1f}" for evaluation in log)
    )


def confidence_chart(histogram: Histogram) -> Markup:
    """Draw a histogram of the confidences of right and wrong predictions."""
    totals = [right + wrong for right, wrong in zip(histogram.correct, histogram.wrong, strict=True)]
    x, y = Axis(0, 100, PER_CENT, "confidence, %"), axis_of([0, *totals], "predictions")
    step, drawn = 100 / len(totals), []
    for n, (right, total) in enumerate(zip(histogram.correct, totals, strict=True)):
        place = (x.at(step * n) + 0.3, x.at(step * (n + 1)) - 0.3)
        drawn += [bar(place, (0, y.at(right)), FIRST), bar(place, (y.at(right), y.at(total)), WRONG)]
    label = f"{sum(histogram.correct):,} right and {sum(histogram.wrong):,} wrong predictions by confidence"
    return panels([panel("", (x, y), drawn, is_wide=True)], label=label, legend=[(FIRST, "right"), (WRONG, "wrong")])


def reliability_chart(certainty: Mapping[str, Certainty]) -> Markup:
    """Draw precision against confidence, before and after calibration, overall and by type."""
    x, y = Axis(0, 100, PER_CENT, "mean confidence, %"), Axis(0, 100, PER_CENT, "")
    drawn = []
    for label, calibration in certainty.items():
        marks = [line((0, 100), (0, 100), SOFT)]
        for reliability, kind, radius in (
            (calibration.before, f"{SECOND} faint", 2.5),
            (calibration.after, FIRST, 3.5),
        ):
            marks += [mark for part in reliability.bins for mark in _bin(part, (x, y), kind, radius)]
        marks += [
            words(f"{x.at(50 * (part.low + part.high)):.1f}%", "-7", str(part.n)) for part in calibration.after.bins
        ]
        drawn.append(panel(short(label) or "all types", (x, y), marks))
    errors = ", ".join(
        f"{label or ALL_TYPES} {100 * calibration.before.ece:.1f} before, {100 * calibration.after.ece:.1f} after"
        for label, calibration in certainty.items()
    )
    legend = [(SECOND, "before calibration"), (FIRST, "after calibration"), (f"{SOFT} line", "confidence = precision")]
    return panels(drawn, label=f"Calibration error: {errors}", legend=legend)


def _bin(part: ReliabilityBin, axes: tuple[Axis, Axis], kind: str, radius: float) -> list[str]:
    """Draw a dot, and a line for the interval of its precision."""
    x, y = axes
    at = x.at(100 * part.confidence)
    drawn = [dot(at, y.at(100 * part.precision), kind, radius)]
    if part.precision_low is not None and part.precision_high is not None:
        drawn.insert(0, line((at, at), (y.at(100 * part.precision_low), y.at(100 * part.precision_high)), kind))
    return drawn


def threshold_chart(certainty: Mapping[str, Certainty]) -> Markup:
    """Draw precision and recall against the minimum confidence, overall and by type."""
    x, y = Axis(0, 100, PER_CENT, "minimum confidence, %"), Axis(0, 100, PER_CENT, "")
    drawn = []
    for label, calibration in certainty.items():
        at = [x.at(100 * point.confidence) for point in calibration.curve]
        precision, recall = (
            [y.at(100 * getattr(point, name)) for point in calibration.curve] for name in ("precision", "recall")
        )
        marks = [curve(list(zip(at, precision, strict=True)), CURVE_FIRST)]
        marks.append(curve(list(zip(at, recall, strict=True)), CURVE_SECOND))
        if calibration.least is not None:
            marks.insert(0, line((x.at(100 * calibration.least),) * 2, (0, 100), f"{WRONG} dash"))
        drawn.append(panel(short(label) or "all types", (x, y), marks))
    description = "Precision and recall against the minimum confidence, by type"
    legend = [(f"{FIRST} line", "precision"), (f"{SECOND} line", "recall")]
    if any(calibration.least is not None for calibration in certainty.values()):
        legend.append((f"{WRONG} dash", "reported from"))
    return panels(drawn, label=description, legend=legend)
