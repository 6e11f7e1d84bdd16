"""Reads WebAnno TSV of versions 1 and 2: tokens without offsets, and tags stacked with `|`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, SourceSpan
from domain_ner.readers.text_files.decoding import read_lines
from domain_ner.readers.webanno.layers import Column, choose_column, parse_old_header

# Files of version 1 have these columns, with the entities in the fourth after the number.
FIRST_VERSION = Column(3, "NamedEntity", "value", is_span=True)
TOKEN = re.compile(r"(\d+-)?\d+\t")
NOTHING = ("_", "O", "-", "")
MARKED = re.compile(r"([BI])-(.*)", re.DOTALL)


def read_old(path: Path, options: ReaderOptions, log: FileLog) -> Record:
    """Read the document of a file."""
    document = _Document()
    columns: list[Column] = []
    column: Column | None = None
    for n_line, line in read_lines(path, log):
        if header_columns := parse_old_header(line) if line.lstrip().startswith("# ") else []:
            columns, column = header_columns, choose_column(header_columns, options, log)
        elif line.startswith("#text="):
            document.begin(line[len("#text=") :])
        elif TOKEN.match(line):
            # In version 1 each line begins with a bare number.
            of_line = column if "-" in line.partition("\t")[0] else FIRST_VERSION
            document.add(n_line, line.split("\t"), of_line, log)
        elif line.strip() and not line.startswith("#"):
            document.continue_text(line)
    return document.record(path.stem, options, log, has_layer=column is not None or not columns)


@dataclass
class _Sentence:
    """A sentence. tokens: (line, word, tags)."""

    text: str = ""
    tokens: list[tuple[int, str, list[str]]] = field(default_factory=list)


@dataclass
class _Open:
    """An annotation over tokens `start` to `end`, exclusive."""

    start: int
    end: int
    label: str
    repair: str = ""


@dataclass
class _Document:
    sentences: list[_Sentence] = field(default_factory=list)

    def begin(self, text: str) -> None:
        """Begin a sentence."""
        self.sentences.append(_Sentence(text))

    def continue_text(self, line: str) -> None:
        """Add a line to the text of a sentence that contains line ends."""
        if self.sentences and not self.sentences[-1].tokens:
            self.sentences[-1].text += f"\n{line}"

    def add(self, n_line: int, cells: Sequence[str], column: Column | None, log: FileLog) -> None:
        """Add a token; a problem in the log if its line cannot be read."""
        log.n_tokens += 1
        number = 2 + column.number - (column is FIRST_VERSION) if column else 0
        if column and len(cells) <= number:
            message = f"{len(cells)} columns, expected at least {number + 1}; the line is left out"
            log.problem(n_line, message, cost="token")
            return
        if not self.sentences or (not self.sentences[-1].text and cells[0].endswith("-1")):
            self.begin("")
        tags = [tag for tag in cells[number].split("|") if tag not in NOTHING] if column else []
        self.sentences[-1].tokens.append((n_line, cells[1], [_without_layer(tag, column) for tag in tags]))

    def record(self, name: str, options: ReaderOptions, log: FileLog, *, has_layer: bool) -> Record:
        """Convert the document to a record."""
        parts: list[str] = []
        spans: list[SourceSpan] = []
        length = 0
        for sentence in self.sentences:
            text, places = _place(sentence, log)
            for annotation in _annotations([tags for _, _, tags in sentence.tokens]):
                start, end = places[annotation.start][0] + length, places[annotation.end - 1][1] + length
                spans.append(
                    SourceSpan(
                        start, end, annotation.label or None, repairs=(annotation.repair,) if annotation.repair else ()
                    )
                )
            parts.append(text)
            length += len(text) + 1
        return Record(
            text="\n".join(parts),
            spans=tuple(spans),
            file=log.file,
            document=name,
            answer="accepted" if has_layer or options.empty == "negative" else "not annotated",
        )


def _without_layer(tag: str, column: Column | None) -> str:
    """Remove the layer's name from a tag without a value (`B-de.….NamedEntity_`): its label is empty."""
    match = MARKED.fullmatch(tag)
    mark, label = (f"{match[1]}-", match[2]) if match else ("", tag)
    return mark if column and label.startswith(column.layer) else tag


def _place(sentence: _Sentence, log: FileLog) -> tuple[str, list[tuple[int, int]]]:
    """Return (text, position of each token in it). If tokens are not in order in the text, they form the text."""
    places: list[tuple[int, int]] = []
    position = 0
    for line, word, _ in sentence.tokens:
        start = sentence.text.find(word, position)
        if start < 0:
            case = f"{word!r} in line {line}"
            log.note("a word is not in the text of its sentence; its tokens form the text instead", case=case)
            text = " ".join(token for _, token, _ in sentence.tokens)
            return _place(_Sentence(text, sentence.tokens), log)
        position = start + len(word)
        places.append((start, position))
    return sentence.text, places


def _annotations(stacked: Sequence[Sequence[str]]) -> Iterator[_Open]:
    """Yield the annotations of a sentence, in order. `I-` continues the first remaining open one of its label."""
    annotations: list[_Open] = []
    going: list[_Open] = []
    for n_token, tags in enumerate(stacked):
        left, going = going, []
        for tag in tags:
            marked = MARKED.fullmatch(tag)
            letter, label = (marked[1], marked[2]) if marked else ("", tag)
            before = next((annotation for annotation in left if letter == "I" and annotation.label == label), None)
            if before:
                left.remove(before)
                before.end = n_token + 1
            else:
                repair = f"{tag} opens an entity" if letter == "I" else ""
                before = _Open(n_token, n_token + 1, label, repair)
                annotations.append(before)
            going += [before] if letter else []
    yield from annotations
