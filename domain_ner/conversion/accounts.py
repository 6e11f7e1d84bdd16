"""The one place that writes the ledger. A step says what became of rows; here it is noted, in the order it was said.

Whatever comes as an iterator is taken one by one, so that of any number of annotations only one text's are in memory.
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

if TYPE_CHECKING:  # spaCy takes seconds to import, and who only reads annotations does not need it
    from spacy.tokens import Doc

    from domain_ner.corpus.docs import MadeDoc
    from domain_ner.corpus.token_splits import Learned


def enter_records(located: Iterable[LocatedRecord | FileReport], ledger: Ledger) -> Sequence[Passage]:
    """Open a row for each annotation, and return the passages of the accepted records."""
    passages: DiskList[Passage] = DiskList()
    for one in located:
        if isinstance(one, FileReport):
            _enter_file(one, ledger)
            continue
        ledger.n_read[one.record.file] += len(one.record.spans)
        ledger.documents[one.record.answer] += 1
        for row in one.rows:
            ledger.open(row)
        _enter(one.outcomes, ledger)
        ledger.unknown.update(one.unknown_labels)
        if one.passage is not None:
            passages.append(one.passage)
    _note_label_variants(ledger)
    return passages


def enter_merged(merged: Iterable[MergedText], ledger: Ledger) -> tuple[Sequence[Passage], tuple[str, ...]]:
    """Note what merging left out. Returns the passages, one for each text, and a line for each open conflict."""
    passages: DiskList[Passage] = DiskList()
    conflicts: list[str] = []
    for one in merged:
        for document in one.left_out:
            ledger.leave_out(document)
        _enter(one.outcomes, ledger)
        conflicts += one.conflicts
        if one.passage is not None:
            passages.append(one.passage)
    return passages, tuple(conflicts)


def enter_learned(learned: "Learned", ledger: Ledger) -> None:
    """Note for which annotations the tokenizer learns to split, and which of them may be slips."""
    _enter(learned.outcomes(), ledger)


def enter_doc(made: "MadeDoc", ledger: Ledger, *, split: str = "") -> "Doc":
    """Count a passage of the corpus, note what became of its annotations, and return its document."""
    ledger.passages[IN_CORPUS] += 1
    _enter(made.outcomes, ledger)
    for outcome in made.outcomes:
        if outcome.outcome in KEPT:
            ledger.rows.place(outcome.row, split)
    return made.doc


def _enter(outcomes: Iterable[Outcome], ledger: Ledger) -> None:
    for one in outcomes:
        if one.outcome == IMPORTED:
            ledger.settle(one.row, _as_kept(one.row, ledger), one.reason)
        elif one.outcome:
            ledger.settle(one.row, one.outcome, one.reason)
        else:
            ledger.rows.explain(one.row, one.reason)


def _as_kept(row: int, ledger: Ledger) -> str:
    """How an annotation of the corpus counts, by what the steps before said of it."""
    if ledger.rows.outcome(row) == DOUBTFUL:
        return DOUBTFUL
    return REPAIRED if ledger.rows.reasons(row) else IMPORTED


def _enter_file(report: FileReport, ledger: Ledger) -> None:
    for problem in report.problems:
        ledger.lose(f"{report.file}:{problem.line}" if problem.line else report.file, problem)
    ledger.n_tokens += report.n_tokens
    ledger.notes.extend((report.file, note) for note in report.notes)


def _note_label_variants(ledger: Ledger) -> None:
    """Labels that differ in case or outer white space alone are most often one label."""
    counts = ledger.labels
    variants: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        variants[label.strip().lower()].append(label)
    for labels in variants.values():
        if len(labels) > 1:
            told = ", ".join(f"{label!r} ({counts[label]})" for label in sorted(labels, key=lambda one: -counts[one]))
            ledger.notes.append(("labels", f"{told} differ in case or space alone: the same label?"))
