"""Renders a simulation of annotation as Markdown and as a chart."""

from collections.abc import Sequence
from statistics import fmean

from domain_ner.reports import plots
from domain_ner.reports.learning_curve_report import curve_key, placed
from domain_ner.reports.markdown import table
from domain_ner.reports.numbers import percent
from domain_ner.reports.plots import Axis, axis_of
from domain_ner.selecting.schema import Round, Simulation
from domain_ner.selecting.strategies import RANDOM


def mean_f1(one: Round) -> str:
    """The mean F1 of the seeds, in per cent."""
    return percent(fmean(one.f1))


def needed_rows(simulation: Simulation) -> list[list[str]]:
    """A head, and a row for each strategy: passages needed for each tolerance, and the share of those by chance."""
    first = next(iter(simulation.strategies.values()))
    head = ["strategy", *(_aim(one.points) for one in first.needed)]
    rows = []
    for name, curve in simulation.strategies.items():
        cells = []
        for one in curve.needed:
            share = "" if one.share is None or name == RANDOM else f" ({100 * one.share:.0f} %)"
            cells.append("not reached" if one.n_passages is None else f"{one.n_passages:,}{share}")
        rows.append([name, *cells])
    return [head, *rows]


def _aim(points: float) -> str:
    return f"F1 of all, less {points:g}" if points else "F1 of all"


def simulation_markdown(simulation: Simulation) -> str:
    """Render the F1 of each strategy by size, what each costs to read, and how many passages each needs."""
    head, *rows = needed_rows(simulation)
    parts = [
        "# What choosing passages saves",
        f"{simulation.n_pool:,} annotated passages, replayed from {simulation.n_seeds} first parts. Scored on "
        f"{simulation.n_test:,} test passages. All passages give an F1 of {percent(fmean(simulation.full))} "
        f"({' / '.join(map(percent, simulation.full))}).",
        "## Passages needed, and the share of those that random choice needs",
        table(head, rows),
        "## By number of passages",
        table(
            ["strategy", "passages", "tokens", "entities", "F1, mean", "F1 of each seed"],
            (
                [
                    name, f"{one.n_passages:,}", f"{one.n_tokens:,.0f}", f"{one.n_entities:,.0f}", mean_f1(one),
                    " / ".join(map(percent, one.f1)),
                ]
                for name, curve in simulation.strategies.items()
                for one in curve.rounds
            ),
        ),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def simulation_chart(simulation: Simulation) -> str:
    """Draw the mean F1 of each strategy over the number of passages, as an SVG file."""
    points = {name: _points(curve.rounds) for name, curve in simulation.strategies.items()}
    full = 100 * fmean(simulation.full)
    sizes = [n for n, _ in points[RANDOM]]
    x = Axis(0, sizes[-1], sizes, "annotated passages")
    f1 = [value for one in points.values() for _, value in one]
    y = axis_of([*f1, full], least=0, most=100)
    line_kind = f"{plots.SOFT} dash"
    marks = [plots.line((0, 100), (y.at(full),) * 2, line_kind)]
    legend = []
    for n, (name, of_strategy) in enumerate(points.items()):
        colour = plots.SERIES[n % len(plots.SERIES)]
        places = placed(of_strategy, x, y)
        marks += [plots.curve(places, f"{colour} strong"), *(plots.dot(*place, colour) for place in places)]
        legend.append((curve_key(f"{colour} strong", colour), name))
    figures = ", ".join(f"{name} {of_strategy[-2][1]:.1f}" for name, of_strategy in points.items())
    return plots.chart_file(
        "Test F1 by number of annotated passages",
        (x, y),
        marks,
        label=f"Test F1 with {sizes[-2]:,} of {sizes[-1]:,} passages: {figures}",
        legend=[*legend, (curve_key(line_kind), f"all passages {full:.1f}")],
    )


def _points(rounds: Sequence[Round]) -> list[tuple[float, float]]:
    return [(one.n_passages, 100 * fmean(one.f1)) for one in rounds]
