"""Writes the ledger, as the only module. It enters the outcomes that each step returns, in their order.

Iterators are consumed item by item, so that only one text's annotations are in memory at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from domain_ner.annotations.outcomes import DOUBTFUL, IMPORTED, IN_CORPUS, KEPT, REPAIRED, Outcome
from domain_ner.annotations.passages import Passage
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.merging import MergedText
from domain_ner.conversion.reading import FileReport
from domain_ner.conversion.spans import LocatedRecord
from domain_ner.files import DiskList

if TYPE_CHECKING:  # spaCy takes seconds to import, and reading annotations does not need it
    from spacy.tokens import Doc

    from domain_ner.corpus.docs import GoldDoc
    from domain_ner.corpus.token_splits import LearnedSplits


def enter_records(located: Iterable[LocatedRecord | FileReport], ledger: Ledger) -> Sequence[Passage]:
    """Open a row for each annotation, and return the passages of the accepted records."""
    passages: DiskList[Passage] = DiskList()
    for item in located:
        if isinstance(item, FileReport):
            _enter_file(item, ledger)
            continue
        ledger.n_read[item.record.file] += len(item.record.spans)
        ledger.documents[item.record.answer] += 1
        for row in item.rows:
            ledger.open(row)
        _enter(item.outcomes, ledger)
        ledger.unknown.update(item.unknown_labels)
        if item.passage is not None:
            passages.append(item.passage)
    _note_label_variants(ledger)
    return passages


def enter_merged(merged: Iterable[MergedText], ledger: Ledger) -> tuple[Sequence[Passage], tuple[str, ...]]:
    """Enter what merging left out. Returns one passage for each text, and a line for each open conflict."""
    passages: DiskList[Passage] = DiskList()
    conflicts: list[str] = []
    for text in merged:
        for document in text.left_out:
            ledger.leave_out(document)
        _enter(text.outcomes, ledger)
        conflicts += text.conflicts
        if text.passage is not None:
            passages.append(text.passage)
    return passages, tuple(conflicts)


def enter_learned_splits(learned: "LearnedSplits", ledger: Ledger) -> None:
    """Enter the annotations that the tokenizer learns to split for, and those that may be slips."""
    _enter(learned.outcomes(), ledger)


def enter_doc(gold: "GoldDoc", ledger: Ledger, *, split: str = "") -> "Doc":
    """Count a passage of the corpus, enter the outcomes of its annotations, and return its document."""
    ledger.passages[IN_CORPUS] += 1
    _enter(gold.outcomes, ledger)
    for outcome in gold.outcomes:
        if outcome.outcome in KEPT:
            ledger.rows.place(outcome.row, split)
    return gold.doc


def _enter(outcomes: Iterable[Outcome], ledger: Ledger) -> None:
    for outcome in outcomes:
        if outcome.outcome == IMPORTED:
            ledger.settle(outcome.row, _kept_outcome(outcome.row, ledger), outcome.reason)
        elif outcome.outcome:
            ledger.settle(outcome.row, outcome.outcome, outcome.reason)
        else:
            ledger.rows.explain(outcome.row, outcome.reason)


def _kept_outcome(row: int, ledger: Ledger) -> str:
    """Return the outcome of an annotation in the corpus, given what earlier steps entered for it."""
    if ledger.rows.outcome(row) == DOUBTFUL:
        return DOUBTFUL
    return REPAIRED if ledger.rows.reasons(row) else IMPORTED


def _enter_file(report: FileReport, ledger: Ledger) -> None:
    for problem in report.problems:
        ledger.add_problem(f"{report.file}:{problem.line}" if problem.line else report.file, problem)
    ledger.n_tokens += report.n_tokens
    ledger.notes.extend((report.file, note) for note in report.notes)


def _note_label_variants(ledger: Ledger) -> None:
    """Note labels that differ only in case or outer white space: they are most often one label."""
    counts = ledger.labels
    variants: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        variants[label.strip().lower()].append(label)
    for labels in variants.values():
        if len(labels) > 1:
            by_count = sorted(labels, key=lambda label: -counts[label])
            listed = ", ".join(f"{label!r} ({counts[label]})" for label in by_count)
            ledger.notes.append(("labels", f"{listed} differ only in case or white space: the same label?"))
