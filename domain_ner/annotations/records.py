"""What a reader of an annotation export yields: the annotation as the file has it, nothing checked and nothing dropped.

Checking, repairing and merging is one place's work for all formats (`domain_ner.conversion`); a reader knows only how
its tool writes things down.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from domain_ner.errors import DomainNerError
from domain_ner.files import Pickled

Unit = Literal["codepoint", "utf16", "grapheme", "byte"]
"""What an offset counts: Unicode code points (Python's), UTF-16 code units (JavaScript's), user-perceived characters,
or bytes of UTF-8."""

ACCEPTED = "accepted"
# Of the cases of a note.
N_CASES_SHOWN = 3
Answer = Literal["accepted", "rejected", "ignored", "cancelled", "prediction", "not annotated"]


WHOLE_NUMBER = re.compile(r"([-+]?[0-9]{1,15})(\.0*)?")


def as_offset(value: Any) -> Any:
    """An offset as the whole number that it is, however a tool writes it (`4.0`, `"4"`); anything else as it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    found = WHOLE_NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(found[1]) if found else value


@dataclass(frozen=True, slots=True)
class SourceSpan(Pickled):
    """One annotation as the export has it.

    start, end: offsets into the record's text, in the record's unit, `end` exclusive, as `as_offset` reads them.
        Whatever else the file holds there (None, a word, end before start) is passed on as it is: the check tells it.
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
class Record(Pickled):
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
    label: type of every entity of a file whose tags are B, I and O alone.
    """

    tag_column: str = ""
    field: str = ""
    label_names: tuple[str, ...] = ()
    predictions: bool = False
    forced: bool = False
    empty: Literal["negative", "skip"] = "negative"
    discontinuous: Literal["drop", "envelope", "fragments"] = "drop"
    label: str = ""


Cost = Literal["document", "token", "rest"]
"""What a problem costs: a document, a token alone (its sentence is read without it), or the rest of a file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read.

    line: as in a Record; 0 where it is the file as a whole. message: what came, and what was expected.
    n_behind: of a rest, how many documents it holds by a rough estimate; None where it is not in the file at all.
    """

    line: int
    message: str
    cost: Cost = "document"
    n_behind: int | None = None

    @property
    def told(self) -> str:
        """The message, of a rest with what is known of it."""
        if self.cost != "rest":
            return self.message
        if self.n_behind is None:
            return f"{self.message}; what stood behind it is missing, and nobody can tell how much"
        return f"{self.message}, about {self.n_behind:,} document{'s' * (self.n_behind != 1)} by its length"


@dataclass
class _Cases:
    """Cases of a note: how many, and the first three."""

    n: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, case: str) -> None:
        self.n += 1
        if len(self.first) < N_CASES_SHOWN:
            self.first.append(case)

    def told(self, message: str) -> str:
        listed = ", ".join(self.first)
        return f"{message}: {listed} … ({self.n:,} in all)" if self.n > len(self.first) else f"{message}: {listed}"


@dataclass
class FileLog:
    """What a reader has to say of a file beside its records.

    found: what could not be read; the rest is read all the same.
    n_documents: documents seen, unreadable ones included. n_tokens: rows of tokens, where one can be lost by itself.
    """

    file: str
    found: list[Problem] = field(default_factory=list)
    n_documents: int = 0
    n_tokens: int = 0
    _facts: dict[str, None] = field(default_factory=dict, init=False)
    _cases: dict[str, _Cases] = field(default_factory=dict, init=False)

    @property
    def notes(self) -> list[str]:
        """Facts the user should know, one line each (`scheme BIOES`, `BOM removed`), in the order they were found."""
        return [self._cases[fact].told(fact) if fact in self._cases else fact for fact in self._facts]

    @property
    def problems(self) -> list[tuple[int, str]]:
        """(line, message) of everything that could not be read."""
        return [(problem.line, problem.message) for problem in self.found]

    def note(self, message: str, case: str = "") -> None:
        """Say a fact. Of one that comes again and again, `case` says where: it is told once, with the first three."""
        self._facts[message] = None
        if case:
            self._cases.setdefault(message, _Cases()).add(case)

    def problem(self, line: int, message: str, *, cost: Cost = "document", n_behind: int | None = None) -> None:
        """Say that something cannot be read, and why. The arguments are those of Problem."""
        self.found.append(Problem(line, message, cost, n_behind))

    def join(self, other: "FileLog") -> None:
        """Add what another log has to say of this very file."""
        self.n_documents += other.n_documents
        self.n_tokens += other.n_tokens
        self.found += other.found
        for fact in other._facts:
            self.note(fact)
            if fact in other._cases:
                cases = self._cases.setdefault(fact, _Cases())
                cases.n += other._cases[fact].n
                cases.first += other._cases[fact].first[: N_CASES_SHOWN - len(cases.first)]

    def take(self, part: "FileLog", name: str) -> None:
        """Add what there is to say of a part of the file. name: of the part."""
        self.n_documents += part.n_documents
        self.n_tokens += part.n_tokens
        self.found += [replace(problem, message=f"{name}: {problem.message}") for problem in part.found]
        for fact in part._facts:
            cases = part._cases.get(fact, _Cases(1, [""]))
            for case in cases.first:
                self.note(fact, case=f"{name} {case}".rstrip())
            self._cases[fact].n += cases.n - len(cases.first)

    def unread(self, line: int, message: str, *, n_read: int, read: int, left: int) -> None:
        """Say that a file cannot be read from a place on, and guess what is behind it from what was before it.

        n_read: documents before it. read, left: bytes (or characters) before and behind it; 0 left where the file ends.
        """
        n_behind = max(1, round(n_read * left / read)) if left and read and n_read else None
        self.problem(line, message, cost="rest", n_behind=n_behind)


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


def unreadable(path: Path, title: str, err: Exception) -> DomainNerError:
    """The error for a file at which a reader failed. title: of the format."""
    return DomainNerError(
        f"{path} cannot be read as {title}: {type(err).__name__} ({err}).",
        "Export again, or move it elsewhere; if the tool can read it, this is a fault of domain-ner: please report it.",
    )


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
        """Read the file from its start. log: gets its notes and problems.

        Raises DomainNerError where it cannot be read, and where its reader fails at what is in it.
        """
        try:
            yield from self.read(self.path, self.options, log)
        except (DomainNerError, OSError):
            raise
        except Exception as err:
            raise unreadable(self.path, self.title, err) from err
