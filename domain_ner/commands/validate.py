"""Implements `validate`: checks the annotation guide, and the annotations against it."""

import json
import sys
from pathlib import Path

import typer

from domain_ner.commands.console import (
    CONFLICTS_HELP,
    LABELS_HELP,
    PREFER_HELP,
    READING_HELP,
    progress,
    say,
    split_names,
    warn,
    writes,
)
from domain_ner.errors import DomainNerError
from domain_ner.files import together, write_text
from domain_ner.guide.findings import ERROR, WARNING, count_by_severity


@writes("reports")
def main(
    guide: Path = typer.Argument(Path("assets/guide.yml"), help="The annotation guide (YAML)."),
    annotations: Path = typer.Argument(
        Path("assets/annotations"), help="Folder with the exports, in any supported format."
    ),
    reports: Path = typer.Argument(Path("training/reports"), help="Folder for guide.json and guide.html."),
    prefer: str = typer.Option("", help=PREFER_HELP),
    conflicts: str = typer.Option("stop", help=CONFLICTS_HELP),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    fail_on: str = typer.Option("error", help="Severity of findings that fails the run: error or warning."),
    strict: bool = typer.Option(False, "--strict", help="Same as --fail-on warning."),
) -> None:
    """Check the guide, and the annotations against it; write training/reports/guide.json and guide.html."""
    from domain_ner.commands.printing.validation import print_validation
    from domain_ner.conversion.exports import ImportSettings, read_annotations, unknown_annotators, unknown_labels
    from domain_ner.guide.schema import line_index, load_guide
    from domain_ner.guide.validate import Corpus, GuideFile, validate
    from domain_ner.reports.guide_page import guide_page, to_json

    if fail_on not in (ERROR, WARNING):
        raise DomainNerError(f"vars.fail_on is {fail_on!r}; expected {ERROR!r} or {WARNING!r}.")
    file = GuideFile(load_guide(guide), guide.name, line_index(guide))
    settings = ImportSettings(reading=reading, names=label_names, prefer=split_names(prefer), conflicts=conflicts)
    with progress() as bar:
        task = bar.add_task("reading", total=None)
        read = read_annotations(annotations, settings, on_record=lambda: bar.advance(task))
        bar.reset(task, description="checking", total=len(read.passages) + len(read.merged))
        corpus = Corpus(read.passages, read.merged, read.problems, read.conflicts)
        validation = validate(file, corpus, on_passage=lambda: bar.advance(task))
    warn(unknown_annotators(read, settings.prefer))
    warn(unknown_labels(read, label_names))
    with together():
        write_text(reports / "guide.json", json.dumps(to_json(validation), indent=1, ensure_ascii=False) + "\n")
        write_text(reports / "guide.html", guide_page(file.guide, validation))
    print_validation(validation)
    say(f"written to {reports / 'guide.json'} and {reports / 'guide.html'}")
    counts = count_by_severity(validation.findings)
    if counts[ERROR] or ((strict or fail_on == WARNING) and counts[WARNING]):
        say("✘ Fix the errors above, or declare a correct annotation under `deliberate` in the guide.")
        sys.exit(1)
