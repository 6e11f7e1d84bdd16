"""Renders a review as one self-contained HTML page."""

from collections.abc import Mapping
from datetime import date

from domain_ner.metrics.resampling import SCORE_NAMES
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports.highlights import palette, readable, short
from domain_ner.reports.pages import render
from domain_ner.reviewing import markdown
from domain_ner.reviewing.review_schema import Review


def review_page(review: Review, colours: Mapping[str, str] | None = None) -> str:
    """Render the page as self-contained HTML. colours: of types, `#rrggbb`; others come from a palette."""
    colours = palette(list(review.by_type)) | dict(colours or {})
    types = {ALL_TYPES: review.overall, **review.by_type}
    state = "unclear" if not review.contracts else "passed" if review.is_proven else "failed"
    return render(
        "review.html.j2",
        title=f"Review of {markdown.pipeline_name(review)}",
        today=date.today().isoformat(),
        state=state,
        headline=markdown.headline(review),
        stop=markdown.when_to_stop(review),
        contracts=[(contract, markdown.contract_row(contract)) for contract in review.contracts],
        contract_heads=markdown.CONTRACT_HEADS,
        about_contracts=markdown.about_contracts(review),
        heads=markdown.HEADS,
        types={label: markdown.type_row(label, one) for label, one in types.items()},
        about_scores=markdown.about_scores(review),
        measures=SCORE_NAMES,
        more={label: markdown.more_row(label, one) for label, one in types.items()},
        about_more=markdown.about_more(review),
        missing=markdown.still_missing(review),
        stratum_heads=markdown.STRATUM_HEADS,
        strata=markdown.stratum_rows(review),
        short=short,
        colour_of=lambda label: readable(colours[label]),
    )
