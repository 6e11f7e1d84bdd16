"""Implements `evaluate`: scores a pipeline on the held-out test corpus."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from domain_ner.commands.console import (
    CONFLICTS_HELP,
    GPU_HELP,
    LABELS_HELP,
    MISALIGNED_HELP,
    OVERLAPS_HELP,
    PREFER_HELP,
    READING_HELP,
    check_choices,
    in_project,
    say,
    split_names,
    watched,
    writes,
)
from domain_ner.devices import use_gpu
from domain_ner.files import sha256_of_folder, together, write_text

if TYPE_CHECKING:
    from domain_ner.evaluation.schema import Report


@writes("metrics")
def main(
    model: Path = typer.Argument(Path("training/model-calibrated"), help="The pipeline to score."),
    test: Path = typer.Argument(Path("corpus/test.spacy"), help="The test corpus (DocBin)."),
    metrics: Path = typer.Argument(Path("training/metrics.json"), help="File for the scores (JSON)."),
    ledger: Path | None = in_project(
        "training/reports/ledger.jsonl",
        "The ledger that convert wrote, for the recall against the exports.",
        if_there=True,
    ),
    train: Path | None = in_project(
        "corpus/train.spacy", "The training corpus (DocBin), to separate seen from unseen names."
    ),
    dev: Path | None = in_project(
        "corpus/dev.spacy", "The development corpus (DocBin), for its diversity and its score."
    ),
    log: Path | None = in_project(
        "training/reports/training.jsonl", "The log that train wrote, for the training curves.", if_there=True
    ),
    guide: Path | None = in_project("assets/guide.yml", "The annotation guide, for the colours of the types."),
    reports: Path | None = in_project(
        "training/reports", "Folder for evaluation.html, .md, .json and the JSON schema."
    ),
    also: str = typer.Option(
        "",
        help="Other test sets for the report, separated by spaces: corpora (.spacy), or files or folders of exports.",
    ),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    prefer: str = typer.Option("", help=f"For exports: {PREFER_HELP}"),
    conflicts: str = typer.Option("stop", help=f"For exports: {CONFLICTS_HELP}"),
    overlaps: str = typer.Option(
        "longest", help=f"For exports: which of overlapping spans doc.ents keeps: {OVERLAPS_HELP}."
    ),
    misaligned: str = typer.Option(
        "split", help=f"For exports: names that start or end inside a token: {MISALIGNED_HELP}."
    ),
    group_by: str = typer.Option("", help="Key of `meta`, or `document`, whose values are groups, as in convert."),
    robustness: int = typer.Option(
        0, help="Number of test passages to predict in changed form (upper case, typing errors, new names …); 0: none."
    ),
    fallback: Path | None = in_project(
        "training/reports/llm_fallback.json", "What a language model brings, as add-fallback wrote it, for the advice."
    ),
    name: str = typer.Option("", help="Name of the pipeline in the report; empty: as it is packaged, or its folder."),
    version: str = typer.Option("", help="Version of the pipeline in the report."),
    seed: int = typer.Option(0, help="Seed of the samples."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Score training/model-calibrated on corpus/test.spacy; write training/metrics.json and a report."""
    from domain_ner.commands.printing.scores import print_scored
    from domain_ner.corpus.docs import MISALIGNED
    from domain_ner.corpus.overlaps import OVERLAPS
    from domain_ner.evaluation.gold import GoldRules
    from domain_ner.evaluation.measuring import MeasureSettings, measure, name_of, read_test_sets, score
    from domain_ner.evaluation.predicting import load_pipeline, read_docs
    from domain_ner.evaluation.queues import write_queues
    from domain_ner.evaluation.report import QUEUES, make_report, queue_names
    from domain_ner.guide.schema import load_guide
    from domain_ner.llm_fallback.report import read_hybrids

    use_gpu(gpu_id)
    nlp = load_pipeline(model)
    gold = read_docs(test, nlp.vocab)
    check_choices(overlaps=(overlaps, OVERLAPS), misaligned=(misaligned, MISALIGNED))
    colours = load_guide(guide).colours if guide else {}
    rules = GoldRules(reading, label_names, split_names(prefer), conflicts, overlaps, misaligned, list(colours))
    test_sets = read_test_sets(also, nlp, rules)
    others = {name: read_docs(path, nlp.vocab) for name, path in (("train", train), ("dev", dev)) if path is not None}
    with together():
        scored = score(nlp, gold, ledger, watched=watched)
        print_scored(scored)
        write_text(metrics, json.dumps(scored.metrics, indent=2) + "\n")
        say(f"written to {metrics}")
        if reports is None:
            return
        hybrids = read_hybrids(fallback, scored.evaluated.scores) if fallback is not None else {}
        settings = MeasureSettings(others, test_sets, group_by, robustness, seed, log, str(test), hybrids)
        measured = measure(nlp, gold, scored, settings, watched=watched, say=say)
        named = {"pipeline": name_of(nlp, model, name, version), "model_sha256": sha256_of_folder(model)}
        report = queue_names(make_report(measured)).model_copy(update=named)
        write_report(report, reports, colours)
        n_tasks = write_queues(report, gold, scored.evaluated.docs, reports, lang=nlp.meta["lang"])
        say(f"review tasks for {n_tasks} pieces of advice: {reports / QUEUES}")


def write_report(report: "Report", folder: Path, colours: Mapping[str, str]) -> None:
    """Write the report as a page, as Markdown and as JSON with its schema; print the paths. colours: of types."""
    from domain_ner.reports.evaluation_markdown import evaluation_markdown
    from domain_ner.reports.evaluation_page import evaluation_page
    from domain_ner.reports.numbers import elsewhere

    write_text(folder / "evaluation.html", evaluation_page(report, colours))
    write_text(folder / "evaluation.json", report.model_dump_json(indent=1) + "\n")
    write_text(folder / "evaluation.schema.json", json.dumps(report.model_json_schema(), indent=1) + "\n")
    write_text(folder / "evaluation.md", evaluation_markdown(report))
    if report.grouped:
        say(f"micro F1: {elsewhere(report)}")
    say(f"report: {folder / 'evaluation.html'}, also as evaluation.md and evaluation.json")
