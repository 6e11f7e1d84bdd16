"""Prints the summary of a training before it starts, and the spread of the scores over seeds after it."""

from collections.abc import Sequence

from domain_ner.commands.console import out, say, table
from domain_ner.encoders.card import EncoderCard
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.training.seeds import SeedRun, spread
from domain_ner.training.summary import TrainingSummary


def print_spread(runs: Sequence[SeedRun], best: SeedRun) -> None:
    """Print mean and standard deviation over the seeds."""
    printed = table("type", "precision", "recall", "F1", title=f"dev, {len(runs)} seeds: mean ± standard deviation")
    for name, statistics in spread(runs).items():
        printed.add_row(name, *(f"{100 * mean:.1f} ± {100 * sd:.1f}" for mean, sd in statistics.values()))
    out.print(printed)
    say(f"seed {best.seed} is best: dev F1 {100 * best.scores[ALL_TYPES]['f']:.1f}")


def print_summary(card: EncoderCard, summary: TrainingSummary, seeds: int) -> None:
    """Print the size of the training and its estimated time."""
    printed = table("training", "")
    printed.add_row("encoder", card.name)
    printed.add_row("parameters", f"{summary.n_parameters:,}")
    printed.add_row("passages (train / dev)", f"{summary.n_passages:,} / {summary.n_dev_passages:,}")
    if summary.n_silver:
        printed.add_row("silver passages among them", f"{summary.n_silver:,}")
    printed.add_row("mentions", f"{summary.n_mentions:,}")
    printed.add_row("tokens", f"{summary.n_tokens:,}")
    if summary.n_windows:
        printed.add_row("windows", f"{summary.n_windows:,}")
    each = f", from each of {seeds} seeds" if seeds > 1 else ""
    printed.add_row("steps", f"{summary.n_steps:,} in {summary.n_epochs} epoch{'s' * (summary.n_epochs != 1)}{each}")
    printed.add_row("time, at most", f"{seeds * summary.estimated_s / 60:.1f} min")
    out.print(printed)
