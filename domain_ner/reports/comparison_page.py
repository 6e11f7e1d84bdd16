"""Renders the comparison of two pipelines as one self-contained HTML page."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from domain_ner.evaluation.comparison import ALPHA, Change, Comparison
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports import charts
from domain_ner.reports.comparison_markdown import KINDS, difference, interval, p_value, verdict
from domain_ner.reports.highlights import palette, readable, short
from domain_ner.reports.numbers import FIRST_SHOWN, MAX_ROWS, MORE_SHOWN, most, percent
from domain_ner.reports.pages import render

# Changes on the page, the worse ones first; the others are in comparison.json.
MAX_CHANGES = 2000


def comparison_page(comparison: Comparison, colours: Mapping[str, str] | None = None) -> str:
    """Render the page as self-contained HTML.

    colours: of types, `#rrggbb`; others come from a palette.
    """
    labels = list(comparison.by_type)
    colours = palette(labels) | dict(colours or {})
    rows = {ALL_TYPES: comparison.overall, **comparison.by_type}
    drawn = [ALL_TYPES, *most(labels, {label: abs(rows[label].difference) for label in labels}, MAX_ROWS - 1)]
    return render(
        "comparison.html.j2",
        comparison=comparison,
        today=date.today().isoformat(),
        first_shown=FIRST_SHOWN,
        more_shown=MORE_SHOWN,
        verdict=verdict(comparison).replace("**", ""),
        chart=charts.differences_chart(
            {label: (rows[label].difference, rows[label].low, rows[label].high) for label in drawn}
        ),
        short=short,
        max_rows=MAX_ROWS,
        rows=rows,
        alpha=ALPHA,
        kinds=KINDS,
        counts=Counter(change.kind for change in comparison.changes),
        labels=labels,
        changes=[change_parts(change) for change in in_order(comparison)[:MAX_CHANGES]],
        percent=percent,
        difference=difference,
        interval=interval,
        p_value=p_value,
        colour_of=lambda label: readable(colours[label]),
    )


def in_order(comparison: Comparison) -> list[Change]:
    """Sort the changes, the worse ones first."""
    order = list(KINDS)
    return sorted(comparison.changes, key=lambda change: order.index(change.kind))


def change_parts(change: Change) -> dict[str, str]:
    """Split the text of a change in three parts."""
    return {
        "kind": change.kind,
        "label": change.label,
        "source": change.source,
        "before": change.text[: change.start],
        "words": change.text[change.start : change.end],
        "behind": change.text[change.end :],
    }
