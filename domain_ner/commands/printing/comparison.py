"""What `compare` prints: both scores by type, and how fast and large the pipelines are."""

from domain_ner.commands.console import out, say, table
from domain_ner.evaluation.comparison import EQUAL, Compared, Comparison
from domain_ner.reports.comparison_markdown import difference, interval, p_value
from domain_ner.reports.numbers import percent


def print_comparison(comparison: Comparison) -> None:
    """Print both scores by type, and whether they differ by more than luck."""
    first, second = comparison.first, comparison.second
    title = f"{second.source} (now) against {first.source} (before)"
    printed = table("type", "before", "now", "difference", "95 %", "p (Holm)", "", title=title)
    for label, one in comparison.by_type.items():
        printed.add_row(label, *_figures(one))
    printed.add_section()
    printed.add_row("micro", *_figures(comparison.overall))
    out.print(printed)
    for name, system in (("before", first), ("now", second)):
        say(f"{name}: {system.words_s:,.0f} words a second, {system.size_mb:.1f} MB")


def _figures(one: Compared) -> list[str]:
    shares = [percent(one.first), percent(one.second), difference(one.difference), interval(one)]
    return [*shares, p_value(one.p_holm), "" if one.verdict == EQUAL else one.verdict]
