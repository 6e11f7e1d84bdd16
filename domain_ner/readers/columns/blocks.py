"""Splits a column file into blocks between blank lines, and parses their rows; part of `conll`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domain_ner.annotations.records import FileLog
from domain_ner.annotations.tag_schemes import OUTSIDE, Tag
from domain_ner.readers.columns.layout import Layout, Line
from domain_ner.readers.columns.survey import SPACE, cell_number
from domain_ner.readers.text_files.decoding import read_lines
from domain_ner.readers.tokens.tagged import Findings, comment_pair, document_line


@dataclass
class Block:
    """The rows of a sentence (or a document), and the comments before and between them.

    rows: (line number, columns). comments: those with a key and a value. document: the id of its document.
    """

    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    comments: dict[str, str] = field(default_factory=dict)
    document: str = ""

    @property
    def line(self) -> int:
        """The line where its rows start."""
        return self.rows[0][0]


@dataclass(frozen=True)
class Token:
    """A parsed row. column: the one with its tag; None if it has no valid tag."""

    line: int
    word: str
    cells: list[str]
    column: int | None
    tag: Tag


def read_blocks(path: Path, layout: Layout, log: FileLog, findings: Findings | None = None) -> Iterator[Block]:
    """Yield the sentences of a file, or its documents if no blank lines separate rows.

    Documents begin at `-DOCSTART-`, at comments, or where the numbering of tokens restarts. findings: counts comments.
    """
    block, document, n_documents = Block(), "", 0
    for line_no, line in read_lines(path, log):
        kind = layout.kind(line, opens=not block.rows)
        cells = layout.cells(line) if kind is Line.ROW else []
        if kind is Line.ROW and tuple(cells) == layout.header:
            continue
        named = document_line(line) if kind in (Line.COMMENT, Line.MARKUP) else ""
        if block.rows and (named or _ends(block, kind, cells, layout)):
            yield block
            block = Block(document=document)
        if kind is Line.ROW:
            block.rows.append((line_no, cells))
        elif kind is Line.DOCUMENT:
            n_documents += 1
            document = block.document = str(n_documents)
        elif kind in (Line.COMMENT, Line.MARKUP):
            _add_comment(block, line)
            document = block.document = named or document
            if findings is not None and named:
                findings.count("{n} line{s} with the id of a document, first line {line} ({detail})", line_no, named)
            elif findings is not None and kind is Line.COMMENT:
                findings.count("{n} comment line{s} skipped")
    if block.rows:
        yield block


def read_token(line: int, cells: list[str], layout: Layout) -> Token:
    """Parse the word and tag of a row. A word with spaces in a file split at spaces is rejoined."""
    column = layout.tag_column(cells)
    is_longer = column is not None and layout.separator == SPACE and layout.token < layout.tag < column
    n_cells = 1 + (column - layout.tag if column is not None and is_longer else 0)
    word = " ".join(cells[layout.token : layout.token + n_cells]).removeprefix(layout.prefix)
    return Token(line, word, cells, column, None if column is None else layout.plain_tag(cells[column]))


def read_layer(tokens: Sequence[Token], layout: Layout, column: int) -> list[Tag]:
    """Parse the tags of an additional column; `O` if a row has none."""
    cells = [token.cells[column] if column < len(token.cells) else OUTSIDE for token in tokens]
    return [layout.plain_tag(cell) if layout.is_tag(cell) else OUTSIDE for cell in cells]


def _ends(block: Block, kind: Line, cells: Sequence[str], layout: Layout) -> bool:
    """Whether a block ends before a line."""
    ending = (Line.BLANK, Line.DOCUMENT, Line.MARKUP)
    if layout.has_blanks or kind in ending:
        return kind in ending
    return kind is Line.COMMENT or 0 <= _number(cells, layout) <= _number(block.rows[-1][1], layout)


def _number(cells: Sequence[str], layout: Layout) -> int:
    """Return the number of a token in its sentence; -1 if the file has no numbers."""
    cell = cells[layout.index] if layout.index is not None and layout.index < len(cells) else ""
    return cell_number(cell)


def _add_comment(block: Block, line: str) -> None:
    """Keep a comment with a key and a value."""
    if pair := comment_pair(line):
        block.comments[pair[0]] = pair[1]
