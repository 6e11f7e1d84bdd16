"""Implements `find-label-errors`: lists annotations that are likely wrong, and writes review tasks."""

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
    corpora: list[Path] = typer.Argument(
        [Path("corpus/train.spacy"), Path("corpus/dev.spacy")], help="The corpora to search (DocBin)."
    ),
    reports: Path = typer.Option(
        Path("training/reports"), help="Folder for label_errors.json, .md, the JSON schema and the review tasks."
    ),
    work: Path = typer.Option(
        Path("training/label-errors"), help="Folder for the trainings; an interrupted search resumes from it."
    ),
    folds: int = typer.Option(5, help="Number of trainings, each on all folds except the one that it then predicts."),
    epochs: int = typer.Option(0, help="Passes over the data, at most; 0: the value in the config."),
    n: int = typer.Option(100, "--n", min=1, help="Number of suspects to write as review tasks, the likeliest first."),
    lang: str = typer.Option("en", help="Language of the text: spaCy's code."),
    seed: int = typer.Option(0, help="Seed of the folds and the trainings."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Find annotations that are likely wrong, with models that were not trained on them; write review tasks."""
    from domain_ner.commands.printing.label_errors import print_errors
    from domain_ner.evaluation.label_errors import predict_out_of_sample, report, require_agreement, review_tasks
    from domain_ner.evaluation.predicting import read_docs
    from domain_ner.evaluation.suspect_schema import LabelErrors
    from domain_ner.reports.label_errors_markdown import label_errors_markdown
    from domain_ner.writers.queues import write_queue

    gpu = use_gpu(gpu_id)
    vocab = blank(lang).vocab
    docs = [doc for path in corpora for doc in read_docs(path, vocab)]
    with resumable():
        predicted = predict_out_of_sample(
            config, docs, work, n_folds=folds, gpu=gpu, seed=seed, epochs=epochs, say=say,
            on_fold=lambda number: say(f"fold {number + 1} of {folds}: training on the others"),
        )  # fmt: skip
    require_agreement(predicted)
    errors = report(docs, predicted, n_folds=folds)
    print_errors(errors)
    with together():
        write_text(reports / "label_errors.json", errors.model_dump_json(indent=1) + "\n")
        write_text(reports / "label_errors.schema.json", json.dumps(LabelErrors.model_json_schema(), indent=1) + "\n")
        write_text(reports / "label_errors.md", label_errors_markdown(errors))
        queue = write_queue(review_tasks(docs, predicted, n=n), reports / "label_errors", lang=lang)
    remove_within(work, (f"fold-{number + 1}" for number in range(folds)))
    say(f"report: {reports / 'label_errors.md'}, also as label_errors.json")
    if queue:
        say(f"review tasks, the {min(n, len(errors.suspects))} likeliest errors: {', '.join(map(str, queue))}")
