"""Charts of an evaluation as SVG for a page: drawn by matplotlib, coloured by the page's own style sheet."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from markupsafe import Markup

from domain_ner.errors import DomainNerError
from domain_ner.evaluation.schema import Certainty, Evaluation, Figure, Histogram, Shapes
from domain_ner.reports.highlights import short

# matplotlib knows no variables of a style sheet: it draws in these colours, and the page's take their place.
TEXT, SOFT, LINE, FIRST, SECOND, WRONG = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
COLOURS = {
    TEXT: "var(--fg)",
    SOFT: "var(--soft)",
    LINE: "var(--line)",
    FIRST: "var(--link)",
    SECOND: "var(--warning)",
    WRONG: "var(--error)",
}
STYLE = {
    "svg.fonttype": "none",  # letters stay letters
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": TEXT,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": TEXT,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "grid.color": LINE,
    "legend.frameon": False,
    "legend.labelcolor": TEXT,
}
ROW, WIDTH = 0.34, 7.2
N_COLUMNS = 3
ID = re.compile(r' id="([^"]*)"')
USED = re.compile(r'(?:url\(#|href="#)([^)"]+)')


def drawn(draw: Callable[[Any], None], *, height: float, label: str, name: str, width: float = WIDTH) -> Markup:
    """A chart as SVG. draw: draws on a matplotlib figure of that size, in inches. label: what it shows, for those who
    cannot see it. name: its own on the page.

    Raises DomainNerError when matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context  # noqa: PLC0415 (only the page needs it)
        from matplotlib.figure import Figure as Canvas  # noqa: PLC0415
    except ImportError as err:
        raise DomainNerError("The charts of the report need matplotlib.", "pip install -r requirements.txt") from err
    stream = io.StringIO()
    with rc_context(STYLE | {"svg.hashsalt": name}):
        canvas = Canvas(figsize=(width, height), layout="constrained")
        draw(canvas)
        canvas.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _embedded(stream.getvalue(), label, name)


