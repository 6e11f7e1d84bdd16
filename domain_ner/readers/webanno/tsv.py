"""Reads WebAnno TSV 3.x, as WebAnno and INCEpTION export it, and the older versions 1 and 2.

https://inception-project.github.io/releases/latest/docs/user-guide.html#sect_webannotsv
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample, SourceSpan
from domain_ner.readers.text_files.decoding import read_lines
from domain_ner.readers.webanno.layers import Column, choose_column, parse_header, parse_old_header
from domain_ner.readers.webanno.old_tsv import read_old
from domain_ner.readers.webanno.projects import UNTOUCHED, project_place

NAME = "webanno"
TITLE = "WebAnno TSV (WebAnno, INCEpTION)"
EXTENSIONS = (".tsv",)
FORMAT_LINE = "#FORMAT=WebAnno TSV"
LAYER_LINES = ("#T_SP=", "#T_CH=", "#T_RL=")
TEXT_LINE, ID_LINE = "#Text=", "#Sentence.id="
UNIT_ID = re.compile(r"\d+-\d+(\.\d+)?")
OFFSETS = re.compile(r"(\d{1,12})-(\d{1,12})")
# The text between sentences is not exported; it is read as blanks.
MAX_GAP = 1 << 20
STACKED = re.compile(r"(?:\\->|\\.|[^|\\]|\\$)+", re.DOTALL)
WITH_ID = re.compile(r"((?:\\.|[^\\])*?)\[(\d+)\]", re.DOTALL)
ESCAPED = re.compile(r"\\(u+[0-9a-fA-F]{4}|->|.)", re.DOTALL)
CONTROL = {"t": "\t", "n": "\n", "f": "\f", "r": "\r", "b": "\b"}
OLD_TOKEN = re.compile(r"1(-1)?\t", re.MULTILINE)
OLD_SENTENCE = re.compile(r"#(id|text)=")
NOTHING, NO_VALUE = "_", "*"


def recognises(sample: Sample) -> bool:
    """Whether a sample begins with the format line of version 3, or like a file of version 1 or 2."""
    start = sample.text.lstrip()
    if start.startswith(FORMAT_LINE):
        return True
    first = start.partition("\n")[0]
    old = OLD_SENTENCE.match(first) is not None or bool(parse_old_header(first))
    return old and re.search(r"^#text=", start, re.MULTILINE) is not None and OLD_TOKEN.search(start) is not None


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield the one record of a document: an annotation may cross the end of a sentence.

    Raises DomainNerError if several layers may have the entities and `options.field` names none.
    """
    log.n_documents += 1
    lines = read_lines(path, log)
    first = next((line for _, line in lines if line.strip()), "")
    if not first.startswith(FORMAT_LINE):
        yield _placed(read_old(path, options, log))
        return
    columns = [column for line in _layer_lines(path) for column in parse_header(line)]
    columns = [replace(column, number=number) for number, column in enumerate(columns)]
    document = _Document(choose_column(columns, options, log), len(columns))
    for n_line, line in lines:
        if line.startswith(TEXT_LINE):
            document.add_text(_unescape(line[len(TEXT_LINE) :]))
        elif line.strip("\t ") and not line.startswith("#"):
            document.add_unit(n_line, line.split("\t"), log)
    yield _placed(document.record(path.stem, options, log))


def _placed(record: Record) -> Record:
    """Add the document and the annotator from the file's place in the export of a project."""
    document, annotator = project_place(record.file)
    if not document:
        return record
    answer = "not annotated" if annotator == UNTOUCHED else record.answer
    return replace(record, document=document, annotator=annotator, answer=answer)


def _layer_lines(path: Path) -> Iterator[str]:
    """Yield the lines of the header that declare layers: it ends at the first sentence."""
    for _, line in read_lines(path, FileLog(path.name)):
        if line.startswith(TEXT_LINE):
            return
        if line.startswith(LAYER_LINES):
            yield line


@dataclass
class _Annotation:
    """An annotation over units: tokens or parts of them, (start, end, words), in UTF-16 units."""

    label: str | None
    units: list[tuple[int, int, str]]

    def add(self, unit: tuple[int, int, str]) -> None:
        """Add a unit. A part of the last one replaces it: WebAnno writes a prefix of a token after the token."""
        if unit[0] < self.units[-1][1]:
            del self.units[-1]
        self.units.append(unit)

    def to_span(self) -> SourceSpan:
        """Convert it to a span that ends with its last unit."""
        words = self.units[0][2]
        for before, unit in pairwise(self.units):
            words += unit[2] if unit[0] == before[1] else f" {unit[2]}"
        return SourceSpan(self.units[0][0], self.units[-1][1], self.label, text=words or None)


