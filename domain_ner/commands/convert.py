"""Implements `convert`: converts exports to train, dev and test corpora, and accounts for each annotation."""

from pathlib import Path

import typer

from domain_ner.commands.console import (
    CONFLICTS_HELP,
    LABELS_HELP,
    MISALIGNED_HELP,
    OVERLAPS_HELP,
    PREFER_HELP,
    READING_HELP,
    check_choices,
    check_share,
    say,
    split_names,
    watched,
    writes,
)

STOP, ACCEPT = TEST_CHANGES = ("stop", "accept")


@writes("corpus")
def main(
    annotations: Path = typer.Argument(
        Path("assets/annotations"), help="Folder with the exports, in any supported format."
    ),
    corpus: Path = typer.Argument(
        Path("corpus"), help="Folder for train.spacy, dev.spacy, test.spacy and tokenizer.json."
    ),
    reports: Path = typer.Argument(
        Path("training/reports"), help="Folder for ledger.jsonl, ledger.json and left_out.jsonl."
    ),
    guide: Path = typer.Option(
        Path("assets/guide.yml"), help="The annotation guide (YAML); its types are the allowed labels."
    ),
    lang: str = typer.Option("en", help="Language of the text: spaCy's code."),
    assigned: Path | None = typer.Option(None, help="File that records the split of each group (JSON)."),
    splits: str = typer.Option(
        "0.7,0.1,0.2", help="Shares of train, dev and test; or `files`: the names of the exports begin with these."
    ),
    group_by: str = typer.Option("", help="Key of `meta`, or `document`: passages with one value stay in one split."),
    seed: int = typer.Option(0, help="Seed of the splits."),
    grow_test: bool = typer.Option(False, "--grow-test", help="Add new passages to the test set too."),
    test_changes: str = typer.Option(
        STOP, help="If passages of the frozen test set are missing or have changed: stop, or accept."
    ),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    prefer: str = typer.Option("", help=PREFER_HELP),
    conflicts: str = typer.Option("stop", help=CONFLICTS_HELP),
    overlaps: str = typer.Option("longest", help=f"Which of overlapping spans doc.ents keeps: {OVERLAPS_HELP}."),
    misaligned: str = typer.Option("split", help=f"Names that start or end inside a token: {MISALIGNED_HELP}."),
    normalize: str = typer.Option(
        "", help="`whitespace`: a run of white space counts as one space, also in prediction; empty: no change."
    ),
    max_loss: float = typer.Option(
        0.005, help="Share of the annotations, the documents or the tokens (0..1) that may be lost at most."
    ),
) -> None:
    """Convert the annotation exports to corpus/train.spacy, dev.spacy and test.spacy, and write the ledger."""
    from domain_ner.commands.printing import conversion as printing
    from domain_ner.conversion.exports import ImportSettings
    from domain_ner.conversion.run import Callbacks, ConvertSettings, convert
    from domain_ner.conversion.splitting import SplitSettings
    from domain_ner.conversion.tokenising import TokenSettings
    from domain_ner.corpus.assignments import TEST
    from domain_ner.corpus.docs import MISALIGNED
    from domain_ner.corpus.normalization import MODES
    from domain_ner.corpus.overlaps import OVERLAPS
    from domain_ner.guide.schema import load_guide
    from domain_ner.writers.passages import excerpts_by_digest

    check_choices(
        overlaps=(overlaps, OVERLAPS), misaligned=(misaligned, MISALIGNED), normalize=(normalize, MODES),
        test_changes=(test_changes, TEST_CHANGES),
    )  # fmt: skip
    check_share(max_loss=max_loss)
    labels = load_guide(guide).labels
    importing = ImportSettings(labels, reading, label_names, split_names(prefer), conflicts)
    splitting = SplitSettings(
        splits, group_by, seed, assigned, grow_test, test_changes == ACCEPT,
        seen=lambda: excerpts_by_digest(corpus / f"{TEST}.spacy"),
    )  # fmt: skip
    tokens = TokenSettings(lang, overlaps, misaligned, normalize)
    settings = ConvertSettings(annotations, corpus, reports, importing, splitting, tokens, max_loss)
    callbacks = Callbacks(
        progress=watched,
        on_file=lambda file: say(f"reading {file.name} ({file.title})"),
        on_read=lambda read: printing.print_notes_and_warnings(read, importing),
        on_groups=printing.print_group_warnings,
        on_learned=printing.print_learned_splits,
    )
    converted = convert(settings, callbacks)
    printing.print_ledger(converted.ledger)
    printing.print_documents(converted.ledger)
    printing.print_splits(converted.corpora, labels)
    printing.print_division(converted.division)
