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
    verdict,
)
from domain_ner.files import write_text
from domain_ner.scores import Scores

MARKS = {"target": "✔ target", "floor": "~ floor", "below": "✘ below", "no gold": "– no gold"}


def main(
    model: Path = typer.Argument(..., help="The pipeline to score."),
    test: Path = typer.Argument(..., help="The test corpus (DocBin)."),
    metrics: Path = typer.Argument(..., help="Where to write the figures (JSON)."),
    ledger: Path | None = typer.Option(None, help="ledger.jsonl of convert, to score against the exports too."),
    gpu_id: str = typer.Option("-1", help="-1: CPU, 0 or higher: that GPU, auto: the first GPU if there is one."),
) -> None:
    """Score training/model-calibrated on corpus/test.spacy by type, and write training/metrics.json."""
    gpu = choose_gpu(gpu_id)
    if gpu != CPU:
        require_gpu(gpu)
    nlp = load_pipeline(model)
    gold = read_docs(test, nlp.vocab)
    with progress() as bar:
        task = bar.add_task("predicting", total=len(gold))
        evaluated = evaluate_pipeline(nlp, gold, on_doc=lambda: bar.advance(task))
    scores, figures = evaluated.scores, to_metrics(evaluated.scores)
    print_scores(scores, n_passages=len(gold))
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


def print_scores(scores: Scores, *, n_passages: int) -> None:
    """Print the scores by type and overall."""
    printed = table("type", "precision", "recall", "F1", "support", "", title=f"{n_passages} test passages")
    for label, score in scores.by_type.items():
        figures = (score.precision, score.recall, score.f1)
        printed.add_row(
            label, *(f"{100 * figure:.1f}" for figure in figures), str(score.support), MARKS[verdict(score)]
        )
    printed.add_section()
    micro, macro = scores.micro, (scores.macro_precision, scores.macro_recall, scores.macro_f1)
    printed.add_row(
        "micro",
        *(f"{100 * figure:.1f}" for figure in (micro.precision, micro.recall, micro.f1)),
        str(micro.support),
        "",
    )
    printed.add_row("macro", *(f"{100 * figure:.1f}" for figure in macro), "", "")
    out.print(printed)
    say(f"production target: F1 of {100 * TARGET_F1:.0f} for every type, {100 * FLOOR_F1:.0f} at the least")


if __name__ == "__main__":
    run(main)
