"""Reads export files one after the other: each record checked and accounted for, and nothing lost in between."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.offsets import differs_by_unit, vote
from domain_ner.conversion.spans import Checks, to_passage
from domain_ner.errors import DomainNerError
from domain_ner.passages import Passage
from domain_ner.records import ExportFile, FileLog, Record
from domain_ner.spool import Spool

DEFAULT_UNIT = "codepoint"


@dataclass(frozen=True)
class Import:
    """What the files hold: a passage for each accepted record, so that a text may stand there twice, and the ledger."""

    passages: Sequence[Passage]
    ledger: Ledger


def import_files(
    files: Iterable[ExportFile],
    checks: Checks = Checks(),  # noqa: B008
    *,
    on_file: Callable[[ExportFile], None] = lambda file: None,
    on_record: Callable[[], None] = lambda: None,
) -> Import:
    """Read and check every file.

    on_file, on_record: called before each file and after each record, to show progress.
    Raises DomainNerError for a file that cannot be read at all, or in which there is no document.
    """
    ledger = Ledger()
    passages: Spool[Passage] = Spool()
    for file in files:
        on_file(file)
        log = FileLog(file.name)
        of_file = replace(checks, unit=_unit(file, checks, log))
        texts_of_id: dict[str, tuple[int, str]] = {}
        n_records = 0
        for record in file.records(log):
            n_records += 1
            _note_repeated_id(record, texts_of_id, log)
            passage = to_passage(record, ledger, of_file)
            if passage is not None:
                passages.append(passage)
            on_record()
        _close(file, log, ledger, n_records)
    _note_label_variants(ledger)
    return Import(passages, ledger)


def _unit(file: ExportFile, checks: Checks, log: FileLog) -> str | None:
    """The unit of a file's offsets: as the user says, as the format says, or as the text shows."""
    if checks.unit:
        return checks.unit
    undecided = (record for record in file.records(FileLog(file.name)) if _is_open(record))
    first = next(undecided, None) if file.format in OPEN_UNITS else None
    if first is None:
        return None
    unit, fits = vote([first, *undecided])
    told = ", ".join(f"{name} {n}" for name, n in fits.most_common())
    if unit is None:
        log.note(
            f"cannot tell whether offsets count UTF-16 units, code points or graphemes ({told or 'no evidence'}); taken"
            f" as {DEFAULT_UNIT}: set vars.reading (offsets=…) to utf16, codepoint or grapheme"
        )
        return DEFAULT_UNIT
    log.note(f"offsets are in {unit}: that many spans start and end at the edges of words ({told})")
    return unit


# Formats whose versions differ in what they count and that do not carry the words of a span.
OPEN_UNITS = ("doccano", "argilla")


def _is_open(record: Record) -> bool:
    has_words = any(span.text is not None for span in record.spans)
    return record.unit is None and not has_words and differs_by_unit(record)


def _note_repeated_id(record: Record, texts_of_id: dict[str, tuple[int, str]], log: FileLog) -> None:
    """Two texts at one place are those of one task."""
    if not record.document:
        return
    text, source = texts_of_id.setdefault(record.document, (hash(record.text), record.source))
    if text != hash(record.text) and source != record.source:
        log.note(f"id {record.document!r} stands for two texts, the second at {record.source}: both are kept")


def _close(file: ExportFile, log: FileLog, ledger: Ledger, n_records: int) -> None:
    for line, message in log.problems:
        ledger.lost_documents.append((f"{file.name}:{line}" if line else file.name, message))
        ledger.documents["unreadable"] += 1
    ledger.notes.extend((file.name, note) for note in log.notes)
    if not n_records and not log.problems:
        raise DomainNerError(
            f"{file.path} holds no document ({file.title}).",
            "Export again, or name the format in vars.reading (format=…).",
        )


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
