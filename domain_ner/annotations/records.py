"""The records that readers yield: annotations as the file has them, with nothing checked and nothing dropped.

`domain_ner.conversion` checks, repairs and merges for all formats; a reader only knows how its tool writes files.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from domain_ner.errors import DomainNerError
from domain_ner.files import Pickled

Unit = Literal["codepoint", "utf16", "grapheme", "byte"]
"""The unit of an offset: Unicode code points (Python), UTF-16 code units (JavaScript), user-perceived characters, or
bytes of UTF-8."""

ACCEPTED = "accepted"
# How many cases a note lists.
N_CASES_SHOWN = 3
Answer = Literal["accepted", "rejected", "ignored", "cancelled", "prediction", "not annotated"]


WHOLE_NUMBER = re.compile(r"([-+]?[0-9]{1,15})(\.0*)?")


def as_offset(value: Any) -> Any:
    """Read an offset as a whole number, however the tool writes it (`4.0`, `"4"`); other values stay as they are."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    match = WHOLE_NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(match[1]) if match else value


@dataclass(frozen=True, slots=True)
class SourceSpan(Pickled):
    """One annotation as the export has it.

    start, end: offsets into the record's text, in the record's unit, `end` exclusive, as `as_offset` reads them.
        Other values (None, a word, end before start) are passed on unchanged: the conversion reports them.
    label: as the file has it.
    text: the span's words as the export gives them; None if it gives none.
    rejected: the annotator said that this is *not* an entity of that label.
    repairs: by the reader, each a short name (`I- after O opens an entity`).
    fault: why this annotation cannot be used (a discontinuous span) and is dropped; empty if it can.
    """

    start: Any
    end: Any
    label: Any
    text: str | None = None
    rejected: bool = False
    repairs: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Record(Pickled):
    """One annotator's work on one text. Two annotators of one text make two records.

    text: exactly as the annotator saw it.
    line: line of the file, from 1, where the record starts; 0 if the file is one record.
    document: the id in the export, as a string; empty if it has none.
    answer: records that are not `accepted` are counted and not used.
    partial: text outside the spans is not annotated (yes/no annotations), so it must not count as "no entity".
    unknown: character ranges (start, end) that nobody annotated although the rest is complete.
    words, spaces: the export's tokens and whether a space follows each. `spaces` is None if the file does not say;
        `text` is then the words joined by single spaces.
    unit: unit of the offsets; None if the format does not define it and it must be inferred.
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
        """`file:line`, as reports and errors cite it."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """What the user sets because the file does not say (`vars` of project.yml). None or empty: the reader infers it.

    tag_column: column with the tags, from 1, or its name in a header. field: key of the tags (`fine_ner_tags`) or of
        the text; several texts are separated by commas (`title,body`, `t1=title,t2=body`).
    label_names: names of integer labels, in the order of their numbers.
    predictions: use a model's predictions where nobody annotated. forced: read formats that lose annotations.
    empty: meaning of an empty annotation, for tools that also export unseen texts: `negative` or `skip`.
    discontinuous: `drop` (listed), `envelope` (from the first to the last character) or `fragments` (each by itself).
    label: type of all entities in a file with bare B, I and O tags.
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
"""What a problem loses: a document, a single token (its sentence is read without it), or the rest of a file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that could not be read.

    line: as in a Record; 0 if it concerns the whole file. message: what came, and what was expected.
    n_behind: for `rest`, a rough estimate of the lost documents; None if the file does not contain them.
    """

    line: int
    message: str
    cost: Cost = "document"
    n_behind: int | None = None

    @property
    def text(self) -> str:
        """The message; for a lost rest, with an estimate of what is lost."""
        if self.cost != "rest":
            return self.message
        if self.n_behind is None:
            return f"{self.message}; what followed is missing, and its amount is unknown"
        return f"{self.message}; estimated loss: {self.n_behind:,} document{'s' * (self.n_behind != 1)}"


@dataclass
class _Cases:
    """The cases of a note: their number, and the first three."""

    n: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, case: str) -> None:
        self.n += 1
        if len(self.first) < N_CASES_SHOWN:
            self.first.append(case)

    def text(self, message: str) -> str:
        listed = ", ".join(self.first)
        return f"{message}: {listed} … ({self.n:,} in all)" if self.n > len(self.first) else f"{message}: {listed}"


