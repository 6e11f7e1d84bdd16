"""What the CRF costs beside its encoder: its share of a training step (targets, forward, backward) and of predicting
(Viterbi, marginals), by time.
"""

import tempfile
from pathlib import Path
from timeit import default_timer

import typer
from _peers.common import Clock, Task
from _peers.ours import train

from domain_ner.crf_ner.pipe import CRFRecognizer


def main(
    corpora: list[Path] = typer.Argument(..., help="Folders with train, dev and test, each .conll or .spacy."),
    encoder: Path = typer.Option(Path("assets/encoders/minilm"), help="The encoder."),
    output: Path = typer.Option(Path("benchmarks/lattice_overhead.md"), help="The table to write (Markdown)."),
) -> None:
    """Train one epoch on each corpus, predict its test split, and write benchmarks/lattice_overhead.md."""
    lines = ["| corpus | types | of a training step | of predicting |", "| --- | ---: | ---: | ---: |"]
    for corpus in corpora:
        learning, decoding = Clock(), Clock()
        methods = CRFRecognizer.get_loss, CRFRecognizer.decode
        CRFRecognizer.get_loss, CRFRecognizer.decode = learning.timed(methods[0]), decoding.timed(methods[1])  # type: ignore[method-assign,assignment]
        with tempfile.TemporaryDirectory() as work:
            task = Task(corpus, encoder.resolve(), seed=0, learning_rate=1e-4, epochs=1, batch=16, work=Path(work))
            trained = train(task, "crf")
            decoding.seconds, begun = 0.0, default_timer()
            trained.predict(task.read("test"))
            predicting = default_timer() - begun
        CRFRecognizer.get_loss, CRFRecognizer.decode = methods  # type: ignore[method-assign]
        shares = learning.seconds / trained.clock.seconds, decoding.seconds / predicting
        lines.append(f"| {corpus.name} | {len(task.tags) // 2} | {100 * shares[0]:.1f} % | {100 * shares[1]:.1f} % |")
        typer.echo(lines[-1])
    output.write_text("\n".join(lines) + "\n", encoding="utf8")


if __name__ == "__main__":
    typer.run(main)
