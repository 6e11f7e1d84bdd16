"""Determines the layout of token-and-tag files: the columns of tokens, tags, offsets and spaces."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

from domain_ner.annotations.tag_schemes import OUTSIDE, OUTSIDE_SIGNS, SHAPES, Tag
from domain_ner.errors import DomainNerError
from domain_ner.readers.columns.survey import (
    DOCSTART,
    EDGES,
    MARKUP,
    MISSING,
    NOTHING,
    SPACE,
    TAB,
    Column,
    Survey,
    cell_number,
    is_hash,
    split_cells,
)
from domain_ner.readers.tokens.tagged import comment_pair

LANGUAGE = re.compile(r"([a-z]{2,3}(?:-[a-z]+)*:).")


class Line(Enum):
    """The kinds of lines in a column file. DOCUMENT: `-DOCSTART-`. MARKUP: `<s>`, `<doc id="7">` and the like."""

    BLANK = auto()
    MARKUP = auto()
    DOCUMENT = auto()
    COMMENT = auto()
    ROW = auto()


@dataclass(frozen=True)
class Layout:
    """The layout of a column file; columns are counted from 0.

    separator: a tab, a space (spaces and tabs), or the sign between a word and its tag. width: columns of most rows.
    token, tag: columns. others: additional columns with tags of the same kind.
    shape: as in `TagScheme`. labels: of a file without B- and I-, else empty.
    outside: the tag for "no entity".
    spaces: column that says whether a space follows (`SpaceAfter=No`, `NoSpaceAfter`, `+` and `-`).
    offsets: column with a token's first character; the next column has its end. index: column that numbers tokens.
    prefix: prefix of every token (`en:`). signs: as in `Survey`.
    has_blanks: blank lines separate rows. n_documents: number of `-DOCSTART-` lines.
    """

    separator: str
    width: int
    token: int
    tag: int
    others: tuple[int, ...] = ()
    header: tuple[str, ...] = ()
    shape: str = "prefix"
    labels: frozenset[str] = frozenset()
    outside: str = OUTSIDE
    spaces: int | None = None
    offsets: int | None = None
    index: int | None = None
    prefix: str = ""
    signs: frozenset[str] = frozenset()
    has_blanks: bool = False
    n_documents: int = 0

    def cells(self, line: str) -> list[str]:
        """Split a row into columns. Surplus empty columns at its end are dropped."""
        cells = split_cells(line, self.separator, self.width)
        if len(cells) == 1 and self.separator == TAB and not self.labels:
            spaced = split_cells(line, SPACE)
            cells = spaced if len(spaced) > 1 and self.is_tag(spaced[-1]) else cells
        if self.separator == SPACE and self.token == 0 and line[:1] == SPACE and len(cells) == self.width - 1:
            cells.insert(0, SPACE)
        while len(cells) > self.width and not cells[-1].strip():
            cells.pop()
        return cells

    def is_tag(self, cell: str) -> bool:
        """Whether a cell has a valid tag of this file."""
        if cell in (self.outside, NOTHING, MISSING):
            return True
        return cell in self.labels if self.shape == "none" else bool(SHAPES[self.shape].fullmatch(cell))

    def plain_tag(self, cell: str) -> Tag:
        """Return a tag in the form for `decode_tags`; None: not annotated."""
        return OUTSIDE if cell in (self.outside, NOTHING) else None if cell == MISSING else cell

    def tag_column(self, cells: Sequence[str]) -> int | None:
        """Find the column of a row's tag; None if it has no valid one.

        In a file split at spaces, a token with a space shifts the columns. So in a row of unusual width, the tag is the
        last column if the file's tags are last.
        """
        last = len(cells) - 1
        shifted = last - (self.width - 1 - self.tag)
        at_end = self.tag == self.width - 1
        is_fixed = self.separator != SPACE or self.tag < self.token
        order = [self.tag, *[last] * at_end] if is_fixed else [shifted, self.tag]
        return next((n for n in order if self.token != n and 0 <= n <= last and self.is_tag(cells[n])), None)

    def kind(self, line: str, *, opens: bool) -> Line:
        """Classify a line. opens: whether it precedes all rows of its sentence."""
        if not line.strip(EDGES):
            return Line.BLANK
        if DOCSTART.match(line):
            return Line.DOCUMENT
        if MARKUP.fullmatch(line.strip(EDGES)):
            return Line.MARKUP
        return Line.COMMENT if self._is_comment(line, opens=opens) else Line.ROW

    def _is_comment(self, line: str, *, opens: bool) -> bool:
        """Whether a line is a comment: `# …` that is not a row, or something even less like a row.

        That is `##…`, `#…` with white space in it, or a line before a sentence with the file's own comment sign.
        """
        is_sign = opens and line[:1] in self.signs
        if not line.startswith("#") and not is_sign:
            return False
        cells = self.cells(line)
        has_tag, is_even = self.tag_column(cells) is not None, len(cells) == self.width
        if is_hash(line):
            return not (has_tag and is_even)
        if has_tag or is_sign:
            return not has_tag
        return comment_pair(line) is not None or (
            not is_even and (line.startswith("##") or any(mark in line for mark in " \t="))
        )

    def name(self, column: int) -> str:
        """Name a column in a message: its number from 1, and its name if there is a header."""
        named = f" ({self.header[column]})" if column < len(self.header) else ""
        return f"{column + 1}{named}"


def find_layout(surveyed: Survey, tag_column: str = "") -> Layout:
    """Choose the layout that fits a survey.

    tag_column: as in `ReaderOptions`; empty: by content.
    Raises DomainNerError if no column, or not the one that was named, has tags.
    """
    candidates = _named_column(surveyed, tag_column) if tag_column else _tag_columns(surveyed)
    if not candidates:
        raise DomainNerError(
            "no column has tags: expected O, and tags like B-LOC, in one of them.",
            "Name the column (from 1, or as in the header) in vars.reading (tag_column=…).",
        )
    tag = candidates[0]
    column = surveyed.columns[tag]
    token = _token_column(surveyed, candidates)
    return Layout(
        separator=surveyed.separator,
        width=surveyed.width,
        token=token,
        tag=tag,
        others=tuple(candidates[1:]),
        header=surveyed.header,
        shape=column.shape if column.holds_marked_tags() or not column.io_labels() else "none",
        labels=frozenset() if column.holds_marked_tags() else column.io_labels(),
        outside=column.outside,
        spaces=next(
            (n for n, each in enumerate(surveyed.columns) if n not in (tag, token) and each.tells_spaces()), None
        ),
        offsets=_offset_column(surveyed, token),
        index=next((n for n in range(token) if surveyed.columns[n].is_numbers() and _counts(surveyed.head, n)), None),
        prefix=_language_prefix(surveyed.columns[token]),
        signs=surveyed.signs,
        has_blanks=surveyed.has_blanks,
        n_documents=surveyed.n_documents,
    )


def _named_column(surveyed: Survey, tag_column: str) -> list[int]:
    if tag_column.isdecimal():
        number = int(tag_column) - 1
    else:
        names = [name.casefold() for name in surveyed.header]
        number = names.index(tag_column.casefold()) if tag_column.casefold() in names else -1
    if not 0 <= number < len(surveyed.columns):
        known = (
            f"columns {', '.join(surveyed.header)}" if surveyed.header else f"{surveyed.width} columns without names"
        )
        raise DomainNerError(
            f"there is no column {tag_column!r}; the file has {known}.",
            "Correct vars.reading (tag_column=…), or leave it empty.",
        )
    column = surveyed.columns[number]
    if not (column.holds_marked_tags() or column.io_labels() or column.is_empty_layer()):
        examples = ", ".join(value for value, _ in column.values.most_common(5))
        raise DomainNerError(
            f"column {tag_column} has no tags ({examples}); expected O, and tags like B-LOC.",
            "Correct vars.reading (tag_column=…), or leave it empty.",
        )
    return [number]


def _tag_columns(surveyed: Survey) -> list[int]:
    """List the columns with tags: with letters and types, else IO tags, letters only, base phrases, only `O`.

    The last choice is labels beside a sign for "no entity": the sign may also stand for unknown values.
    """
    n_rows = surveyed.widths.total()
    columns = [(n, column) for n, column in enumerate(surveyed.columns[: surveyed.width]) if 2 * column.n >= n_rows]
    columns = columns if len(columns) > 1 else []
    marked = [(n, column) for n, column in columns if column.holds_marked_tags()]
    named = [n for n, column in marked if column.shape != "bare" and not column.is_chunks()]
    bare = [n for n, column in marked if column.shape == "bare"]
    labelled = [(n, column) for n, column in columns if column.io_labels() and n not in dict(marked)]
    plain = [n for n, column in labelled if column.outside not in OUTSIDE_SIGNS]
    empty = [n for n, column in columns if column.is_empty_layer()]
    others = [n for n, column in labelled if column.outside in OUTSIDE_SIGNS and not column.tells_spaces()]
    return named or plain[:1] or bare[:1] or [n for n, _ in marked][:1] or empty[-1:] or others[-1:]


def _token_column(surveyed: Survey, tags: Sequence[int]) -> int:
    """Choose the column that is named so, else the first that has neither tags nor only numbers nor a single value.

    If that one may have parts of speech instead (`B-PER NNP Anna`), choose the one with the most distinct values.
    """
    columns = [n for n in range(surveyed.width) if n not in tags]
    named = [
        n
        for n in columns
        if n < len(surveyed.header) and re.fullmatch(r"(?i)tokens?|words?|forms?", surveyed.header[n])
    ]
    wordy = [n for n in columns if not surveyed.columns[n].is_numbers()]
    varied = [n for n in wordy if len(surveyed.columns[n].values) > 1]
    first = next(iter(named or varied or wordy or columns), 0)
    if named or not varied or not (tags[0] < first or surveyed.columns[first].is_tagset()):
        return first
    return max(varied, key=lambda n: len(surveyed.columns[n].values))


def _counts(head: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column numbers the rows of each sentence, from 0 or 1."""
    cells_there = [cells[column] for cells in head if len(cells) > column]
    numbers = [cell_number(cell) for cell in cells_there if cell.isdecimal()]
    return all(now in (0, 1, before + 1) for before, now in pairwise(numbers))


def _offset_column(surveyed: Survey, token: int) -> int | None:
    """Find the column with the first character of each token, if the next column has its end."""
    for n in range(surveyed.width - 1):
        rows = [cells for cells in surveyed.head if len(cells) > max(n + 1, token)]
        pairs = [(cells[n], cells[n + 1], cells[token]) for cells in rows if token not in (n, n + 1)]
        fits = [
            start.isdecimal() and end.isdecimal() and cell_number(end) - cell_number(start) == len(word)
            for start, end, word in pairs
        ]
        if fits and sum(fits) >= 0.9 * len(fits):
            return n
    return None


def _language_prefix(column: Column) -> str:
    """Return `en:` if every token starts with it."""
    first = next(iter(column.values), "")
    match = LANGUAGE.match(first)
    same = match and len(column.values) > 1 and all(value.startswith(match[1]) for value in column.values)
    return match[1] if match and same else ""