def _embedded(svg: str, label: str, name: str) -> Markup:
    """SVG as a figure of a page: without the file's head, ids that nothing uses, fixed sizes and fixed colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    used = set(USED.findall(svg))
    svg = ID.sub(lambda match: match[0] if match[1] in used else "", svg)
    for sentinel, colour in COLOURS.items():
        svg = svg.replace(sentinel, colour)
    box = re.search(r'viewBox="[^"]*"', svg)
    opening = f'<svg {box[0] if box else ""} role="img" aria-label="{escape(label)}">'
    svg = re.sub(r"<svg[^>]*>", lambda _: opening, svg, count=1)
    return Markup(f'<figure tabindex="0" role="region" aria-label="Chart: {escape(name)}">{svg}</figure>')


def scores_chart(by_type: Mapping[str, Figure], *, target: float, floor: float) -> Markup:
    """F1 of each type with its interval, against target and floor."""

    def draw(canvas: Any) -> None:
        axes = canvas.subplots()
        _intervals(axes, [(label, one.value, one.low, one.high) for label, one in by_type.items()])
        for value, name, at in ((floor, "floor", "right"), (target, "target", "left")):
            axes.axvline(100 * value, color=SECOND, linewidth=1, linestyle="--")
            axes.annotate(
                f" {name} {100 * value:.0f} ", (100 * value, 1), xycoords=("data", "axes fraction"), ha=at, color=SECOND
            )
        axes.set_xlabel("F1")

    told = ", ".join(f"{label} {100 * one.value:.1f}" for label, one in by_type.items())
    return drawn(draw, height=1 + ROW * len(by_type), label=f"F1 by type: {told}", name="scores")


def shapes_chart(found: Shapes) -> Markup:
    """What each kind of worse shape costs in F1, with its interval."""
    return differences_chart({one.name: (one.difference, one.low, one.high) for one in found.shapes}, name="shapes")


def differences_chart(
    rows: Mapping[str, tuple[float, float | None, float | None]], *, name: str = "differences"
) -> Markup:
    """Differences in F1 with their intervals, -1..1; name: of the chart on its page."""

    def draw(canvas: Any) -> None:
        axes = canvas.subplots()
        _intervals(axes, [(label, *figures) for label, figures in rows.items()])
        axes.axvline(0, color=SOFT, linewidth=1)
        axes.set_xlabel("difference in F1, points")

    told = ", ".join(f"{label} {100 * value:+.1f}" for label, (value, _, _) in rows.items())
    return drawn(draw, height=0.8 + ROW * len(rows), label=f"Difference in F1: {told}", name=name)


def _intervals(axes: Any, rows: Sequence[tuple[str, float, float | None, float | None]]) -> None:
    """A dot and a line for each row, the first on top; figures in 0..1, or differences."""
    for n, (_, value, low, high) in enumerate(rows):
        if low is not None and high is not None:
            axes.plot([100 * low, 100 * high], [n, n], color=FIRST, linewidth=2, solid_capstyle="butt")
        axes.plot([100 * value], [n], "o", color=FIRST, markersize=6)
    axes.set_yticks(range(len(rows)), [_tick(name) for name, *_ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.7)
    axes.tick_params(axis="y", length=0, labelcolor=TEXT)
    axes.grid(axis="x", linewidth=0.6)
    axes.set_axisbelow(True)


def _tick(label: str) -> str:
    """A label as matplotlib writes it: short, and no dollar of it begins a formula."""
    return short(label).replace("$", r"\$")


def training_chart(rows: Sequence[Evaluation]) -> Markup:
    """F1 on dev and the losses, by epoch."""

    def draw(canvas: Any) -> None:
        left, right = canvas.subplots(1, 2)
        epochs = [one.epoch for one in rows]
        left.plot(epochs, [100 * one.f1 for one in rows], "o-", color=FIRST, markersize=4)
        left.set_title("F1 on dev")
        names = sorted({name for one in rows for name in one.losses})
        for name, colour in zip(names, (FIRST, SECOND, WRONG, SOFT), strict=False):
            right.plot(epochs, [one.losses.get(name) for one in rows], "o-", color=colour, markersize=4, label=name)
        right.set_title("loss between evaluations")
        right.set_yscale("symlog")
        right.legend()
        for axes in (left, right):
            axes.set_xlabel("epoch")
            axes.grid(axis="y", linewidth=0.6)
            axes.xaxis.get_major_locator().set_params(integer=True)

    told = ", ".join(f"{100 * one.f1:.1f}" for one in rows)
    return drawn(draw, height=2.8, label=f"F1 on dev by evaluation: {told}", name="training")


def confidence_chart(found: Histogram) -> Markup:
    """How confident the right and the wrong predictions are."""

    def draw(canvas: Any) -> None:
        axes = canvas.subplots()
        step = 100 / len(found.correct)
        at = [step * n for n in range(len(found.correct))]
        axes.bar(at, found.correct, width=0.9 * step, align="edge", color=FIRST, label="right")
        axes.bar(at, found.wrong, width=0.9 * step, align="edge", bottom=found.correct, color=WRONG, label="wrong")
        axes.set_xlabel("confidence, %")
        axes.set_ylabel("predictions")
        axes.legend(loc="upper left")
        axes.grid(axis="y", linewidth=0.6)
        axes.set_axisbelow(True)

    told = f"{sum(found.correct)} right and {sum(found.wrong)} wrong predictions by confidence"
    return drawn(draw, height=2.6, label=told, name="confidence")


def reliability_chart(certainty: Mapping[str, Certainty]) -> Markup:
    """Precision against confidence, before and after calibration, of all and by type."""

    def draw_one(axes: Any, one: Certainty) -> None:
        axes.plot([0, 100], [0, 100], color=LINE, linewidth=1)
        for found, colour, name in ((one.before, SECOND, "before"), (one.after, FIRST, "after")):
            at, right = ([100 * getattr(part, what) for part in found.bins] for what in ("confidence", "precision"))
            n_all = max(1, sum(part.n for part in found.bins))
            axes.plot(at, right, "-", color=colour, linewidth=1.2, label=name)
            axes.scatter(at, right, s=[4 + 60 * part.n / n_all for part in found.bins], color=colour)
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 102)

    told = ", ".join(
        f"{label or 'all'} {100 * one.before.ece:.1f} before, {100 * one.after.ece:.1f} after"
        for label, one in certainty.items()
    )
    axes_told = ("confidence, %", "right, %")
    return _grid(certainty, draw_one, axes_told, label=f"Calibration error: {told}", name="reliability")


def threshold_chart(certainty: Mapping[str, Certainty]) -> Markup:
    """Precision and recall against the least confidence, of all and by type."""

    def draw_one(axes: Any, one: Certainty) -> None:
        at = [100 * point.confidence for point in one.curve]
        axes.plot(at, [100 * point.precision for point in one.curve], color=FIRST, label="precision")
        axes.plot(at, [100 * point.recall for point in one.curve], color=SECOND, label="recall")
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 102)
        axes.grid(linewidth=0.6)

    told = "Precision and recall against the least confidence, by type"
    return _grid(certainty, draw_one, ("least confidence, %", "%"), label=told, name="thresholds")


def _grid(
    certainty: Mapping[str, Certainty],
    draw_one: Callable[[Any, Certainty], None],
    axes_told: tuple[str, str],
    *,
    label: str,
    name: str,
) -> Markup:
    """Small charts in a row of three, the first with the legend."""
    n_rows = -(-len(certainty) // N_COLUMNS)

    def draw(canvas: Any) -> None:
        grid = canvas.subplots(n_rows, N_COLUMNS, sharex=True, sharey=True, squeeze=False)
        flat = [axes for row in grid for axes in row]
        for axes, (kind, one) in zip(flat, certainty.items(), strict=False):
            draw_one(axes, one)
            axes.set_title(_tick(kind or "all"))
            axes.set_xlabel(axes_told[0])
            axes.tick_params(labelbottom=True)
        for axes in flat[len(certainty) :]:
            axes.set_visible(False)
        flat[0].set_ylabel(axes_told[1])
        flat[0].legend(fontsize=8)

    return drawn(draw, height=0.4 + 2.1 * n_rows, label=label, name=name)
