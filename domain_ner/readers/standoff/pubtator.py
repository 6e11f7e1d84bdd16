"""Reads PubTator: `id|t|title`, `id|a|abstract`, and a tab-separated line for each annotation.

https://www.ncbi.nlm.nih.gov/research/pubtator/ (there is no specification). Offsets count in the title, a line end and
the abstract. The library `bioc` can read it, but strips white space from texts and prints lines that it cannot read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample, SourceSpan
from domain_ner.readers.standoff.parts import answer
from domain_ner.readers.text_files.decoding import read_lines

NAME = "pubtator"
TITLE = "PubTator"
EXTENSIONS = (".pubtator", ".txt")
TEXT_LINE = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
TITLE_KIND = "t"
NUMBER = re.compile(r"-?\d+")


def recognises(sample: Sample) -> bool:
    """Whether the first line is a title, and the next one, if any, belongs to it or is another title."""
    lines = [line for line in sample.text.split("\n") if line.strip()][:2]
    matches = [TEXT_LINE.match(line) for line in lines]
    if not matches or not matches[0] or matches[0][2] != TITLE_KIND:
        return False
    name = matches[0][1]
    return len(lines) == 1 or matches[1] is not None or lines[1].startswith(f"{name}\t")


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each document: its title and abstract, joined by a line end."""
    n_relations = 0
    document: _Document | None = None
    for n_line, line in read_lines(path, log):
        match = TEXT_LINE.fullmatch(line)
        if match and (document is None or document.is_over(match[1], match[2])):
            if document:
                yield document.record(options, log)
            document = _Document(match[1], n_line)
            log.n_documents += 1
        if match and document:
            document.texts[match[2]] = match[3]
        elif line.strip() and document:
            n_relations += not document.add(line, n_line)
        elif line.strip():
            log.note(f"line {n_line} precedes the first title: not read")
    if document:
        yield document.record(options, log)
    if n_relations:
        log.note(f"not read: {n_relations} relations")


@dataclass
class _Document:
    """A document as far as it was read. texts: by kind, `t` and `a`."""

    name: str
    line: int
    texts: dict[str, str] = field(default_factory=dict)
    spans: list[SourceSpan] = field(default_factory=list)

    def is_over(self, name: str, kind: str) -> bool:
        """Whether a text line belongs to another document."""
        return name != self.name or kind in self.texts

    def add(self, line: str, n_line: int) -> bool:
        """Add an annotation; False if the line is a relation."""
        cells = line.split("\t")
        if len(cells) >= 5 and cells[0] == self.name and all(map(NUMBER.fullmatch, cells[1:3])):
            self.spans.append(SourceSpan(int(cells[1]), int(cells[2]), cells[4], text=cells[3]))
        elif len(cells) in (4, 5) and cells[0] == self.name:
            return False
        else:
            fault = f"line {n_line}: expected {self.name}<TAB>START<TAB>END<TAB>words<TAB>TYPE, with whole numbers"
            self.spans.append(SourceSpan(None, None, None, text=line, fault=fault))
        return True

    def record(self, options: ReaderOptions, log: FileLog) -> Record:
        """Convert the document to a record."""
        return Record(
            text="\n".join(self.texts[kind] for kind in (TITLE_KIND, "a") if self.texts.get(kind)),
            spans=tuple(self.spans),
            file=log.file,
            line=self.line,
            document=self.name,
            answer=answer(options, is_empty=not self.spans),
            unit=None,
        )
