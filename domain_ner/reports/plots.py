"""What charts are drawn with: SVG whose places are per cent of the plot, so that a chart takes the width there is, and
its letters keep their size on a phone. Colours are classes of `charts.css`. Knows no evaluation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from markupsafe import Markup

from domain_ner.reports.pages import render

# Classes of charts.css: two series, what is good and what is wrong, what is beside the point, and the grid.
FIRST, SECOND, TARGET, WRONG, SOFT, GRID = "a", "b", "t", "w", "n", "g"
# Classes of chart.svg.j2: as many colours as can be told apart, for series of which none is the first; their sum.
SERIES, SUM = tuple(f"s{n}" for n in range(8)), "sum"
MAX_TICKS = 6
# Of a chart in a file: places across in per cent, so that it takes the width there is; places from above in pixels.
LEFT, MIDDLE, WIDTH = "10%", "52%", "84%"
TOP, PLOT_HEIGHT, FOOT, LINE_HEIGHT = 44, 320, 64, 22
# Letters of a name for which half of a phone's width is enough.
MAX_NAME = 15
# From so many times the smallest value on, orders of magnitude read better than steps.
MANY_TIMES = 20


@dataclass(frozen=True)
class Axis:
    """A range of values, with marks at some; what lies outside is drawn at its edge. is_log: by orders of magnitude."""

    low: float
    high: float
    ticks: Sequence[float]
    label: str = ""
    is_log: bool = False

    def at(self, value: float) -> float:
        """The place of a value, in per cent of the axis."""
        low, value, high = (log10(bound) if self.is_log else bound for bound in (self.low, value, self.high))
        return 100 * min(1.0, max(0.0, (value - low) / (high - low)))


def axis_of(values: Iterable[float], label: str = "", *, least: float | None = None, most: float | None = None) -> Axis:
    """An axis with room for all values and marks at round ones. least, most: an end that it does not go beyond."""
    known = list(values) or [0.0]
    low, high = min(known), max(known)
    if low == high:
        low, high = low - 1, high + 1
    step = _round_step((high - low) / (MAX_TICKS - 1))
    low, high = step * floor(low / step), step * ceil(high / step)
    low, high = low if least is None else max(low, least), high if most is None else min(high, most)
    ticks = [step * n for n in range(ceil(low / step), floor(high / step) + 1)]
    return Axis(low, high, ticks, label)


def magnitude_axis(values: Iterable[float], label: str = "") -> Axis:
    """An axis for values above 0 that differ by orders of magnitude; else one that begins at 0."""
    known = list(values)
    if not known or min(known) <= 0 or max(known) / min(known) < MANY_TIMES:
        return axis_of([0, *known], label)
    first, last = floor(log10(min(known))), ceil(log10(max(known)))
    return Axis(10.0**first, 10.0**last, [10.0**n for n in range(first, last + 1)], label, is_log=True)


def _round_step(step: float) -> float:
    """The next of 1, 2, 5, 10, 20 …"""
    size = 10.0 ** floor(log10(step))
    return next(size * n for n in (1, 2, 5, 10) if size * n >= step * (1 - 1e-9))


def line(x: tuple[float, float], y: tuple[float, float], kind: str) -> str:
    """A straight line; places in per cent, y from the bottom. kind: classes."""
    places = f'x1="{x[0]:.2f}%" y1="{100 - y[0]:.2f}%" x2="{x[1]:.2f}%" y2="{100 - y[1]:.2f}%"'
    return f'<line class="{kind}" {places}/>'


def dot(x: float, y: float, kind: str, radius: float = 4) -> str:
    """A point; places in per cent. radius: in pixels."""
    return f'<circle class="{kind}" cx="{x:.2f}%" cy="{100 - y:.2f}%" r="{radius:g}"/>'


def bar(x: tuple[float, float], y: tuple[float, float], kind: str) -> str:
    """A bar from corner to corner; places in per cent."""
    place = f'x="{x[0]:.2f}%" y="{100 - y[1]:.2f}%" width="{x[1] - x[0]:.2f}%" height="{y[1] - y[0]:.2f}%"'
    return f'<rect class="{kind}" {place}/>'


def curve(points: Sequence[tuple[float, float]], kind: str) -> str:
    """A line through points, empty for fewer than two; places in per cent."""
    if len(points) < 2:
        return ""
    places = " ".join(f"{x:.1f},{100 - y:.1f}" for x, y in points)
    return (
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" class="curve"><polyline class="{kind}" '
        f'points="{places}"/></svg>'
    )


def words(x: str, y: str, text: str, anchor: str = "middle") -> str:
    """Letters at a place, in CSS units. anchor: start, middle or end."""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def panel(title: str, axes: tuple[Axis, Axis], marks: Iterable[str], *, is_wide: bool = False) -> Markup:
    """A small chart with both axes.

    title: above it. axes: x and y. marks: what is drawn, the first undermost. is_wide: takes the whole width.
    """
    y = axes[1]
    name = f"{title} ({y.label})" if y.label and title else title or y.label
    svg = f'<svg class="plot">{"".join([_axes(axes), *marks])}{_label(axes[0])}</svg>'
    return Markup(f'<div class="panel{" wide" if is_wide else ""}"><p>{escape(name)}</p>{svg}</div>')


def chart_file(
    title: str, axes: tuple[Axis, Axis], marks: Iterable[str], *, label: str, legend: Sequence[tuple[str, str]]
) -> str:
    """A chart as an SVG file of its own, in the colours of the pages, light and dark.

    title, axes, marks: as of `panel`. label: what it says, for those who cannot see it. legend: (what is drawn, name),
    below the chart, in two columns if the names are short.
    """
    n_columns = 1 if any(len(name) > MAX_NAME for _, name in legend) else 2
    n_lines, foot = ceil(len(legend) / n_columns), TOP + PLOT_HEIGHT + FOOT
    places = [(LEFT if n < n_lines else MIDDLE, foot + LINE_HEIGHT * (n % n_lines)) for n in range(len(legend))]
    return render(
        "chart.svg.j2",
        title=title,
        label=label,
        left=LEFT,
        width=WIDTH,
        top=TOP,
        plot_height=PLOT_HEIGHT,
        line_height=LINE_HEIGHT,
        height=foot + LINE_HEIGHT * n_lines + LINE_HEIGHT // 2,
        n_series=len(SERIES),
        plot=Markup("".join([_axes(axes), *marks, _label(axes[0])])),
        legend=[(x, y, Markup(drawn), name) for (x, y), (drawn, name) in zip(places, legend, strict=True)],
    )


def _axes(axes: tuple[Axis, Axis]) -> str:
    x, y = axes
    drawn = [line((0, 100), (y.at(value), y.at(value)), GRID) for value in y.ticks]
    drawn += [words("-6", f"{100 - y.at(value):.2f}%", _number(value), "end") for value in y.ticks]
    return "".join(drawn + [_below(x, value) for value in x.ticks])


def _label(x: Axis) -> str:
    return f'<text class="label" x="50%" y="100%" dy="34" text-anchor="middle">{escape(x.label)}</text>'


def _below(x: Axis, value: float) -> str:
    return f'<text x="{x.at(value):.2f}%" y="100%" dy="17" text-anchor="middle">{_number(value)}</text>'


def _number(value: float) -> str:
    return f"{round(value, 6):,.10g}".replace("-", "−")


def panels(charts: Iterable[Markup], *, label: str, legend: Sequence[tuple[str, str]] = ()) -> Markup:
    """Charts side by side as one figure. label: what it says, for those who cannot see it. legend: (classes, name)."""
    return _figure("panels", "".join(charts), label, legend)


def rows(
    lines: Iterable[tuple[str, str, Sequence[str]]],
    axis: Axis,
    *,
    label: str,
    legend: Sequence[tuple[str, str]] = (),
    marks: Sequence[str] = (),
) -> Markup:
    """A chart with a line for each name, the first on top.

    lines: name, value in words, and what is drawn. axis: x of all. marks: drawn in every line. label, legend: as of
    `panels`.
    """
    grid = "".join([*(line((axis.at(value),) * 2, (0, 100), GRID) for value in axis.ticks), *marks])
    body = [
        f'<div class="row"><span>{escape(name)}</span><svg class="track">{grid}{"".join(drawn)}</svg>'
        f"<span>{escape(value)}</span></div>"
        for name, value, drawn in lines
    ]
    ticks = "".join(words(f"{axis.at(value):.2f}%", "12", _number(value)) for value in axis.ticks)
    named = words("50%", "28", axis.label)
    foot = f'<div class="row foot"><span></span><svg class="track">{ticks}{named}</svg><span></span></div>'
    return _figure("rows", "".join([*body, foot]), label, legend)


def _figure(kind: str, body: str, label: str, legend: Sequence[tuple[str, str]]) -> Markup:
    keys = "".join(f'<span><i class="key {classes}"></i>{escape(name)}</span>' for classes, name in legend)
    key_line = f'<p class="legend">{keys}</p>' if keys else ""
    return Markup(
        f'<figure class="{kind}" role="img" aria-label="{escape(label)}">{key_line}<div>{body}</div></figure>'
    )
