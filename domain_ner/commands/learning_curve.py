"""`learning-curve`: what more annotation would bring, from trainings on parts of the data."""

import json
from pathlib import Path

import typer

from domain_ner.commands.console import GPU_HELP, say, writes
from domain_ner.commands.stopping import resumable
from domain_ner.corpus.languages import blank
from domain_ner.devices import use_gpu
from domain_ner.files import atomic_path, remove_within, together, write_text


@writes("work")
def main(
    config: Path = typer.Argument(Path("configs/config.cfg"), help="The training config, as create-config writes it."),
    train: Path = typer.Argument(
        Path("corpus/train.spacy"), help="The training corpus (DocBin), of which parts are learned."
    ),
    dev: Path = typer.Argument(Path("corpus/dev.spacy"), help="The development corpus (DocBin), for early stopping."),
    test: Path = typer.Argument(Path("corpus/test.spacy"), help="The test corpus (DocBin)."),
    reports: Path = typer.Option(
        Path("training/reports"), help="Folder for learning_curve.json, its schema, .md and .svg."
    ),
    work: Path = typer.Option(
        Path("training/learning-curve"), help="Folder for the trainings; an interrupted run goes on from it."
    ),
    fractions: str = typer.Option("0.125,0.25,0.5,1", help="Parts of the training data, rising to 1."),
    seeds: int = typer.Option(2, min=1, help="Trainings on each part, each on other passages."),
    group_by: str = typer.Option("", help="A key of meta: parts take its values one after the other, as they come in."),
    epochs: int = typer.Option(0, help="Passes over all the data, at most; 0: as the config says. Parts take more."),
    lang: str = typer.Option("en", help="spaCy's code of the language."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Train on growing parts of corpus/train.spacy; write what 100, 300 and 1,000 more passages would bring."""
    from domain_ner.commands.printing.learning_curve import print_curve
    from domain_ner.evaluation.learning_curve import LearningCurve, expect, parse_fractions, train_parts
    from domain_ner.evaluation.predicting import read_docs
    from domain_ner.reports.learning_curve_report import learning_curve_chart, learning_curve_markdown

    parts = parse_fractions(fractions)
    gpu = use_gpu(gpu_id)
    vocab = blank(lang).vocab
    learned, stopping, tested = (read_docs(path, vocab) for path in (train, dev, test))
    with resumable():
        scored = list(
            train_parts(
                config, learned, stopping, tested, work, fractions=parts, seeds=seeds, gpu=gpu,
                group_by=group_by, epochs=epochs, say=say,
                on_part=lambda fraction, seed: say(f"training on {100 * fraction:g} % of the passages, seed {seed}"),
            )
        )  # fmt: skip
    found = expect(scored)
    print_curve(found)
    schema = LearningCurve.model_json_schema()
    with together():
        write_text(reports / "learning_curve.json", found.model_dump_json(indent=1) + "\n")
        write_text(reports / "learning_curve.schema.json", json.dumps(schema, indent=1) + "\n")
        write_text(reports / "learning_curve.md", learning_curve_markdown(found))
        with atomic_path(reports / "learning_curve.svg") as temporary:
            learning_curve_chart(found).savefig(temporary, format="svg")
    remove_within(work, (f"{part:g}" for part in parts))
    say(f"report: {reports / 'learning_curve.md'}, chart {reports / 'learning_curve.svg'}")
