"""Renders the report of `monitor` as one self-contained HTML page, with trends over windows."""

from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from domain_ner.monitoring.report import Figures, MonitorReport
from domain_ner.reports import monitor_words as words
from domain_ner.reports.charts import CURVE_FIRST
from domain_ner.reports.highlights import palette, readable, short
from domain_ner.reports.numbers import MAX_ROWS
from domain_ner.reports.pages import render
from domain_ner.reports.plots import FIRST, SOFT, Axis, axis_of, curve, dot, line, panel, panels

# Windows in the charts, the newest.
MAX_WINDOWS = 60
PER_CENT = 100.0
# Title, how to read it, its factor, and the largest value. Shares that are small begin at 0; so do rates.
TRENDS: tuple[tuple[str, Callable[[Figures], float | None], float, float | None], ...] = (
    ("estimated F1, %", lambda figures: figures.f1, PER_CENT, 100),
    ("mean confidence, %", lambda figures: figures.mean_confidence, PER_CENT, 100),
    ("unseen words, %", lambda figures: figures.unseen, PER_CENT, 100),
    ("documents without entity, %", lambda figures: figures.empty, PER_CENT, 100),
    ("entities per 1,000 tokens", lambda figures: figures.entities, 1.0, None),
    ("tokens per document", lambda figures: figures.tokens, 1.0, None),
)


def monitor_page(report: MonitorReport, colours: Mapping[str, str] | None = None) -> str:
    """Render the page as self-contained HTML.

    colours: of types, `#rrggbb`; others come from a palette.
    """
    labels = sorted({label for window in report.windows for label in window.by_type})
    labels += sorted({finding.label for window in report.windows for finding in window.findings} - {"", *labels})
    colours = palette(labels) | dict(colours or {})
    trend = trend_of(report)
    return render(
        "monitor.html.j2",
        report=report,
        words=words,
        max_rows=MAX_ROWS,
        short=short,
        colour_of=lambda label: readable(colours[label]),
        n_trend=len(trend),
        trend=trend_chart(trend, report.baseline) if len(trend) > 1 else "",
    )


def trend_of(report: MonitorReport) -> list[tuple[str, Figures]]:
    """Names and figures of all windows, those of earlier runs first, each once."""
    here = [(window.name, window.figures) for window in report.windows]
    before = [(past.name, past.figures) for past in report.history]
    return [row for row in before if row not in here] + here


def trend_chart(trend: Sequence[tuple[str, Figures]], baseline: Figures) -> Markup:
    """Draw each figure over the windows, beside the baseline's."""
    shown = trend[-MAX_WINDOWS:]
    x = _windows_axis(len(shown))
    drawn = []
    for title, read, factor, most in TRENDS:
        values = [None if (value := read(figures)) is None else factor * value for _, figures in shown]
        known = [(x.at(n + 1), value) for n, value in enumerate(values) if value is not None]
        if not known:
            continue
        before = read(baseline)
        level = [] if before is None else [factor * before]
        ends = [factor * end for _, figures in shown for end in (figures.f1_low, figures.f1_high) if end is not None]
        is_f1 = title.startswith("estimated")
        others = ends if is_f1 else [] if title.startswith("mean") else [0.0]
        y = axis_of([*(value for _, value in known), *level, *others], least=0, most=most)
        marks = [line((0, 100), (y.at(value), y.at(value)), f"{SOFT} dash") for value in level]
        if is_f1:
            marks += _intervals(shown, x, y)
        places = [(at, y.at(value)) for at, value in known]
        marks += [curve(places, CURVE_FIRST), *(dot(*place, FIRST, 3) for place in places)]
        drawn.append(panel(title, (x, y), marks))
    label = "Trends over " + ", ".join(name for name, _ in shown)
    return panels(drawn, label=label, legend=[(f"{FIRST} line", "windows"), (f"{SOFT} dash", "baseline")])


def _windows_axis(n: int) -> Axis:
    step = max(1, -(-n // 8))
    return Axis(0.5, n + 0.5, list(range(1, n + 1, step)), "window, the newest last")


def _intervals(shown: Sequence[tuple[str, Figures]], x: Axis, y: Axis) -> list[str]:
    return [
        line((x.at(n),) * 2, (y.at(100 * figures.f1_low), y.at(100 * figures.f1_high)), f"{FIRST} faint")
        for n, (_, figures) in enumerate(shown, 1)
        if figures.f1_low is not None and figures.f1_high is not None
    ]
