"""Reads export files one after the other: the records of each, and then what there is to tell of the file."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from domain_ner.annotations.records import ACCEPTED, ExportFile, FileLog, Problem, Record, Unit
from domain_ner.conversion.offsets import CODEPOINT, differs_by_unit, vote
from domain_ner.errors import DomainNerError

# Taken where a file does not tell what its offsets count.
DEFAULT_UNIT = CODEPOINT
# Formats whose versions differ in what they count and that do not carry the words of a span.
OPEN_UNITS = ("doccano", "argilla")
# Formats in which a text without entities may be one that nobody saw.
OPEN_EMPTY = ("doccano", "dataturks", "brat", "webanno", "cas", "bioc", "pubtator")


@dataclass(frozen=True, slots=True)
class FileReport:
    """What there is to tell of a file, once its records are read.

    file: its name. problems: what could not be read. n_tokens: rows of tokens, in the formats that have such.
    notes: facts that the user should know, one line each.
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
    """Yield the records of every file, and after those of one its report.

    unit: of offsets, where a file leaves it open; None: as the text shows. The records that come out have theirs.
    on_file, on_record: called before each file and after each record, to show progress.
    Raises DomainNerError for a file that cannot be read at all, or in which there is no document.
    """
    for file in files:
        on_file(file)
        log = FileLog(file.name)
        of_file = unit or _unit(file, log)
        seen = _Seen()
        for record in file.records(log):
            seen.add(record)
            yield record if record.unit or not of_file else replace(record, unit=of_file)
            on_record()
        seen.tell(file, log)
        if not seen.n_records and not log.failures:
            raise DomainNerError(
                f"{file.path} holds no document ({file.title}).",
                "Export again, or name the format in vars.reading (format=…).",
            )
        yield FileReport(file.name, log.failures, log.n_tokens, log.notes)


def _unit(file: ExportFile, log: FileLog) -> Unit | None:
    """The unit of a file's offsets, told from its texts; None where the format says it, or no offset depends on it."""
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


def _is_open(record: Record) -> bool:
    has_words = any(span.text is not None for span in record.spans)
    return record.unit is None and not has_words and differs_by_unit(record)


@dataclass
class _Seen:
    """What is to be told of a file's records, whatever its format.

    texts: the first text of each id, as a hash, and where it is: two texts at one place are those of one task.
    others: records with another one. first: where the first of these is.
    """

    n_records: int = 0
    n_accepted: int = 0
    n_empty: int = 0
    n_skipped: int = 0
    texts: dict[str, tuple[int, str]] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Look at a record."""
        self.n_records += 1
        if record.document:
            text, source = self.texts.setdefault(record.document, (hash(record.text), record.source))
            if text != hash(record.text) and source != record.source:
                self.others[record.document] += 1
                self.first.setdefault(record.document, record.source)
        is_empty = not record.spans and not record.partial and bool(record.text.strip())
        self.n_accepted += record.answer == ACCEPTED
        self.n_empty += record.answer == ACCEPTED and is_empty
        self.n_skipped += record.answer == "not annotated" and is_empty

    def tell(self, file: ExportFile, log: FileLog) -> None:
        """Note what the records showed."""
        # Where most stand for several, they are documents of many sentences, and no ids of texts.
        of_documents = 2 * len(self.others) > len(self.texts) > 1
        for name, n_others in () if of_documents else self.others.items():
            told = f"{name!r}, of {n_others + 1:,} records, the second text at {self.first[name]}"
            log.note("an id that stands for several texts, all of which are kept", case=told)
        is_open = file.format in OPEN_EMPTY
        choice = " (vars.reading: empty=negative or skip)" if is_open else ""
        if self.n_empty:
            of = f"{self.n_empty:,} of {self.n_accepted:,} accepted texts have no entities"
            log.note(f"{of}: taken as reviewed, without entities{choice}")
        if self.n_skipped and is_open and file.options.empty == "skip":
            log.note(f"{self.n_skipped:,} texts have no entities: left out, as never seen{choice}")
