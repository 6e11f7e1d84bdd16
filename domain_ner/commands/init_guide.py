"""Implements `init-guide`: drafts an annotation guide from annotations."""

from pathlib import Path

import typer

from domain_ner.commands.console import LABELS_HELP, READING_HELP, say
from domain_ner.errors import MAX_LISTED, DomainNerError
from domain_ner.files import write_text


def main(
    annotations: Path = typer.Argument(
        Path("assets/annotations"), help="Folder with the exports, in any supported format."
    ),
    guide: Path = typer.Argument(Path("assets/guide.new.yml"), help="The guide to write (YAML)."),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    title: str = typer.Option("Annotation guide", help="Title of the guide."),
    force: bool = typer.Option(False, "--force", help="Replace an existing guide."),
) -> None:
    """Write a guide skeleton from annotated exports: types, typical sentences, candidate edge cases."""
    from domain_ner.conversion.exports import ImportSettings, read_annotations, require_spans
    from domain_ner.conversion.merging import ANYONE
    from domain_ner.guide.schema import load_guide
    from domain_ner.guide.skeleton import guide_skeleton, require_plain_labels

    if guide.exists() and not force:
        raise DomainNerError(f"{guide} exists.", "Write to another file, or add --force to replace it.")
    read = read_annotations(annotations, ImportSettings(reading=reading, names=label_names, prefer=[ANYONE]))
    for problem in read.problems[:MAX_LISTED]:
        say(f"left out: {problem}")
    require_spans(read, annotations)
    require_plain_labels(read.passages)
    write_text(guide, guide_skeleton(read.passages, title=title))
    written = load_guide(guide)
    for entity_type in written.types:
        n_examples, n_cases = len(entity_type.examples), len(entity_type.edge_cases)
        say(f"{entity_type.label}: {n_examples} examples, {n_cases} edge cases to decide")
    say(f"written to {guide}; complete the definitions, then run validate")
