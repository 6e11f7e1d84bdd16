"""What it costs when nobody annotated many tokens of the training data: left unknown, and taken for no entity."""

import random
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import typer
from _peers.common import Task, f1_scores
from _peers.ours import train
from spacy.training import Example

from domain_ner.crf_ner import targets
from domain_ner.crf_ner.loss import KnownTags, span_tags

Tags = list[int | None]
Find = Callable[[Example, tuple[str, ...]], KnownTags]
Change = Callable[[Tags, Sequence[bool], int], Tags]


def main(
    corpora: list[Path] = typer.Argument(..., help="Folders with train, dev and test, each .conll or .spacy."),
    encoder: Path = typer.Option(Path("assets/encoders/minilm"), help="The encoder."),
    share: float = typer.Option(0.3, help="Share of the training tokens that nobody annotated, drawn at random."),
    seeds: int = typer.Option(3, help="Trainings of each kind."),
    epochs: int = typer.Option(8, help="Passes over the training data."),
    output: Path = typer.Option(Path("benchmarks/unknown_tokens.md"), help="The table to write (Markdown)."),
) -> None:
    """Train on all tokens, with a share of them unknown, and with these as O; write benchmarks/unknown_tokens.md."""
    lines = ["| corpus | all known | unknown | taken for O |", "| --- | ---: | ---: | ---: |"]
    for corpus in corpora:
        cells = []
        for change in (same, unknown, outside):
            found = [100 * f1(corpus, encoder, epochs, seed, share, change) for seed in range(seeds)]
            spread = statistics.stdev(found) if seeds > 1 else 0.0
            cells.append(f"{statistics.fmean(found):.1f} ± {spread:.1f}")
            typer.echo(f"{corpus.name}: {cells[-1]}")
        lines.append(f"| {corpus.name} | {' | '.join(cells)} |")
    output.write_text("\n".join(lines) + "\n", encoding="utf8")


def f1(corpus: Path, encoder: Path, epochs: int, seed: int, share: float, change: Change) -> float:
    """Test F1 of a training in which the tags of hidden tokens were changed."""
    plain: Find = targets.known_tags

    def known_tags(example: Example, labels: tuple[str, ...]) -> KnownTags:
        found = plain(example, labels)
        rng = random.Random(f"{seed} {example.text}")
        hidden = [rng.random() < share for _ in found.tags]
        return replace(found, tags=change(list(found.tags), hidden, len(labels)))

    targets.known_tags = known_tags
    try:
        with tempfile.TemporaryDirectory() as work:
            task = Task(corpus, encoder.resolve(), seed, learning_rate=1e-4, epochs=epochs, batch=16, work=Path(work))
            return float(f1_scores(train(task, "crf"), task)["f1_test"])  # type: ignore[arg-type]
    finally:
        targets.known_tags = plain


def same(tags: Tags, hidden: Sequence[bool], n_types: int) -> Tags:
    """All tags known."""
    return tags


def unknown(tags: Tags, hidden: Sequence[bool], n_types: int) -> Tags:
    """Nothing known of hidden tokens."""
    return [None if is_hidden else tag for tag, is_hidden in zip(tags, hidden, strict=True)]


def outside(tags: Tags, hidden: Sequence[bool], n_types: int) -> Tags:
    """Hidden tokens are O; what is left of an entity on either side of one is an entity of its own."""
    changed: Tags = [0 if is_hidden else tag for tag, is_hidden in zip(tags, hidden, strict=True)]
    start = None
    for n, tag in enumerate([*tags, 0]):
        goes_on = n < len(tags) and bool(tag) and not hidden[n]
        kind = (tag - 1) // n_types if goes_on and tag else 0  # B, U, I, L
        if start is not None and (not goes_on or kind < 2):
            label = ((tags[start] or 0) - 1) % n_types
            changed[start:n] = span_tags(n - start, label, n_types)
            start = None
        if goes_on and start is None:
            start = n
    return changed


if __name__ == "__main__":
    typer.run(main)
