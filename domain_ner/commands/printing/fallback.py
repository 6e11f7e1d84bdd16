"""Prints the results of `add-fallback`: how far the model can be trusted, what it brings, and what it takes."""

from collections.abc import Mapping
from typing import Any

from domain_ner.commands.console import out, say, table, warn
from domain_ner.llm.budget import Prices
from domain_ner.llm.planning import Plan
from domain_ner.llm_fallback.fitting import Fitted
from domain_ner.llm_fallback.report import ALONE, BOTH, LLM, FallbackReport, labels_of
from domain_ner.metrics.scores import ALL_TYPES


def print_trust(fitted: Fitted, n_all: int, used: Mapping[str, Any]) -> None:
    """Print what was counted on dev. n_all: its passages. used: of the component's record."""
    say(f"{fitted.n_docs:,} of {n_all:,} passages of dev were asked for, in {used['calls']:,} calls")
    printed = table("type", "entities", "named %", "other spans", "named %", "right alone %", title="the model, on dev")
    for label, trust in fitted.trust.items():
        counts = fitted.entities[label], fitted.others[label]
        rates = (f"{100 * rate:.0f}" for rate in (trust.named, trust.misnamed, trust.alone))
        named, misnamed, alone = rates
        printed.add_row(label, f"{counts[0]:,}", named, f"{counts[1]:,}", misnamed, alone)
    out.print(printed)
    if used["failed"]:
        warn(f"without an answer: {', '.join(f'{n:,} ({reason})' for reason, n in used['failed'].items())}")


def print_fallback(report: FallbackReport) -> None:
    """Print F1 by type of the pipeline, the model and both, and what both took."""
    printed = table("F1 %", "entities", "pipeline", "model alone", "both", title="on test")
    for label in (ALL_TYPES, *labels_of(report)):
        rows = [report.scores[name].get(label) for name in (ALONE, LLM, BOTH)]
        support = next(row.support for row in rows if row)
        printed.add_row(label, f"{support:,}", *(f"{100 * row.f1:.1f}" if row else "" for row in rows))
    out.print(printed)
    used = report.used
    say(
        f"asked for {report.n_asked:,} of {report.n_passages:,} passages: {used['calls']:,} calls,"
        f" {used['tokens_in'] + used['tokens_out']:,} tokens, {used['cost']:.2f}"
    )
    say(f"{report.gain:+.1f} points of F1; {report.fewer_errors:,} errors fewer")
    if report.fewer_per_thousand is not None:
        say(f"for 1,000 passages that are asked for, {report.fewer_per_thousand:,.0f} errors fewer")


def print_plan(plan: Plan, prices: Prices, n_asked: int, n_all: int, n_test: int) -> None:
    """Print what fitting would take. n_asked, n_all: passages of dev. n_test: of test."""
    and_test = f" and {n_test:,} of test" * bool(n_test)
    say(f"{n_asked:,} of {n_all:,} passages of dev{and_test} would be asked for; {plan.n_cached:,} answers are cached")
    for name, calls, tokens in (("about", plan.calls, plan.estimate), ("at most", plan.most_calls, plan.most)):
        say(f"{name} {calls:,} calls, {tokens.total:,} tokens, {prices.of(tokens):.2f}")
