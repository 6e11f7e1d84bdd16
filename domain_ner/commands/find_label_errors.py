"""`find-label-errors`: annotations that are likely wrong, as a list and as review tasks."""

import json
from collections import Counter
from pathlib import Path

import typer
from thinc.api import require_gpu

from domain_ner.commands.console import out, say, table, writes
from domain_ner.commands.stopping import resumable
from domain_ner.corpus.languages import blank
from domain_ner.devices import CPU, choose_gpu
from domain_ner.evaluation.label_errors import predict_out_of_sample, report, require_agreement, review_tasks
from domain_ner.evaluation.predicting import read_docs
from domain_ner.evaluation.suspect_schema import LabelErrors
from domain_ner.files import remove_within, together, write_text
from domain_ner.metrics.suspects import KINDS
from domain_ner.reports.label_errors_markdown import LIKELY, label_errors_markdown
from domain_ner.reports.numbers import percent
from domain_ner.writers.queues import write_queue

SHOWN = 10


@writes("work")
def main(
    config: Path = typer.Argument(..., help="The training config, as create-config writes it."),
    corpora: list[Path] = typer.Argument(..., help="The corpora to look at (DocBin), together."),
    reports: Path = typer.Option(..., help="Folder for label_errors.json, its schema, .md, and the review tasks."),
    work: Path = typer.Option(..., help="Folder for the trainings; an interrupted search goes on from it."),
    folds: int = typer.Option(5, help="Trainings, each on all folds but one, of which it then predicts."),
    epochs: int = typer.Option(0, help="Passes over the data, at most; 0: as the config says."),
    n: int = typer.Option(100, "--n", min=1, help="How many of the likeliest errors become review tasks."),
    lang: str = typer.Option("en", help="spaCy's code of the language."),
    seed: int = typer.Option(0, help="Of the folds and the trainings."),
    gpu_id: str = typer.Option("-1", help="-1: CPU, 0 or higher: that GPU, auto: the first GPU if there is one."),
) -> None:
    """Find annotations that are likely wrong, with models that did not learn them; write review tasks."""
    gpu = choose_gpu(gpu_id)
    if gpu != CPU:
        require_gpu(gpu)
    vocab = blank(lang).vocab
    docs = [doc for path in corpora for doc in read_docs(path, vocab)]
    with resumable():
        found = predict_out_of_sample(
            config, docs, work, n_folds=folds, gpu=gpu, seed=seed, epochs=epochs, say=say,
            on_fold=lambda number: say(f"fold {number + 1} of {folds}: training on the others"),
        )  # fmt: skip
    require_agreement(found)
    errors = report(docs, found, n_folds=folds)
    print_errors(errors)
    with together():
        write_text(reports / "label_errors.json", errors.model_dump_json(indent=1) + "\n")
        write_text(reports / "label_errors.schema.json", json.dumps(LabelErrors.model_json_schema(), indent=1) + "\n")
        write_text(reports / "label_errors.md", label_errors_markdown(errors))
        queue = write_queue(review_tasks(docs, found, n=n), reports / "label_errors", lang=lang)
    remove_within(work, (f"fold-{number + 1}" for number in range(folds)))
    say(f"report: {reports / 'label_errors.md'}, for machines {reports / 'label_errors.json'}")
    if queue:
        say(f"review tasks, the {min(n, len(errors.suspects))} likeliest errors: {', '.join(map(str, queue))}")


def print_held_out(errors: LabelErrors) -> None:
    """Print how far the models agree with annotations that they did not learn."""
    printed = table(
        "type",
        "precision",
        "recall",
        "F1",
        "annotations",
        title="how far the models agree with annotations that they did not learn",
    )
    for label, one in errors.held_out.items():
        printed.add_row(label or "all", *map(percent, (one.precision, one.recall, one.f1)), str(one.support))
    out.print(printed)
    say(
        "no suspicion below claims more than this: missing and other annotations no more than the precision of the type"
    )
    say("that is suggested, needless ones no more than the recall of theirs")


def print_errors(errors: LabelErrors) -> None:
    """Print how far the models can be believed, how many suspects there are of each kind, and the first."""
    print_held_out(errors)
    counts = Counter(one.kind for one in errors.suspects)
    likely = Counter(one.kind for one in errors.suspects if one.score >= LIKELY)
    title = f"{errors.n_annotations:,} annotations in {errors.n_passages:,} passages"
    printed = table("kind", "the model differs", "likely an error (50 %)", title=title)
    for kind in KINDS:
        printed.add_row(kind, str(counts[kind]), str(likely[kind]))
    out.print(printed)
    for one in errors.suspects[:SHOWN]:
        annotated, suggested = (
            ", ".join(f"{one.text[mark.start : mark.end]!r} {mark.label}" for mark in some) or "nothing"
            for some in (one.annotated, one.suggested)
        )
        say(f"{100 * one.score:.0f} % {one.kind}: {annotated} -> {suggested} ({one.source})")
