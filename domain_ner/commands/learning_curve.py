"""Implements `learning-curve`: predicts the gain of more annotation from trainings on parts of the data."""

import json
from pathlib import Path

import typer

from domain_ner.commands.console import GPU_HELP, say, writes
from domain_ner.commands.stopping import resumable
from domain_ner.corpus.languages import blank
from domain_ner.devices import use_gpu
from domain_ner.files import remove_within, together, write_text


@writes("work")
def main(
    config: Path = typer.Argument(Path("configs/config.cfg"), help="The training config, written by create-config."),
    train: Path = typer.Argument(
        Path("corpus/train.spacy"), help="The training corpus (DocBin), to train on parts of."
    ),
    dev: Path = typer.Argument(Path("corpus/dev.spacy"), help="The development corpus (DocBin), for early stopping."),
    test: Path = typer.Argument(Path("corpus/test.spacy"), help="The test corpus (DocBin)."),
    reports: Path = typer.Option(
        Path("training/reports"), help="Folder for learning_curve.json, .md, .svg and the JSON schema."
    ),
    work: Path = typer.Option(
        Path("training/learning-curve"), help="Folder for the trainings; an interrupted run resumes from it."
    ),
    fractions: str = typer.Option("0.125,0.25,0.5,1", help="Parts of the training data to train on, rising to 1."),
    seeds: int = typer.Option(2, min=1, help="Number of trainings on each part, each on different passages."),
    group_by: str = typer.Option("", help="Key of `meta`, or `document`: parts add one group after the other."),
    epochs: int = typer.Option(
        0, help="Passes over all the data, at most; 0: the value in the config. Smaller parts take more."
    ),
    lang: str = typer.Option("en", help="Language of the text: spaCy's code."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Train on growing parts of corpus/train.spacy; predict the F1 with 100, 300 and 1,000 more passages."""
    from domain_ner.commands.printing.learning_curve import print_curve
    from domain_ner.evaluation.learning_curve import LearningCurve, expect, parse_fractions, train_parts
    from domain_ner.evaluation.predicting import read_docs
    from domain_ner.reports.learning_curve_report import learning_curve_chart, learning_curve_markdown

    parts = parse_fractions(fractions)
    gpu = use_gpu(gpu_id)
    vocab = blank(lang).vocab
    train_docs, dev_docs, test_docs = (read_docs(path, vocab) for path in (train, dev, test))
    with resumable():
        scored = list(
            train_parts(
                config, train_docs, dev_docs, test_docs, work, fractions=parts, seeds=seeds, gpu=gpu,
                group_by=group_by, epochs=epochs, say=say,
                on_part=lambda fraction, seed: say(f"training on {100 * fraction:g} % of the passages, seed {seed}"),
            )
        )  # fmt: skip
    curve = expect(scored)
    print_curve(curve)
    schema = LearningCurve.model_json_schema()
    with together():
        write_text(reports / "learning_curve.json", curve.model_dump_json(indent=1) + "\n")
        write_text(reports / "learning_curve.schema.json", json.dumps(schema, indent=1) + "\n")
        write_text(reports / "learning_curve.md", learning_curve_markdown(curve))
        write_text(reports / "learning_curve.svg", learning_curve_chart(curve))
    remove_within(work, (f"{part:g}" for part in parts))
    say(f"report: {reports / 'learning_curve.md'}, chart {reports / 'learning_curve.svg'}")
