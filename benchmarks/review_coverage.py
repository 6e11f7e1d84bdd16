"""How often the intervals of review-sample hold the truth, and how often it proves a contract that is false.

Each population is made up, so that its truth is known. A sample of it is drawn and estimated again and again.
"""

from collections.abc import Sequence
from pathlib import Path

import typer
from _review.coverage import Coverage, cover
from _review.populations import make_truth

from domain_ner.commands.console import say, watched
from domain_ner.commands.main import run_function
from domain_ner.files import write_text

# Passages of the population, and of the sample.
SIZES = ((2000, 200), (5000, 400))
LOW, HIGH = 0.93, 0.97


def main(
    samples: int = typer.Option(1000, min=1, help="Samples of each population."),
    seed: int = typer.Option(0, help="Of populations and samples."),
    output: Path = typer.Option(Path("benchmarks/review_coverage.md"), help="The tables to write (Markdown)."),
) -> None:
    """Sample made-up populations again and again; write benchmarks/review_coverage.md, how often the truth is held."""
    parts = []
    for n_passages, n in SIZES:
        with watched(f"{n} of {n_passages:,}", samples) as on_sample:
            found = cover(make_truth(n_passages, seed), n, samples, seed=seed, on_sample=on_sample)
        parts.append(f"{n} of {n_passages:,} passages, {samples:,} samples:\n\n{_table(found, samples)}")
        say(parts[-1])
    write_text(output, "\n\n".join(parts) + "\n")
    say(f"written to {output}")


def _table(found: Sequence[Coverage], n: int) -> str:
    heads = (
        "type",
        "predicted",
        "measure",
        "truth",
        "held, %",
        "above, %",
        "below, %",
        "mean width",
        "falsely proven, %",
    )
    rows = [
        (
            one.label, f"{one.n_predicted:,}", one.measure, f"{100 * one.truth:.1f}", _held(one, n),
            f"{100 * one.n_below / n:.1f}", f"{100 * one.n_above / n:.1f}", f"{100 * one.width / n:.1f}",
            f"{100 * one.n_false / n:.1f}",
        )
        for one in found
    ]  # fmt: skip
    lines = [heads, ("---", "---:", "---", *["---:"] * 6), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _held(one: Coverage, n: int) -> str:
    share = round(1 - (one.n_below + one.n_above) / n, 6)
    return f"{100 * share:.1f}{'' if LOW <= share <= HIGH else ' !'}"


if __name__ == "__main__":
    run_function(main, "benchmark-review")
