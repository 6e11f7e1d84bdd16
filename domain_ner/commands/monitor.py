"""Implements `monitor`: production against what the pipeline was measured on, without labels."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from domain_ner.commands.console import in_project, say
from domain_ner.errors import DomainNerError
from domain_ner.files import together, write_text

if TYPE_CHECKING:
    from domain_ner.monitoring.baseline import Known
    from domain_ner.monitoring.windows import Sums, Window

METRICS = ".prom"
# 1 is an error, 2 a wrong command line.
EXIT_LOOK, EXIT_RETRAIN = 3, 4


def main(
    pipeline: str = typer.Argument(..., help="The pipeline: an installed package, a wheel, or a folder."),
    windows: list[Path] = typer.Argument(
        ..., help="Windows, the newest last: outputs of annotate, or saved metrics of serve (.prom)."
    ),
    since: Path | None = typer.Option(None, help="Earlier metrics: the window begins there, not when serve started."),
    baseline: Path | None = in_project(
        "training/reports/baseline.json", "The baseline, if the pipeline's folder has none."
    ),
    reports: Path = typer.Option(
        Path("training/reports"), help="Folder for monitor.html, .md, .json with its schema, and .prom."
    ),
    history: Path | None = typer.Option(None, help="File (JSONL) that keeps the windows of all runs, for the trend."),
    reviewed: Path | None = typer.Option(
        None, help="Result of a reviewed sample of the newest window (review.json), to check the estimate of F1."
    ),
    guide: Path | None = in_project("assets/guide.yml", "The annotation guide, for the colours of the types."),
    alpha: float = typer.Option(0.01, help="Probability of a false alarm in a window (0..1)."),
    margin: float = typer.Option(3.0, help="Drop of estimated F1, in points (0..100), that asks for retraining."),
    permutations: int = typer.Option(2000, min=100, help="Number of permutations of each test."),
    documents: int = typer.Option(20_000, min=1, help="Documents of a window to compare; of more, some are drawn."),
    seed: int = typer.Option(0, help="Seed of the permutations and of the choice of documents."),
) -> None:
    """Compare production with what the pipeline was measured on; exit with 0 (fine), 3 (look) or 4 (retrain)."""
    from domain_ner.commands.printing.monitor import print_monitor
    from domain_ner.guide.schema import load_guide
    from domain_ner.monitoring.baseline import find_baseline
    from domain_ner.monitoring.comparing import MonitorSettings
    from domain_ner.monitoring.history import read_history, write_history
    from domain_ner.monitoring.judging import monitor
    from domain_ner.monitoring.prometheus import metrics_of
    from domain_ner.monitoring.report import LOOK, RETRAIN, MonitorReport
    from domain_ner.monitoring.reviews import read_reviews
    from domain_ner.reports.monitor_markdown import monitor_markdown
    from domain_ner.reports.monitor_page import monitor_page
    from domain_ner.reports.monitor_words import verdict

    _check(alpha, margin, windows, since)
    known = find_baseline(pipeline, baseline if baseline and baseline.is_file() else None)
    colours = load_guide(guide).colours if guide else {}
    read = [_read(path, since, known, documents, seed) for path in windows]
    past = read_history(history) if history else []
    settings = MonitorSettings(alpha, margin / 100, permutations, seed)
    report = monitor(known, read, settings, reviews=read_reviews(reviewed) if reviewed else {}, history=past)
    print_monitor(report)
    with together():
        write_text(reports / "monitor.json", report.model_dump_json(indent=1) + "\n")
        write_text(reports / "monitor.schema.json", json.dumps(MonitorReport.model_json_schema(), indent=1) + "\n")
        write_text(reports / "monitor.md", monitor_markdown(report))
        write_text(reports / "monitor.html", monitor_page(report, colours))
        write_text(reports / "monitor.prom", metrics_of(report))
        if history:
            write_history(history, past, report)
    say(f"report: {reports / 'monitor.html'}, also as monitor.md, monitor.json and monitor.prom")
    say(verdict(report))
    code = {LOOK: EXIT_LOOK, RETRAIN: EXIT_RETRAIN}.get(report.verdict, 0)
    if code:
        raise typer.Exit(code)


def _check(alpha: float, margin: float, windows: list[Path], since: Path | None) -> None:
    if not 0 < alpha < 1:
        raise DomainNerError(f"--alpha is {alpha:g}; expected a probability between 0 and 1.")
    if not 0 <= margin <= 100:
        raise DomainNerError(f"--margin is {margin:g}; expected points of F1, 0 to 100.")
    if since is not None and [path.suffix for path in windows] != [METRICS]:
        raise DomainNerError("--since is for one file of metrics (.prom).", "Give the later file as the only window.")


def _read(path: Path, since: Path | None, known: "Known", max_documents: int, seed: int) -> "Window | Sums":
    from domain_ner.monitoring.baseline import require_same_pipeline
    from domain_ner.monitoring.metrics_text import read_snapshots
    from domain_ner.monitoring.windows import read_window

    if path.suffix == METRICS:
        window: Window | Sums = read_snapshots(path, since, known.baseline.labels)
    else:
        window = read_window(path, max_documents=max_documents, seed=seed)
    require_same_pipeline(known, window.identity, str(path))
    return window
