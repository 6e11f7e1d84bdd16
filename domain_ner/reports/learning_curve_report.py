"""Renders a learning curve as Markdown and as a chart."""

from typing import Any

from domain_ner.evaluation.learning_curve import MORE, ExpectedF1, LearningCurve, TypeCurve
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports.highlights import short
from domain_ner.reports.markdown import table
from domain_ner.reports.numbers import MAX_COLUMNS, most, percent

# matplotlib's colours repeat after so many curves, then with another marker.
N_COLOURS, MARKERS = 10, "osD^"
OF_ALL: dict[str, Any] = {"color": "black", "linewidth": 2.5}


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


def learning_curve_chart(curve: LearningCurve) -> Any:
    """Draw the scores by type over the number of passages, and the expected scores beyond; a matplotlib figure."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (only the chart needs it)

    canvas = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = canvas.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    # Too many curves would hide one another: only the types with most entities are drawn.
    support = {label: type_curve.support for label, type_curve in curve.by_type.items()}
    for n, label in enumerate(most(support, support, MAX_COLUMNS)):
        type_curve = curve.by_type[label]
        sizes = [size.n_passages for size in type_curve.sizes]
        [line] = axes.plot(
            sizes,
            [100 * sum(size.f1) / len(size.f1) for size in type_curve.sizes],
            MARKERS[n // N_COLOURS % len(MARKERS)] + "-",
            label=short(label).replace("$", r"\$"),
            **(OF_ALL if label == ALL_TYPES else {}),
        )
        if type_curve.now is not None:
            now, base = type_curve.now.f1, curve.n_passages
            further = [base, *(base + n for n in MORE)]
            axes.plot(
                further, [100 * now, *(100 * (now + type_curve.more[n].f1) for n in MORE)], ":", color=line.get_color()
            )
    target = f"target {100 * curve.target_f1:.0f}"
    axes.axhline(100 * curve.target_f1, color="grey", linewidth=1, linestyle="--", label=target)
    axes.set_xscale("log")
    ticks = [*(size.n_passages for size in next(iter(curve.by_type.values())).sizes), curve.n_passages + MORE[-1]]
    axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axes.minorticks_off()
    axes.set_xlabel("passages (dotted: expected)")
    axes.set_ylabel("test F1")
    axes.grid(linewidth=0.4)
    canvas.legend(loc="outside right upper", frameon=False)  # within the axes it would hide curves
    return canvas
