"""Prints the results of `review-sample`: the strata of a sample, and the scores and contracts of its review."""

from domain_ner.commands.console import out, say, table, warn
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports.numbers import percent
from domain_ner.reviewing.markdown import (
    UNKNOWN,
    about_contracts,
    contract_row,
    headline,
    still_missing,
    when_to_stop,
)
from domain_ner.reviewing.review_schema import Measure, Review, TypeReview
from domain_ner.reviewing.sample_schema import Sample


def print_sample(sample: Sample) -> None:
    """Print the strata: their passages, how many are in the sample, and with which probability."""
    printed = table("stratum", "passages", "drawn", "probability", "predicted")
    for stratum in sample.strata:
        probability = f"{100 * stratum.n_drawn / stratum.n_passages:.1f} %"
        figures = (f"{stratum.n_passages:,}", f"{stratum.n_drawn:,}", probability, f"{stratum.all.n_predicted:,}")
        printed.add_row(stratum.name, *figures)
    out.print(printed)
    say(f"{len(sample.tasks):,} of {sample.n_passages:,} distinct passages, from {sample.n_documents:,} documents")
    if sample.n_repeated:
        say(f"{sample.n_repeated:,} documents repeat a text, which counts once")
    if sample.n_wordless:
        say(f"{sample.n_wordless:,} documents have no word and are left out")
    if sample.n_failed:
        warn(f"{sample.n_failed:,} documents on which the pipeline failed are left out")


def print_review(review: Review) -> None:
    """Print scores with intervals, contracts, what is missing, and when to stop."""
    say(headline(review))
    printed = table("type", "precision", "recall", "F1", "predicted")
    for label, one in review.by_type.items():
        printed.add_row(label, *_figures(one))
    printed.add_section()
    printed.add_row(ALL_TYPES, *_figures(review.overall))
    out.print(printed)
    say(f"with {100 * review.level:g} % intervals for all {review.n_passages:,} passages")
    if review.contracts:
        contracts = table("contract", "estimate", "at least", "verdict", "more")
        for contract in review.contracts:
            name, estimate, bound, _, verdict, more = contract_row(contract)
            contracts.add_row(name, estimate, bound, verdict, more)
        out.print(contracts)
        say(about_contracts(review))
    warn(still_missing(review))
    say(when_to_stop(review))


def _figures(one: TypeReview) -> list[str]:
    return [*map(_with_interval, (one.precision, one.recall, one.f1)), f"{one.n_predicted:,}"]


def _with_interval(measure: Measure) -> str:
    """As narrow as a terminal's line needs."""
    if measure.value is None:
        return UNKNOWN
    return f"{percent(measure.value)} {percent(measure.low)}–{percent(measure.high)}"
