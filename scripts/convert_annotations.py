"""`convert`: annotation exports to train, dev and test corpora, with an account of every annotation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from reprlib import repr as short

import typer
from _console import (
    LABELS_HELP,
    READING_HELP,
    check_choices,
    check_share,
    out,
    progress,
    run,
    say,
    split_names,
    table,
    warn,
)

from domain_ner.annotations.outcomes import IN_CORPUS, KEPT, OUTCOMES
from domain_ner.annotations.records import ACCEPTED
from domain_ner.conversion.exports import Annotations, ImportSettings, unknown_annotators, unknown_labels
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.run import Callbacks, ConvertSettings, convert
from domain_ner.conversion.splitting import SplitSettings
from domain_ner.conversion.tokenising import Corpus, TokenSettings
from domain_ner.corpus.assignments import SPLITS, TEST
from domain_ner.corpus.docs import MISALIGNED
from domain_ner.corpus.normalization import MODES
from domain_ner.corpus.overlaps import OVERLAPS
from domain_ner.corpus.splits import Division
from domain_ner.corpus.token_splits import UNCONFIRMED, Learned
from domain_ner.errors import fold, without_details
from domain_ner.guide.schema import load_guide
from domain_ner.writers.passages import beginnings

MAX_LISTED = 12
MAX_SHOWN = 3
STOP, ACCEPT = TEST_CHANGES = ("stop", "accept")


def main(
    annotations: Path = typer.Argument(..., help="Folder with the exports, of any format that can be read."),
    corpus: Path = typer.Argument(..., help="Folder for train.spacy, dev.spacy, test.spacy and tokenizer.json."),
    reports: Path = typer.Argument(..., help="Folder for ledger.jsonl, ledger.json and left_out.jsonl."),
    guide: Path = typer.Option(..., help="The annotation guide, whose types are the labels that may occur."),
    lang: str = typer.Option("en", help="spaCy's code of the language."),
    assigned: Path | None = typer.Option(None, help="File that keeps which group is in which split (JSON)."),
    splits: str = typer.Option(
        "0.7,0.1,0.2", help="Shares of train, dev and test, or `files`: as the files are named."
    ),
    group_by: str = typer.Option("", help="Key of `meta` (or `document`): passages with one value stay in one split."),
    seed: int = typer.Option(0, help="Seed of the splits."),
    grow_test: bool = typer.Option(False, "--grow-test", help="Let new passages into the test set too."),
    test_changes: str = typer.Option(
        STOP, help="Where passages of the frozen test set are missing or have another text: stop, or accept."
    ),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    prefer: str = typer.Option("", help="Annotators to trust where annotations differ, the most trusted first."),
    conflicts: str = typer.Option("stop", help="Where none of these annotated: stop, majority or unknown."),
    overlaps: str = typer.Option("longest", help=f"What doc.ents keeps of overlapping spans: {', '.join(OVERLAPS)}."),
    misaligned: str = typer.Option("split", help=f"Of edges inside a token: {', '.join(MISALIGNED)}."),
    normalize: str = typer.Option("", help="`whitespace`: the same in training and in prediction; empty: no change."),
    max_loss: float = typer.Option(0.005, help="Share of the annotations (0..1) that may be lost."),
) -> None:
    """Convert the annotation exports to corpus/train.spacy, dev.spacy and test.spacy, and write the ledger."""
    check_choices(
        overlaps=(overlaps, OVERLAPS), misaligned=(misaligned, MISALIGNED), normalize=(normalize, MODES),
        test_changes=(test_changes, TEST_CHANGES),
    )  # fmt: skip
    check_share(max_loss=max_loss)
    labels = load_guide(guide).labels
    importing = ImportSettings(labels, reading, label_names, split_names(prefer), conflicts)
    splitting = SplitSettings(
        splits, group_by, seed, assigned, grow_test, test_changes == ACCEPT,
        seen=lambda: beginnings(corpus / f"{TEST}.spacy"),
    )  # fmt: skip
    tokens = TokenSettings(lang, overlaps, misaligned, normalize)
    settings = ConvertSettings(annotations, corpus, reports, importing, splitting, tokens, max_loss)
    callbacks = Callbacks(
        progress=bar_of,
        on_file=lambda file: say(f"reading {file.name} ({file.title})"),
        on_read=lambda read: tell_read(read, importing),
        on_groups=tell_groups,
        on_learned=tell_learned,
    )
    converted = convert(settings, callbacks)
    print_ledger(converted.ledger)
    print_documents(converted.ledger)
    print_splits(converted.corpora, labels)
    tell_division(converted.division)


@contextmanager
def bar_of(name: str, total: int | None) -> Iterator[Callable[[], None]]:
    """A progress bar, and what to call after each item."""
    with progress() as bar:
        task = bar.add_task(name, total=total)
        yield lambda: bar.advance(task)


def tell_read(read: Annotations, settings: ImportSettings) -> None:
    """Print what the readers noticed, and which settings named something that is not there."""
    tell_notes(read.ledger)
    warn(unknown_annotators(read, settings.prefer))
    warn(unknown_labels(read, settings.names))


def tell_division(division: Division) -> None:
    """Print what is new in the splits, and what of the frozen test set was let go."""
    if division.is_anew:
        warn("of the groups in assets/splits.json none is here: taken for other data, all splits are drawn anew")
    if division.n_new:
        say(f"{division.n_new} new groups; the others stay in the split where they were")
    if division.n_joined:
        say(f"{division.n_joined} new passages are in the test set, with the groups that they belong to")
    for line in division.changes.lines():
        warn(f"the test set has changed, as you accepted: {line}")


def tell_groups(warnings: Sequence[str]) -> None:
    """Print which passages lack the key that keeps them together, and files that look divided already."""
    for warning in warnings:
        warn(warning)


def tell_learned(learned: Learned) -> None:
    """Print what the tokenizer splits from now on, and edges inside words that it does not learn."""
    for shown in learned.doubtful[:MAX_SHOWN]:
        warn(f"{shown.source}: {short(shown.surface)} ({shown.label}) has {UNCONFIRMED}: {shown.told}; not learned")
    if len(learned.doubtful) > MAX_SHOWN:
        warn(f"… and {len(learned.doubtful) - MAX_SHOWN} more edges inside words, all in ledger.jsonl")
    for rule in learned.rules:
        say(f"the tokenizer splits {rule.reason}: {', '.join(rule.examples)}")


def tell_notes(ledger: Ledger) -> None:
    """Print what the readers noticed; of what they noticed many times, the first case. All are in ledger.json."""
    for folded in fold(ledger.notes, lambda entry: without_details(entry[1])):
        file, note = folded.first
        say(f"{file}: {note}{folded.more(lambda entry: entry[0])}")


def print_ledger(ledger: Ledger) -> None:
    """Print what became of the annotations, the reasons, and the first of those that were lost."""
    outcomes, reasons = ledger.outcomes(), ledger.reasons()
    printed = table("annotations", "", title=f"{len(ledger.rows)} annotations read")
    for total, some in ((IN_CORPUS, KEPT), ("not in the corpus", [name for name in OUTCOMES if name not in KEPT])):
        for outcome in some:
            if outcomes[outcome]:
                printed.add_row(outcome, str(outcomes[outcome]))
                for (of_outcome, reason), n in reasons.most_common():
                    if of_outcome == outcome:
                        printed.add_row(f"    {reason}", str(n))
        printed.add_section()
        printed.add_row(total, str(sum(outcomes[outcome] for outcome in some)))
        printed.add_section()
    out.print(printed)
    lost = [str(loss) for loss in ledger.losses_by_kind() if loss.n_lost]
    if lost:
        say(f"lost: {' and '.join(lost)}")
    lines = ledger.folded_losses()
    for line in lines[:MAX_LISTED]:
        say(f"lost: {line}")
    if len(lines) > MAX_LISTED:
        say(f"… and for {len(lines) - MAX_LISTED} reasons more, all in ledger.jsonl")


def print_documents(ledger: Ledger) -> None:
    """Print what became of the documents, and which of the accepted ones are no passage of the corpus."""
    printed = table("documents", "", title=f"{ledger.documents.total()} documents read")
    reasons = [(reason, n) for reason, n in ledger.passages.most_common() if reason != IN_CORPUS]
    for what, n in [(IN_CORPUS, ledger.passages[IN_CORPUS]), *reasons]:
        printed.add_row(what, str(n))
    printed.add_section()
    for answer in sorted(ledger.documents, key=lambda answer: answer != ACCEPTED):
        printed.add_row(answer, str(ledger.documents[answer]))
    out.print(printed)
    for source, reason, kept in islice(ledger.left_out, MAX_SHOWN):
        say(f"{source}: {reason}{f', {kept}' if kept else ''}")
    if len(ledger.left_out) > MAX_SHOWN:
        say(f"… and {len(ledger.left_out) - MAX_SHOWN} more, all in left_out.jsonl")


def print_splits(corpora: Mapping[str, Corpus], labels: Sequence[str]) -> None:
    """Print passages, tokens and mentions of each split."""
    printed = table("", *SPLITS)
    printed.add_row("passages", *(str(len(corpora[name].docs)) for name in SPLITS))
    printed.add_row("tokens", *(str(corpora[name].n_tokens) for name in SPLITS))
    for label in labels:
        printed.add_row(label, *(str(corpora[name].mentions[label]) for name in SPLITS))
    out.print(printed)


if __name__ == "__main__":
    run(main, writes=["corpus"])