@dataclass
class _Document:
    """A document, composed line by line like in INCEpTION: the text between sentences is not exported.

    length: of the text, in UTF-16 units. shift: to add to the offsets of a sentence, if they restart at 0.
    """

    column: Column | None
    n_columns: int
    parts: list[str] = field(default_factory=list)
    length: int = 0
    shift: int = 0
    sentence: list[str] = field(default_factory=list)
    annotations: dict[tuple[str, str], _Annotation] = field(default_factory=dict)
    is_shifted: bool = False

    def add_text(self, text: str) -> None:
        """Add a line of the text of the next sentence."""
        self.sentence.append(text)

    def add_unit(self, n_line: int, cells: Sequence[str], log: FileLog) -> None:
        """Add a token or a part of one, with its annotations; a problem in the log if its line cannot be read."""
        log.n_tokens += 1
        offsets = OFFSETS.fullmatch(cells[1]) if len(cells) > 2 else None
        if not offsets or not UNIT_ID.fullmatch(cells[0]) or len(cells) < 3 + self.n_columns:
            expected = f"expected {3 + self.n_columns}: id, offsets, token, one a feature"
            log.problem(n_line, f"{len(cells)} columns, {expected}; the line is left out", cost="token")
            return
        start, end = int(offsets[1]), int(offsets[2])
        if start > self.length + MAX_GAP:
            log.problem(n_line, f"offset {start} is {start - self.length} characters after the text", cost="token")
            return
        if self.sentence:
            self._begin_sentence(start)
        column = self.column
        if column and cells[3 + column.number] != NOTHING:
            unit = (start + self.shift, end + self.shift, cells[2])
            for n_stacked, value in enumerate(STACKED.findall(cells[3 + column.number])):
                self._annotate(f"{cells[0]}#{n_stacked}", value, unit)

    def record(self, name: str, options: ReaderOptions, log: FileLog) -> Record:
        """Convert the document to a record."""
        if self.sentence:
            self.parts.append("\n".join(self.sentence))
        if self.is_shifted:
            log.note("offsets restart in each sentence: converted to offsets in the document")
        spans = [annotation.to_span() for annotation in self.annotations.values()]
        no_layer = self.column is None and options.empty == "skip"
        return Record(
            text="".join(self.parts).removesuffix("\n"),
            spans=tuple(spans),
            file=log.file,
            document=name,
            answer="not annotated" if no_layer else "accepted",
            unit="utf16",
        )

    def _begin_sentence(self, start: int) -> None:
        text = "\n".join(self.sentence)
        self.sentence.clear()
        self.shift = 0
        if self.parts and start == self.length - 1:
            self.parts[-1] = self.parts[-1].removesuffix("\n")
            self.length -= 1
        elif start < self.length:
            self.shift = self.length - start
            self.is_shifted = True
        gap = start + self.shift - self.length
        if text[:gap].isspace():
            gap = 0
        self.parts.append(f"{' ' * gap}{text}\n")
        self.length += gap + _utf16_length(text) + 1

    def _annotate(self, place: str, raw: str, unit: tuple[int, int, str]) -> None:
        match = WITH_ID.fullmatch(raw)
        value, number = (match[1], match[2]) if match else (raw, "")
        # Without an id, an annotation covers its unit; `[3]` is one annotation at all places.
        key = (value, number) if number else (place, "")
        if key in self.annotations:
            self.annotations[key].add(unit)
        else:
            self.annotations[key] = _Annotation(self._label(value), [unit])

    def _label(self, value: str) -> str | None:
        if value == NO_VALUE:
            return self.column.name_as_label if self.column else None
        return _unescape(value)


def _unescape(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        what = match[1]
        return chr(int(what.lstrip("u"), 16)) if len(what) > 2 else CONTROL.get(what, what)

    if "\\" not in text:
        return text
    # \ud83d\ude0a, as written by versions up to 3.1, is one character.
    return ESCAPED.sub(plain, text).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _utf16_length(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)
