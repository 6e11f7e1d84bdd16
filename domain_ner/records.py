"""What a reader of an annotation export yields: the annotation as the file has it, nothing checked and nothing dropped.

Checking, repairing and merging is one place's work for all formats (`domain_ner.conversion`); a reader knows only how
its tool writes things down.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from domain_ner.spool import Spooled

Unit = Literal["codepoint", "utf16", "grapheme", "byte"]
"""What an offset counts: Unicode code points (Python's), UTF-16 code units (JavaScript's), user-perceived characters,
or bytes of UTF-8."""

ACCEPTED = "accepted"
Answer = Literal["accepted", "rejected", "ignored", "cancelled", "prediction", "not annotated"]


@dataclass(frozen=True, slots=True)
class SourceSpan(Spooled):
    """One annotation as the export has it.

    start, end: offsets into the record's text, in the record's unit, `end` exclusive. Whatever else the file holds
        there (None, a string, end before start) is passed on as it is: the check tells it to the user.
    label: as the file has it.
    text: the words that the export itself gives for the span; None where it gives none.
    rejected: the annotator said that this is *not* an entity of that label.
    how: repairs that the reader had to make, each a short name (`I- after O opens an entity`).
    fault: why this annotation cannot be used (a discontinuous span); it is then listed as dropped. Else empty.
    """

    start: Any
    end: Any
    label: Any
    text: str | None = None
    rejected: bool = False
    how: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Record(Spooled):
    """One annotator's work on one text. A text that two annotators saw is two records.

    text: exactly as the annotator saw it.
    line: of the file, from 1, where the record starts; 0 where a file is one record.
    document: the id that the export gives, as a string; empty where it gives none.
    answer: anything but `accepted` is counted, and not used.
    partial: nothing is known of what the spans do not cover (yes/no annotations), so that it is not "no entity".
    unknown: character ranges (start, end) that nobody annotated although the rest is complete.
    words, spaces: the export's tokens and whether a space follows each; `spaces` is None where the file does not say,
        and `text` is then the words joined by single spaces.
    unit: of the offsets; None where the format leaves it open, so that it must be found out.
    """

    text: str
    spans: tuple[SourceSpan, ...]
    file: str
    line: int = 0
    document: str = ""
    answer: Answer = "accepted"
    annotator: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    partial: bool = False
    unknown: tuple[tuple[int, int], ...] = ()
    words: tuple[str, ...] | None = None
    spaces: tuple[bool, ...] | None = None
    unit: Unit | None = "codepoint"

    @property
    def source(self) -> str:
        """`file:line`, as findings and errors cite it."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """What a file does not say and the user does (`vars` of project.yml). None or empty: the reader finds out.

    tag_column: column with the tags, from 1, or its name in a header. field: key with the tags (`fine_ner_tags`), or
        with the text; of several texts apart by commas (`title,body`, `t1=title,t2=body`).
    label_names: names of integer labels, by their number.
    predictions: take a model's predictions where nobody annotated. forced: read formats known to lose annotations.
    empty: what an empty annotation of a tool that also exports unseen texts means, `negative` or `skip`.
    discontinuous: `drop` (listed), `envelope` (from the first to the last character) or `fragments` (each for itself).
    """

    tag_column: str = ""
    field: str = ""
    label_names: tuple[str, ...] = ()
    predictions: bool = False
    forced: bool = False
    empty: Literal["negative", "skip"] = "negative"
    discontinuous: Literal["drop", "envelope", "fragments"] = "drop"


@dataclass
class FileLog:
    """What a reader has to say of a file beside its records.

    notes: facts the user should know, one line each, said once a file (`scheme BIOES`, `BOM removed`).
    problems: a document that could not be read, (line, what came, what was expected); the others are read all the same.
    n_documents: documents seen, unreadable ones included.
    """

    file: str
    notes: list[str] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    n_documents: int = 0

    def note(self, message: str) -> None:
        """Say a fact, once."""
        if message not in self.notes:
            self.notes.append(message)

    def problem(self, line: int, message: str) -> None:
        """Say that a document cannot be read, and why; line 0 where it is the file as a whole."""
        self.problems.append((line, message))


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of a file, from which its format is told.

    path: of the file. text: its first 64 K characters, decoded. whole: whether that is all of it.
    """

    path: Path
    text: str
    whole: bool


Read = Callable[[Path, ReaderOptions, FileLog], Iterator[Record]]


class Format(Protocol):
    """One annotation format: a module of `domain_ner.readers` that has these names.

    NAME: as in `--format`. TITLE: what it is, for messages and documents. EXTENSIONS: of file names, with the dot.
    """

    NAME: str
    TITLE: str
    EXTENSIONS: tuple[str, ...]

    def recognises(self, sample: Sample) -> bool:
        """Whether a file is of this format, told by its content and not by its name alone."""

    def read(self, path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
        """Yield the records of a file, one at a time, never the whole file in memory.

        Raises DomainNerError where nothing of the file can be read; one bad document is `log.problem`.
        """


@dataclass(frozen=True)
class ExportFile:
    """A file whose format is known, ready to be read as often as needed.

    name: as findings cite it. format: its `NAME`. title: its `TITLE`.
    """

    name: str
    path: Path
    format: str
    title: str
    read: Read
    options: ReaderOptions = ReaderOptions()

    def records(self, log: FileLog) -> Iterator[Record]:
        """Read the file from its start. log: gets its notes and problems."""
        return self.read(self.path, self.options, log)
