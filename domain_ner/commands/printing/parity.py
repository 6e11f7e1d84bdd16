"""Prints the parity sheet of `optimize`: the trained pipeline and the optimised one side by side."""

from domain_ner.commands.console import out, say, table
from domain_ner.evaluation.parity_schema import Difference, Parity
from domain_ner.reports.numbers import percent
from domain_ner.reports.parity_rows import parity_rows


def print_parity(parity: Parity) -> None:
    """Print scores, speed and memory of both, and how their predictions differ."""
    printed = table("", "trained", parity.runtime, title=f"trained and optimised pipeline on {parity.corpus}")
    for row in parity_rows(parity):
        printed.add_row(*row)
    out.print(printed)
    say(f"against the trained pipeline: {_in_words(parity.difference)}")
    say(f"on long documents: {_in_words(parity.long)}")
    say(f"a text alone against the same text in random batches: {_in_words(parity.alone)}")
    for promise in parity.promises:
        fitted = ", fitted anew" if promise.refitted else ""
        bound = percent(promise.bound)
        say(f"{promise.label}: precision on dev of at least {bound} (promised {promise.promised:g}{fitted})")


def _in_words(difference: Difference) -> str:
    return (
        f"{difference.n_different} of {difference.n_entities:,} entities differ; confidences differ by"
        f" {difference.confidence_largest:.4f} at most, {difference.confidence_mean:.5f} on average"
    )
