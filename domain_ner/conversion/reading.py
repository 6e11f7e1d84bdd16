"""Reads export files one by one: first the records of a file, then a report on it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from domain_ner.annotations.records import ACCEPTED, ExportFile, FileLog, Problem, Record, Unit
from domain_ner.conversion.offsets import CODEPOINT, differs_by_unit, vote
from domain_ner.errors import DomainNerError

# Used if the unit of a file's offsets cannot be detected.
DEFAULT_UNIT = CODEPOINT
# Formats whose versions use different units, and that do not carry the words of a span.
OPEN_UNITS = ("doccano", "argilla")
# Formats in which a text without entities may be unseen.
OPEN_EMPTY = ("doccano", "dataturks", "brat", "webanno", "cas", "bioc", "pubtator")


@dataclass(frozen=True, slots=True)
class FileReport:
    """A report on a file, after its records are read.

    file: its name. problems: what could not be read. n_tokens: token rows, in formats that have them.
    notes: facts that the user should know, a line each.
    """

    file: str
    problems: Sequence[Problem]
    n_tokens: int
    notes: Sequence[str]


def read_records(
    files: Iterable[ExportFile],
    unit: Unit | None = None,
    *,
    on_file: Callable[[ExportFile], None] = lambda file: None,
    on_record: Callable[[], None] = lambda: None,
) -> Iterator[Record | FileReport]:
    """Yield the records of every file, and a report after the records of each file.

    unit: of offsets, if a file does not state it; None: detect it. The records are returned with their unit.
    on_file, on_record: called before each file and after each record, to show progress.
    Raises DomainNerError for a file that cannot be read at all, or that holds no document.
    """
    for file in files:
        on_file(file)
        log = FileLog(file.name)
        file_unit = unit or _detect_unit(file, log)
        statistics = _FileStatistics()
        for record in file.records(log):
            statistics.add(record)
            yield record if record.unit or not file_unit else replace(record, unit=file_unit)
            on_record()
        statistics.note_findings(file, log)
        if not statistics.n_records and not log.failures:
            raise DomainNerError(
                f"{file.path} holds no document ({file.title}).",
                "Export again, or name the format in vars.reading (format=…).",
            )
        yield FileReport(file.name, log.failures, log.n_tokens, log.notes)


def _detect_unit(file: ExportFile, log: FileLog) -> Unit | None:
    """Detect the unit of a file's offsets from its texts; None if the format states it, or no offset depends on it."""
    undecided = (record for record in file.records(FileLog(file.name)) if _is_open(record))
    first = next(undecided, None) if file.format in OPEN_UNITS else None
    if first is None:
        return None
    unit, fits = vote([first, *undecided])
    votes = ", ".join(f"{name} {n}" for name, n in fits.most_common())
    if unit is None:
        log.note(
            f"cannot tell whether offsets count UTF-16 units, code points or graphemes ({votes or 'no evidence'});"
            f" using {DEFAULT_UNIT}: set vars.reading (offsets=…) to utf16, codepoint or grapheme"
        )
        return DEFAULT_UNIT
    log.note(f"offsets are in {unit}, judging by how many spans start and end at word edges ({votes})")
    return unit


def _is_open(record: Record) -> bool:
    has_words = any(span.text is not None for span in record.spans)
    return record.unit is None and not has_words and differs_by_unit(record)


@dataclass
class _FileStatistics:
    """Statistics of a file's records, independent of its format.

    texts: the first text of each id, as a hash, and its source: two texts with one source belong to one task.
    n_other_texts: records with another text, by id. other_sources: the source of the first of these.
    """

    n_records: int = 0
    n_accepted: int = 0
    n_empty: int = 0
    n_skipped: int = 0
    texts: dict[str, tuple[int, str]] = field(default_factory=dict)
    n_other_texts: Counter[str] = field(default_factory=Counter)
    other_sources: dict[str, str] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Add a record to the statistics."""
        self.n_records += 1
        if record.document:
            text, source = self.texts.setdefault(record.document, (hash(record.text), record.source))
            if text != hash(record.text) and source != record.source:
                self.n_other_texts[record.document] += 1
                self.other_sources.setdefault(record.document, record.source)
        is_empty = not record.spans and not record.partial and bool(record.text.strip())
        self.n_accepted += record.answer == ACCEPTED
        self.n_empty += record.answer == ACCEPTED and is_empty
        self.n_skipped += record.answer == "not annotated" and is_empty

    def note_findings(self, file: ExportFile, log: FileLog) -> None:
        """Log notes on the records."""
        # If most ids have several texts, they are ids of documents with many sentences, not ids of texts.
        are_documents = 2 * len(self.n_other_texts) > len(self.texts) > 1
        for name, n_others in () if are_documents else self.n_other_texts.items():
            case = f"{name!r}, of {n_others + 1:,} records, the second text at {self.other_sources[name]}"
            log.note("an id that stands for several texts, all of which are kept", case=case)
        is_open = file.format in OPEN_EMPTY
        choice = " (vars.reading: empty=negative or skip)" if is_open else ""
        if self.n_empty:
            share = f"{self.n_empty:,} of {self.n_accepted:,} accepted texts have no entities"
            log.note(f"{share}: treated as reviewed{choice}")
        if self.n_skipped and is_open and file.options.empty == "skip":
            log.note(f"{self.n_skipped:,} texts have no entities: left out as not reviewed{choice}")
