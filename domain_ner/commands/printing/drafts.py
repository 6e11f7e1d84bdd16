"""Prints the result of `draft`: suggestions by type and source, what was rejected or failed, and what it took."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from domain_ner.annotations.passages import Passage
from domain_ner.commands.console import out, say, table, warn
from domain_ner.drafting.run import Drafted, SourceCounts
from domain_ner.drafting.writing import Facts
from domain_ner.llm.budget import Prices, Tokens
from domain_ner.llm.planning import Plan

# Passages that a source could not read, of which so many are named.
SHOWN = 5


def print_draft(tasks: Sequence[Passage], drafted: Drafted, facts: Facts, files: Sequence[Path]) -> None:
    """Print suggestions by type, a line for each source, the calls of the LLM, and the files."""
    labels = sorted({span.label for task in tasks for span in task.spans})
    listed = table("type", "suggested", *drafted.counts)
    for label in labels:
        n_suggested = sum(span.label == label for task in tasks for span in task.spans)
        by_source = [f"{counts.proposed[label]:,}" for counts in drafted.counts.values()]
        listed.add_row(label, f"{n_suggested:,}", *by_source)
    out.print(listed)
    n_with = sum(bool(task.spans) for task in tasks)
    n_disputed = sum(voted.disagreement > 0 for voted in drafted.voted)
    say(f"{len(tasks):,} passages, {n_with:,} with suggestions; {n_disputed:,} are disputed or unsure, and come first")
    for name, counts in drafted.counts.items():
        _print_source(name, counts)
    _warn_of_failures(tasks, drafted)
    if facts.llm:
        _print_calls(facts.llm)
    say(f"tasks: {', '.join(map(str, files))}")


def _print_source(name: str, counts: SourceCounts) -> None:
    if counts.rejected:
        say(f"{name}: {counts.rejected.total():,} proposals rejected: {_listed(counts.rejected)}")
    if counts.problems:
        say(f"{name}: calls without a use: {_listed(counts.problems)}")


def _warn_of_failures(tasks: Sequence[Passage], drafted: Drafted) -> None:
    for name, counts in drafted.counts.items():
        if counts.failed:
            pairs = zip(tasks, drafted.order, strict=True)
            ids = [task.document for task, number in pairs if name in drafted.voted[number].failed]
            more = f" and {len(ids) - SHOWN:,} more, see draft.json" if len(ids) > SHOWN else ""
            named = ", ".join(ids[:SHOWN])
            warn(f"{name} could not read {len(ids):,} passages ({_listed(counts.failed)}): {named}{more}.")
            say("They are among the tasks. Where no answer came, the next run asks again.")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {n:,}" for reason, n in counts.items())


def _print_calls(llm: Mapping[str, Any]) -> None:
    repeated = sum(llm["repeated"].values())
    cost = f", cost {llm['cost']:,.4f}" if llm["cost"] else ""
    say(
        f"llm: {llm['calls']:,} calls ({repeated:,} repeated), {llm['from_cache']:,} answers from the cache,"
        f" {llm['tokens_in']:,} tokens sent, {llm['tokens_out']:,} received{cost}"
    )
    if llm["uncounted"]:
        n_answers = f"{llm['uncounted']:,} answers"
        say(f"llm: the server did not count the tokens of {n_answers}; the most that they can have is counted")


def print_plan(plan: Plan, n_passages: int, prices: Prices) -> None:
    """Print what a run would take: about, and at most."""
    say(f"{n_passages:,} passages; {plan.n_cached:,} answers are in the cache")
    say(f"about {plan.calls:,} calls, {_tokens(plan.estimate)}{_money(plan.estimate, prices)}")
    say(f"at most {plan.most_calls:,} calls, {_tokens(plan.most)}{_money(plan.most, prices)}, without repetitions")
    say("Nothing was asked.")


def _tokens(tokens: Tokens) -> str:
    return f"{tokens.prompt:,} tokens sent, {tokens.answer:,} received"


def _money(tokens: Tokens, prices: Prices) -> str:
    return f", cost {prices.of(tokens):,.4f}" if prices.prompt or prices.answer else ""
