"""Prints the results of `convert`."""

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
from domain_ner.corpus.token_splits import UNCONFIRMED, LearnedSplits
from domain_ner.errors import group_cases, without_details

MAX_LISTED = 12
MAX_SHOWN = 3


def print_notes_and_warnings(read: Annotations, settings: ImportSettings) -> None:
    """Print the notes of the readers, and warnings about settings that name something unknown."""
    print_notes(read.ledger)
    warn(unknown_annotators(read, settings.prefer))
    warn(unknown_labels(read, settings.names))


def print_division(division: Division) -> None:
    """Print what is new in the splits, and accepted changes to the frozen test set."""
    if division.is_anew:
        warn("none of the groups in assets/splits.json occurs in this data: drawing new splits")
    if division.n_new:
        say(f"{division.n_new} new groups; the others stay in their splits")
    if division.n_joined:
        say(f"{division.n_joined} new passages join the test set, because they belong to its groups")
    for line in division.changes.lines():
        warn(f"the test set has changed, as you accepted: {line}")


def print_group_warnings(warnings: Sequence[str]) -> None:
    """Print warnings about passages without the group key, and about files that look divided already."""
    for warning in warnings:
        warn(warning)


def print_learned_splits(learned: LearnedSplits) -> None:
    """Print the split rules of the tokenizer, and edges inside words that it does not learn."""
    for span in learned.doubtful[:MAX_SHOWN]:
        warn(f"{span.source}: {short(span.surface)} ({span.label}) has {UNCONFIRMED}: {span.split_words}; not learned")
    if len(learned.doubtful) > MAX_SHOWN:
        warn(f"… and {len(learned.doubtful) - MAX_SHOWN} more edges inside words, all in ledger.jsonl")
    for rule in learned.rules:
        say(f"the tokenizer splits {rule.reason}: {', '.join(rule.examples)}")


def print_notes(ledger: Ledger) -> None:
    """Print the notes of the readers, repeated ones by their first case. All are in ledger.json."""
    for cases in group_cases(ledger.notes, lambda entry: without_details(entry[1])):
        file, note = cases.first
        say(f"{file}: {note}{cases.more(lambda entry: entry[0])}")


def print_ledger(ledger: Ledger) -> None:
    """Print the outcomes of the annotations, their reasons, and the first losses."""
    outcomes, reasons = ledger.outcomes(), ledger.reasons()
    printed = table("annotations", "", title=f"{len(ledger.rows)} annotations read")
    others = [name for name in OUTCOMES if name not in KEPT]
    for total, members in ((IN_CORPUS, KEPT), ("not in the corpus", others)):
        for outcome in members:
            if outcomes[outcome]:
                printed.add_row(outcome, str(outcomes[outcome]))
                for (outcome_of_reason, reason), n in reasons.most_common():
                    if outcome_of_reason == outcome:
                        printed.add_row(f"    {reason}", str(n))
        printed.add_section()
        printed.add_row(total, str(sum(outcomes[outcome] for outcome in members)))
        printed.add_section()
    out.print(printed)
    lost = [str(loss) for loss in ledger.losses_by_kind() if loss.n_lost]
    if lost:
        say(f"lost: {' and '.join(lost)}")
    lines = ledger.grouped_losses()
    for line in lines[:MAX_LISTED]:
        say(f"lost: {line}")
    if len(lines) > MAX_LISTED:
        say(f"… and for {len(lines) - MAX_LISTED} more reasons, all in ledger.jsonl")


def print_documents(ledger: Ledger) -> None:
    """Print the outcomes of the documents, and the accepted ones that are not passages of the corpus."""
    printed = table("documents", "", title=f"{ledger.documents.total()} documents read")
    reasons = [(reason, n) for reason, n in ledger.passages.most_common() if reason != IN_CORPUS]
    for outcome, n in [(IN_CORPUS, ledger.passages[IN_CORPUS]), *reasons]:
        printed.add_row(outcome, str(n))
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
