"""Prints the result of `next-batch`: the passages with their reasons, and what was left out."""

from collections.abc import Sequence
from pathlib import Path

from domain_ner.annotations.passages import Passage
from domain_ner.commands.console import say, warn
from domain_ner.selecting.choosing import Chosen
from domain_ner.selecting.tasks import PRIORITY, WHY

SHOWN = 10
# Tokens of a passage that nobody annotates in one go.
LONG = 1_000


def print_batch(tasks: Sequence[Passage], chosen: Chosen, target: Path, n: int) -> None:
    """Print the first tasks, the expected errors in all of them, and what was left out. n: of tasks asked for."""
    say(f"the first of {len(tasks)} passages to annotate, with their scores:")
    for task in tasks[:SHOWN]:
        say(f"{task.meta[PRIORITY]:7.2f}  {task.document}: {task.meta[WHY]}")
    n_errors = sum(choice.measured.n_errors for choice in chosen.choices)
    by_chance = len(tasks) * chosen.n_errors / chosen.n_seen
    say(f"{n_errors:.0f} errors are expected in these {len(tasks)} passages; in as many at random, {by_chance:.0f}")
    say(
        f"{chosen.n_seen:,} passages; left out: {chosen.n_annotated:,} annotated or nearly so, {chosen.n_given:,} of"
        f" earlier batches, {chosen.n_alike:,} alike to another"
    )
    long = [choice for choice in chosen.choices if choice.measured.n_tokens > LONG]
    if long:
        most = max(choice.measured.n_tokens for choice in long)
        warn(
            f"{len(long)} of these passages have more than {LONG:,} tokens, the longest {most:,}: long ones have the"
            " most errors. Split them, or choose by --strategy errors-per-token."
        )
    if len(tasks) < n:
        warn(f"Only {len(tasks)} passages are left; {n} were asked for.")
    say(f"tasks: {target}, for Prodigy, Label Studio and doccano")
