"""Renders the parity sheet of `optimize` as one self-contained HTML page."""

from collections.abc import Mapping
from datetime import date

from domain_ner.evaluation.parity_schema import Parity
from domain_ner.reports import charts
from domain_ner.reports import parity_words as words
from domain_ner.reports.highlights import palette, readable, short
from domain_ner.reports.numbers import MAX_ROWS
from domain_ner.reports.pages import render
from domain_ner.reports.parity_rows import calibration_rows, difference_rows, f1_rows, gains, promise_rows


def parity_page(parity: Parity, colours: Mapping[str, str] | None = None) -> str:
    """Render the page as self-contained HTML.

    colours: of types, `#rrggbb`; others come from a palette.
    """
    sides = (parity.trained, parity.optimized)
    labels = [label for side in sides for quality in (side.quality, side.long) for label in quality.f1_by_type]
    labels += [promise.label for promise in parity.promises]
    colours = palette(labels) | dict(colours or {})
    gained = gains(parity)
    factors = {gain.name: gain.factor for gain in gained if gain.factor is not None}
    return render(
        "parity.html.j2",
        parity=parity,
        words=words,
        today=date.today().isoformat(),
        max_rows=MAX_ROWS,
        short=short,
        colour_of=lambda label: readable(colours[label]),
        f1=f1_rows(parity.trained.quality, parity.optimized.quality),
        calibration=calibration_rows(parity),
        long=f1_rows(parity.trained.long, parity.optimized.long) if parity.long.n_texts else [],
        gains=gained,
        chart=charts.gains_chart(factors) if factors else "",
        differences=difference_rows(parity),
        promises=promise_rows(parity),
    )
