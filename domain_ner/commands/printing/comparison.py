"""Prints the results of `compare`: both scores by type, and the speed and size of the pipelines."""

from domain_ner.commands.console import out, say, table
from domain_ner.evaluation.comparison import EQUAL, Compared, Comparison
from domain_ner.reports.comparison_markdown import difference, interval, p_value
from domain_ner.reports.numbers import percent


def print_comparison(comparison: Comparison) -> None:
    """Print both scores by type, and whether they differ significantly."""
    first, second = comparison.first, comparison.second
    title = f"{second.source} (now) against {first.source} (before)"
    printed = table("type", "before", "now", "difference", "95 %", "p (Holm)", "", title=title)
    for label, compared in comparison.by_type.items():
        printed.add_row(label, *_figures(compared))
    printed.add_section()
    printed.add_row("micro", *_figures(comparison.overall))
    out.print(printed)
    for name, system in (("before", first), ("now", second)):
        say(f"{name}: {system.words_s:,.0f} words per second, {system.size_mb:.1f} MB")


def _figures(compared: Compared) -> list[str]:
    shares = [percent(compared.first), percent(compared.second), difference(compared.difference), interval(compared)]
    return [*shares, p_value(compared.p_holm), "" if compared.verdict == EQUAL else compared.verdict]