@dataclass
class FileLog:
    """The messages of a reader about a file, beside its records.

    failures: what could not be read; the rest is read nevertheless.
    n_documents: documents seen, unreadable ones included. n_tokens: rows of tokens, if single tokens can be lost.
    """

    file: str
    failures: list[Problem] = field(default_factory=list)
    n_documents: int = 0
    n_tokens: int = 0
    _facts: dict[str, None] = field(default_factory=dict, init=False)
    _cases: dict[str, _Cases] = field(default_factory=dict, init=False)

    @property
    def notes(self) -> list[str]:
        """Facts for the user, one line each (`scheme BIOES`, `BOM removed`), in the order of their discovery."""
        return [self._cases[fact].text(fact) if fact in self._cases else fact for fact in self._facts]

    @property
    def problems(self) -> list[tuple[int, str]]:
        """(line, message) of everything that could not be read."""
        return [(problem.line, problem.message) for problem in self.failures]

    def note(self, message: str, case: str = "") -> None:
        """Note a fact. `case` names the place of a fact that recurs: the note lists the first three."""
        self._facts[message] = None
        if case:
            self._cases.setdefault(message, _Cases()).add(case)

    def problem(self, line: int, message: str, *, cost: Cost = "document", n_behind: int | None = None) -> None:
        """Report something that cannot be read, and why. The arguments are those of Problem."""
        self.failures.append(Problem(line, message, cost, n_behind))

    def join(self, other: "FileLog") -> None:
        """Add the messages of another log of the same file."""
        self.n_documents += other.n_documents
        self.n_tokens += other.n_tokens
        self.failures += other.failures
        for fact in other._facts:
            self.note(fact)
            if fact in other._cases:
                cases = self._cases.setdefault(fact, _Cases())
                cases.n += other._cases[fact].n
                cases.first += other._cases[fact].first[: N_CASES_SHOWN - len(cases.first)]

    def take(self, part: "FileLog", name: str) -> None:
        """Add the messages about a part of the file. name: the part's name."""
        self.n_documents += part.n_documents
        self.n_tokens += part.n_tokens
        self.failures += [replace(problem, message=f"{name}: {problem.message}") for problem in part.failures]
        for fact in part._facts:
            cases = part._cases.get(fact, _Cases(1, [""]))
            for case in cases.first:
                self.note(fact, case=f"{name} {case}".rstrip())
            self._cases[fact].n += cases.n - len(cases.first)

    def unread(self, line: int, message: str, *, n_read: int, read: int, left: int) -> None:
        """Report that a file cannot be read from some position on, and estimate how many documents that loses.

        n_read: documents before it. read, left: bytes (or characters) before and after it; 0 left if the file ends.
        """
        n_behind = max(1, round(n_read * left / read)) if left and read and n_read else None
        self.problem(line, message, cost="rest", n_behind=n_behind)


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of a file, from which its format is detected.

    path: of the file. text: its first 64 K characters, decoded. whole: whether that is the whole file.
    """

    path: Path
    text: str
    whole: bool


Read = Callable[[Path, ReaderOptions, FileLog], Iterator[Record]]


class Format(Protocol):
    """One annotation format: a module of `domain_ner.readers` that has these names.

    NAME: as in `--format`. TITLE: its description, for messages and documents. EXTENSIONS: of file names, with dot.
    """

    NAME: str
    TITLE: str
    EXTENSIONS: tuple[str, ...]

    def recognises(self, sample: Sample) -> bool:
        """Whether a file has this format, judged by its content and not by its name alone."""

    def read(self, path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
        """Yield the records of a file one at a time, without the whole file in memory.

        Raises DomainNerError if nothing of the file can be read; one bad document is a `log.problem`.
        """


def unreadable(path: Path, title: str, err: Exception) -> DomainNerError:
    """Make the error for a file that made a reader fail. title: of the format."""
    return DomainNerError(
        f"Cannot read {path} as {title}: {type(err).__name__} ({err}).",
        "Export it again, or move it elsewhere. If the tool itself can read it, please report a bug in domain-ner.",
    )


@dataclass(frozen=True)
class ExportFile:
    """A file with a known format, which can be read repeatedly.

    name: as reports cite it. format: its `NAME`. title: its `TITLE`.
    """

    name: str
    path: Path
    format: str
    title: str
    read: Read
    options: ReaderOptions = ReaderOptions()

    def records(self, log: FileLog) -> Iterator[Record]:
        """Read the file from its start. log: receives its notes and problems.

        Raises DomainNerError if it cannot be read, or its reader fails on its content.
        """
        try:
            yield from self.read(self.path, self.options, log)
        except (DomainNerError, OSError):
            raise
        except Exception as err:
            raise unreadable(self.path, self.title, err) from err
