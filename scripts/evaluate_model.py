"""`evaluate`: score a pipeline on the held-out test corpus."""

import json
from pathlib import Path

import typer
from _console import out, progress, run, say, table
from thinc.api import require_gpu

from domain_ner.devices import CPU, choose_gpu
from domain_ner.evaluation import (
    FLOOR_F1,
    TARGET_F1,
    compare_calibration,
    count_source_annotations,
    evaluate_pipeline,
    load_pipeline,
    read_docs,
    to_metrics,
    uncalibrated,
)
from domain_ner.evaluation_report import Headline, MacroScore, Report, TypeScore, make_report, mentions
from domain_ner.files import write_text
from domain_ner.reports.evaluation_markdown import evaluation_markdown

MARKS = {"target": "✔ target", "floor": "~ floor", "below": "✘ below", "no gold": "– no gold"}


def main(
    model: Path = typer.Argument(..., help="The pipeline to score."),
    test: Path = typer.Argument(..., help="The test corpus (DocBin)."),
    metrics: Path = typer.Argument(..., help="Where to write the figures (JSON)."),
    ledger: Path | None = typer.Option(None, help="ledger.jsonl of convert, to score against the exports too."),
    train: Path | None = typer.Option(None, help="What it was trained on (DocBin): which names are seen, which not."),
    dev: Path | None = typer.Option(None, help="The development corpus (DocBin), to tell how varied it is."),
    reports: Path | None = typer.Option(None, help="Folder for evaluation.json, its schema, and evaluation.md."),
    gpu_id: str = typer.Option("-1", help="-1: CPU, 0 or higher: that GPU, auto: the first GPU if there is one."),
) -> None:
    """Score training/model-calibrated on corpus/test.spacy; write training/metrics.json and a report."""
    gpu = choose_gpu(gpu_id)
    if gpu != CPU:
        require_gpu(gpu)
    nlp = load_pipeline(model)
    gold = read_docs(test, nlp.vocab)
    others = {name: read_docs(path, nlp.vocab) for name, path in (("train", train), ("dev", dev)) if path is not None}
    with progress() as bar:
        task = bar.add_task("predicting", total=len(gold))
        evaluated = evaluate_pipeline(nlp, gold, on_doc=lambda: bar.advance(task))
    scores, figures = evaluated.scores, to_metrics(evaluated.scores)
    report = make_report(
        evaluated.docs,
        pipeline=f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}",
        train=others.get("train", []),
        mentions_of={split: mentions(docs) for split, docs in (others | {"test": gold}).items()},
    )
    print_scores(report.headline)
    if evaluated.judged:
        with uncalibrated(nlp):
            figures["calibration"] = compare_calibration(evaluate_pipeline(nlp, gold).judged, evaluated.judged)
        after, before = (figures["calibration"][name] for name in ("after", "before"))
        errors = (f"{100 * error:.1f}" for error in (after["ece"], before["ece"], after["ece_by_chance"]))
        say("expected calibration error of the confidences: {} (before calibration: {}; by chance: {})".format(*errors))
    if ledger is not None:
        n_source = count_source_annotations(ledger, gold)
        figures["source"] = {"annotations": n_source, "recall": scores.micro.n_correct / n_source if n_source else 0.0}
        recall = 100 * figures["source"]["recall"]
        say(f"recall of the {n_source} annotations in the exports, lost ones included: {recall:.1f}")
    write_text(metrics, json.dumps(figures, indent=2) + "\n")
    say(f"written to {metrics}")
    if reports is not None:
        write_report(report, reports)


def write_report(report: Report, folder: Path) -> None:
    """Write the report as JSON, with the schema of that, and as Markdown; tell where."""
    write_text(folder / "evaluation.json", report.model_dump_json(indent=1) + "\n")
    write_text(folder / "evaluation.schema.json", json.dumps(Report.model_json_schema(), indent=1) + "\n")
    write_text(folder / "evaluation.md", evaluation_markdown(report))
    say(f"report: {folder / 'evaluation.md'}, for machines {folder / 'evaluation.json'}")


def print_scores(headline: Headline) -> None:
    """Print the scores by type and overall."""
    printed = table(
        "type", "precision", "recall", "F1", "95 %", "support", "", title=f"{headline.n_passages} test passages"
    )
    for label, score in headline.by_type.items():
        printed.add_row(label, *_figures(score), str(score.support), MARKS[score.verdict])
    printed.add_section()
    printed.add_row("micro", *_figures(headline.micro), str(headline.micro.support), "")
    printed.add_row("macro", *_figures(headline.macro), "", "")
    out.print(printed)
    say(f"production target: F1 of {100 * TARGET_F1:.0f} for every type, {100 * FLOOR_F1:.0f} at the least")


def _figures(score: TypeScore | MacroScore) -> list[str]:
    """Precision, recall, F1, and between what F1 lies."""
    f1 = score.f1
    interval = f"{100 * f1.low:.1f}–{100 * f1.high:.1f}" if f1.low is not None and f1.high is not None else ""
    return [*(f"{100 * one.value:.1f}" for one in (score.precision, score.recall, f1)), interval]


if __name__ == "__main__":
    run(main)
