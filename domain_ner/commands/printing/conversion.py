"""What `convert` prints."""

from collections.abc import Mapping, Sequence
from itertools import islice
from reprlib import repr as short

from domain_ner.annotations.outcomes import IN_CORPUS, KEPT, OUTCOMES
from domain_ner.annotations.records import ACCEPTED
from domain_ner.commands.console import out, say, table, warn
from domain_ner.conversion.exports import Annotations, ImportSettings, unknown_annotators, unknown_labels
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.tokenising import Corpus
from domain_ner.corpus.assignments import SPLITS
from domain_ner.corpus.splits import Division
from domain_ner.corpus.token_splits import UNCONFIRMED, Learned
from domain_ner.errors import group_cases, without_details

MAX_LISTED = 12
MAX_SHOWN = 3


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
    for folded in group_cases(ledger.notes, lambda entry: without_details(entry[1])):
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
