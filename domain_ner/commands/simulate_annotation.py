"""Implements `simulate-annotation`: how many passages each way of choosing them saves, on those annotated already."""

import json
from pathlib import Path

import typer

from domain_ner.commands.console import GPU_HELP, say, split_names, writes
from domain_ner.commands.stopping import resumable
from domain_ner.corpus.languages import blank
from domain_ner.devices import use_gpu
from domain_ner.files import together, write_text


@writes("work")
def main(
    config: Path = typer.Argument(Path("configs/config.cfg"), help="The training config, written by create-config."),
    train: Path = typer.Argument(Path("corpus/train.spacy"), help="The corpus (DocBin) to choose passages from."),
    dev: Path = typer.Argument(Path("corpus/dev.spacy"), help="The development corpus (DocBin), for early stopping."),
    test: Path = typer.Argument(Path("corpus/test.spacy"), help="The test corpus (DocBin)."),
    reports: Path = typer.Option(
        Path("training/reports"), help="Folder for annotation_simulation.json, .md, .svg and the JSON schema."
    ),
    work: Path = typer.Option(
        Path("training/simulation"), help="Folder for the trainings; an interrupted run resumes from it."
    ),
    strategies: str = typer.Option(
        "expected-errors",
        help="Strategies of next-batch, by commas; `margin:plain` does not spread, `margin:half` takes half at random.",
    ),
    sizes: str = typer.Option("0.1,0.2,0.3,0.4,0.5,0.6,0.8,1", help="Parts of the corpus to train on, rising to 1."),
    seeds: int = typer.Option(3, min=1, help="Number of replays, each from another first part."),
    epochs: int = typer.Option(
        0, help="Passes over all the data, at most; 0: the value in the config. Smaller parts take as many steps."
    ),
    lang: str = typer.Option("en", help="Language of the text: spaCy's code."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Replay annotation on corpus/train.spacy: the F1 that each way of choosing passages reaches, and how soon."""
    from domain_ner.commands.printing.simulation import print_simulation
    from domain_ner.evaluation.learning_curve import parse_fractions
    from domain_ner.evaluation.predicting import read_docs
    from domain_ner.reports.simulation_report import simulation_chart, simulation_markdown
    from domain_ner.selecting.schema import Simulation
    from domain_ner.selecting.simulation import Setting, simulate, summarise
    from domain_ner.selecting.strategies import RANDOM

    gpu = use_gpu(gpu_id)
    vocab = blank(lang).vocab
    pool, dev_docs, test_docs = (read_docs(path, vocab) for path in (train, dev, test))
    setting = Setting(config, pool, dev_docs, test_docs, work, parse_fractions(sizes), epochs, gpu)
    names = [RANDOM, *(name for name in split_names(strategies) if name != RANDOM)]
    with resumable():
        trainings = list(
            simulate(
                setting, names, range(seeds), say=say,
                on_training=lambda name, seed, n: say(f"{name}, seed {seed}: training on {n:,} passages"),
            )
        )  # fmt: skip
    simulation = summarise(trainings, setting)
    print_simulation(simulation)
    with together():
        write_text(reports / "annotation_simulation.json", simulation.model_dump_json(indent=1) + "\n")
        schema = json.dumps(Simulation.model_json_schema(), indent=1) + "\n"
        write_text(reports / "annotation_simulation.schema.json", schema)
        write_text(reports / "annotation_simulation.md", simulation_markdown(simulation))
        write_text(reports / "annotation_simulation.svg", simulation_chart(simulation))
    say(f"report: {reports / 'annotation_simulation.md'}, chart {reports / 'annotation_simulation.svg'}")
