"""Implements `next-batch`: chooses the raw passages from which the pipeline learns most."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from domain_ner.commands.console import LABELS_HELP, READING_HELP, in_project, warn, watched, writes
from domain_ner.errors import DomainNerError

if TYPE_CHECKING:
    from domain_ner.annotating.reading import Document


@writes("output")
def main(
    pipeline: str = typer.Argument(..., help="The pipeline: a folder, a wheel, or an installed package."),
    inputs: list[str] = typer.Argument(
        ..., help="Raw passages: files (JSONL, CSV, TSV, Parquet, text), folders, globs, or URLs that fsspec opens."
    ),
    output: Path = typer.Argument(..., help="Folder for the batches; each run adds a numbered folder."),
    n: int = typer.Option(50, "--n", min=1, help="Number of passages to choose."),
    annotated: list[Path] = typer.Option(
        [], help="Exports or corpora (.spacy) that are annotated already; may be given several times."
    ),
    strategy: str = typer.Option(
        "expected-errors", help="expected-errors, errors-per-token, least-confident, margin, or entropy."
    ),
    diverse: bool = typer.Option(True, help="Prefer passages that differ from those already chosen."),
    evaluation: Path | None = in_project(
        "training/reports/evaluation.json", "Scores by type: errors in a type below its target weigh more."
    ),
    reported: Path | None = typer.Option(
        None, exists=True, dir_okay=False, help="monitor.json: the passages that it names come first."
    ),
    blind: bool = typer.Option(False, "--blind", help="Without the pipeline's suggestions."),
    text_column: str = typer.Option("text", help="Column that holds the text."),
    id_column: str = typer.Option("id", help="Column that names the passage; where it is missing: file and row."),
    lines: bool = typer.Option(False, "--lines", help="Each line of a .txt file is a passage; else the whole file is."),
    reading: str = typer.Option("", help=READING_HELP),
    labels: str = typer.Option("", help=LABELS_HELP),
) -> None:
    """Choose the raw passages to annotate next, by expected errors; write tasks with suggestions for each tool."""
    from domain_ner.annotating.jobs import label_of
    from domain_ner.annotating.predicting import identity_of
    from domain_ner.commands.printing.batch import print_batch
    from domain_ner.evaluation.comparison import open_pipeline
    from domain_ner.monitoring.report import read_report
    from domain_ner.reviewing.raw_documents import RawDocuments
    from domain_ner.selecting.batches import given_out, write_batch
    from domain_ner.selecting.choosing import choose
    from domain_ner.selecting.known import annotated_texts, weights_of
    from domain_ner.selecting.measuring import measure_texts
    from domain_ner.selecting.strategies import find_strategy
    from domain_ner.selecting.tasks import make_task

    raw = RawDocuments(inputs, text_column, id_column, lines)
    raw.require_apart_from(output)
    if output.is_file():
        raise DomainNerError(f"{output} is a file; expected a folder for the batches.", "Name a folder.")
    score, wanted = find_strategy(strategy), read_report(reported).windows[-1].passages if reported else set()
    known, given = annotated_texts(annotated, reading, labels), given_out(output)
    weights = weights_of(evaluation)
    named: set[int] = set()
    problems: list[Document] = []

    def texts() -> Iterator[str]:
        for number, document in enumerate(raw.read(problems.append)):
            if document.id in wanted:
                named.add(number)
            on_text()
            yield document.text

    with open_pipeline(pipeline) as (nlp, _), watched("measuring passages") as on_text:
        chosen = choose(
            measure_texts(nlp, texts()), n, score, weights=weights, annotated=known, given=given,
            is_diverse=diverse, is_wanted=named.__contains__,
        )  # fmt: skip
        identity, lang = identity_of(nlp), nlp.meta["lang"]
    if problems:
        warn(f"{len(problems):,} passages could not be read, the first {problems[0].place}: {problems[0].problem}.")
    if not chosen.n_seen:
        raise DomainNerError(f"There is no passage in {', '.join(inputs)}.", "Give others, or --text-column.")
    if not chosen.choices:
        raise DomainNerError(
            f"None of {chosen.n_seen:,} passages is left: {chosen.n_annotated:,} are annotated or nearly so, and"
            f" {chosen.n_given:,} in earlier batches.",
            "Give other passages.",
        )
    # Read again: only the texts of the best are kept, and nothing else of any row.
    picked = {choice.number for choice in chosen.choices}
    rows = {number: row for number, row in enumerate(raw.read(lambda _: None)) if number in picked}
    columns = (text_column, id_column)
    tasks = [make_task(choice, rows[choice.number], columns, is_blind=blind) for choice in chosen.choices]
    facts = {
        "pipeline": identity, "strategy": strategy, "is_diverse": diverse, "weights": weights, "n_seen": chosen.n_seen,
    }  # fmt: skip
    target = write_batch(tasks, output, facts=facts, lang=lang, model_version=label_of(identity), is_blind=blind)
    print_batch(tasks, chosen, target, n)
