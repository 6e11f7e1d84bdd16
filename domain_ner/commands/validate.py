"""`validate`: the annotation guide against itself, and the annotations against the guide."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import typer

from domain_ner.commands.console import LABELS_HELP, READING_HELP, out, progress, say, split_names, table, warn, writes
from domain_ner.conversion.exports import ImportSettings, read_annotations, unknown_annotators, unknown_labels
from domain_ner.errors import DomainNerError
from domain_ner.files import together, write_text
from domain_ner.guide.findings import (
    ERROR,
    KINDS,
    REMEDIES,
    SEVERITIES,
    WARNING,
    Finding,
    count_by_severity,
    fold_findings,
)
from domain_ner.guide.schema import line_index, load_guide
from domain_ner.guide.validate import Corpus, GuideFile, Validation, validate
from domain_ner.reports.guide_page import guide_page, to_json

# Kinds of findings, each in one section of the guide; findings of each.
MAX_LISTED = 12
MAX_ALIKE = 3


@writes("reports")
def main(
    guide: Path = typer.Argument(..., help="The annotation guide (YAML)."),
    annotations: Path = typer.Argument(..., help="Folder with the exports, of any format that can be read."),
    reports: Path = typer.Argument(..., help="Folder for guide.json and guide.html."),
    prefer: str = typer.Option("", help="Annotators to trust where annotations differ, the most trusted first."),
    conflicts: str = typer.Option("stop", help="Where none of these annotated: stop, majority or unknown."),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    fail_on: str = typer.Option("error", help="What ends the run with an error: error, or warning."),
    strict: bool = typer.Option(False, "--strict", help="The same as --fail-on warning."),
) -> None:
    """Check the guide, and the annotations against it; write training/reports/guide.json and guide.html."""
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
        say("✘ Mend the errors above, or declare a finding right under `deliberate` in the guide.")
        sys.exit(1)


def print_validation(validation: Validation) -> None:
    """Print the findings by kind, the first ones in full, and the statistics by type."""
    by_kind = Counter(finding.kind for finding in validation.findings)
    printed = table("finding", "", "count", title=f"{validation.n_passages} passages")
    for kind in sorted(by_kind, key=lambda kind: (SEVERITIES.index(KINDS[kind][0]), kind)):
        printed.add_row(KINDS[kind][1], KINDS[kind][0], str(by_kind[kind]))
    if by_kind:
        out.print(printed)
    print_findings([finding for finding in validation.findings if finding.severity in (ERROR, WARNING)])
    types = table("type", "mentions", "surfaces", "once", "tokens", "most frequent")
    for label, of_type in validation.statistics.items():
        once = f"{100 * of_type.n_once / of_type.n_surfaces:.0f} %"
        top = f"{of_type.top_surface} ({of_type.n_top})"
        mentions, surfaces = str(of_type.n_mentions), str(of_type.n_surfaces)
        types.add_row(label, mentions, surfaces, once, f"{of_type.mean_tokens:.1f}", top)
    out.print(types)
    for pair in validation.agreement:
        say(f"{' and '.join(pair.annotators)} on {pair.n_texts} passages: span F1 {pair.micro.f1:.2f}")
    counts = count_by_severity(validation.findings)
    deliberate = f", {validation.n_deliberate} declared deliberate" if validation.n_deliberate else ""
    say(f"{counts['error']} errors, {counts['warning']} warnings, {counts['note']} notes{deliberate}")


def print_findings(findings: Sequence[Finding]) -> None:
    """Print the first findings of each kind in each section, and how many more there are of it."""
    groups = fold_findings(findings)
    for group in groups[:MAX_LISTED]:
        n_shown = 1 if group[0].kind in REMEDIES else MAX_ALIKE
        for finding in group[:n_shown]:
            where = " ".join(part for part in (finding.source, finding.label and f"[{finding.label}]") if part)
            say(f"{finding.severity}: {where}: {finding.message}")
            if finding.text:
                say(f"    {finding.text}")
        more = f"… and {len(group) - n_shown:,} more like {'it' if n_shown == 1 else 'these'}" * (len(group) > n_shown)
        if more or group[0].kind in REMEDIES:
            say(f"    {': '.join(part for part in (more, REMEDIES.get(group[0].kind, '')) if part)}")
    if len(groups) > MAX_LISTED:
        n_left = sum(map(len, groups[MAX_LISTED:]))
        say(f"… and {n_left:,} of other kinds or types; all are in guide.json and guide.html")
