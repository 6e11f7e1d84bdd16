"""Finds its way in token-and-tag files: which columns hold tokens, tags, offsets and spaces."""

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
    """What a line of a column file is. DOCUMENT: `-DOCSTART-`. MARKUP: `<s>`, `<doc id="7">` and their like."""

    BLANK = auto()
    MARKUP = auto()
    DOCUMENT = auto()
    COMMENT = auto()
    ROW = auto()


@dataclass(frozen=True)
class Layout:
    """Where things stand in the rows of a column file; columns are counted from 0.

    separator: a tab, a space (spaces and tabs), or what stands between a word and its tag. width: columns of most rows.
    token, tag: columns. others: further columns that hold tags of the same kind.
    shape: as in `TagScheme`. labels: those of a file without B- and I-, else empty.
    outside: the tag for "no entity".
    spaces: column that says whether a space follows (`SpaceAfter=No`, `NoSpaceAfter`, `+` and `-`).
    offsets: column with a token's first character; the next has its end. index: column that counts tokens.
    prefix: what stands before every token (`en:`). signs: as in `Survey`.
    has_blanks: blank lines stand between rows. n_documents: `-DOCSTART-` lines.
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
        """The columns of a row. Empty ones at its end are left out where they are more than other rows have."""
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
        """Whether a cell holds a tag of this file."""
        if cell in (self.outside, NOTHING, MISSING):
            return True
        return cell in self.labels if self.shape == "none" else bool(SHAPES[self.shape].fullmatch(cell))

    def plain_tag(self, cell: str) -> Tag:
        """A tag as `decode_tags` takes it; None: not annotated."""
        return OUTSIDE if cell in (self.outside, NOTHING) else None if cell == MISSING else cell

    def tag_column(self, cells: Sequence[str]) -> int | None:
        """The column of a row that holds its tag. None: it has no valid one.

        Where columns are split at spaces, a token with a space shifts it; in a row of another width than most, and a
        file whose tags stand last, it is the last one.
        """
        last = len(cells) - 1
        shifted = last - (self.width - 1 - self.tag)
        at_end = self.tag == self.width - 1
        is_fixed = self.separator != SPACE or self.tag < self.token
        order = [self.tag, *[last] * at_end] if is_fixed else [shifted, self.tag]
        return next((n for n in order if self.token != n and 0 <= n <= last and self.is_tag(cells[n])), None)

    def kind(self, line: str, *, opens: bool) -> Line:
        """What a line is. opens: whether no row of its sentence stands before it."""
        if not line.strip(EDGES):
            return Line.BLANK
        if DOCSTART.match(line):
            return Line.DOCUMENT
        if MARKUP.fullmatch(line.strip(EDGES)):
            return Line.MARKUP
        return Line.COMMENT if self._is_comment(line, opens=opens) else Line.ROW

    def _is_comment(self, line: str, *, opens: bool) -> bool:
        """Whether a line is a comment: `# …` that is no row, or one that looks even less like a row.

        That is `##…`, `#…` with white space in it, or what stands before a sentence with a sign of the file's own.
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
        """A column in a message: its number from 1, and its name where there is a header."""
        named = f" ({self.header[column]})" if column < len(self.header) else ""
        return f"{column + 1}{named}"


def find_layout(found: Survey, tag_column: str = "") -> Layout:
    """The layout that fits what a survey found.

    tag_column: as in `ReaderOptions`; empty: by content.
    Raises DomainNerError where no column, or not the one that was named, holds tags.
    """
    candidates = _named_column(found, tag_column) if tag_column else _tag_columns(found)
    if not candidates:
        raise DomainNerError(
            "no column holds tags: expected O, and tags like B-LOC, in one of them.",
            "Name the column (from 1, or as in the header) in vars.reading (tag_column=…).",
        )
    tag = candidates[0]
    column = found.columns[tag]
    token = _token_column(found, candidates)
    return Layout(
        separator=found.separator,
        width=found.width,
        token=token,
        tag=tag,
        others=tuple(candidates[1:]),
        header=found.header,
        shape=column.shape if column.holds_marked_tags() or not column.io_labels() else "none",
        labels=frozenset() if column.holds_marked_tags() else column.io_labels(),
        outside=column.outside,
        spaces=next((n for n, each in enumerate(found.columns) if n not in (tag, token) and each.tells_spaces()), None),
        offsets=_offset_column(found, token),
        index=next((n for n in range(token) if found.columns[n].is_numbers() and _counts(found.head, n)), None),
        prefix=_language_prefix(found.columns[token]),
        signs=found.signs,
        has_blanks=found.has_blanks,
        n_documents=found.n_documents,
    )


def _named_column(found: Survey, tag_column: str) -> list[int]:
    if tag_column.isdecimal():
        number = int(tag_column) - 1
    else:
        names = [name.casefold() for name in found.header]
        number = names.index(tag_column.casefold()) if tag_column.casefold() in names else -1
    if not 0 <= number < len(found.columns):
        known = f"columns {', '.join(found.header)}" if found.header else f"{found.width} columns without names"
        raise DomainNerError(
            f"there is no column {tag_column!r}; the file has {known}.",
            "Correct vars.reading (tag_column=…), or leave it empty.",
        )
    column = found.columns[number]
    if not (column.holds_marked_tags() or column.io_labels() or column.is_empty_layer()):
        examples = ", ".join(value for value, _ in column.values.most_common(5))
        raise DomainNerError(
            f"column {tag_column} holds no tags ({examples}); expected O, and tags like B-LOC.",
            "Correct vars.reading (tag_column=…), or leave it empty.",
        )
    return [number]


def _tag_columns(found: Survey) -> list[int]:
    """Columns that hold tags: those with marks and types, else IO tags, marks alone, base phrases, nothing but `O`.

    Last of all labels beside a sign for "no entity": what is not known may be written so, too.
    """
    n_rows = found.widths.total()
    columns = [(n, column) for n, column in enumerate(found.columns[: found.width]) if 2 * column.n >= n_rows]
    columns = columns if len(columns) > 1 else []
    marked = [(n, column) for n, column in columns if column.holds_marked_tags()]
    named = [n for n, column in marked if column.shape != "bare" and not column.is_chunks()]
    bare = [n for n, column in marked if column.shape == "bare"]
    labelled = [(n, column) for n, column in columns if column.io_labels() and n not in dict(marked)]
    plain = [n for n, column in labelled if column.outside not in OUTSIDE_SIGNS]
    empty = [n for n, column in columns if column.is_empty_layer()]
    others = [n for n, column in labelled if column.outside in OUTSIDE_SIGNS and not column.tells_spaces()]
    return named or plain[:1] or bare[:1] or [n for n, _ in marked][:1] or empty[-1:] or others[-1:]


def _token_column(found: Survey, tags: Sequence[int]) -> int:
    """The column named so, else the first that holds neither tags nor only numbers nor always the same.

    Where that one may hold parts of speech instead (`B-PER NNP Anna`), the one with the most different values.
    """
    columns = [n for n in range(found.width) if n not in tags]
    named = [
        n for n in columns if n < len(found.header) and re.fullmatch(r"(?i)tokens?|words?|forms?", found.header[n])
    ]
    wordy = [n for n in columns if not found.columns[n].is_numbers()]
    varied = [n for n in wordy if len(found.columns[n].values) > 1]
    first = next(iter(named or varied or wordy or columns), 0)
    if named or not varied or not (tags[0] < first or found.columns[first].is_tagset()):
        return first
    return max(varied, key=lambda n: len(found.columns[n].values))


def _counts(head: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column counts the rows of each sentence, from 0 or 1."""
    cells_there = [cells[column] for cells in head if len(cells) > column]
    numbers = [cell_number(cell) for cell in cells_there if cell.isdecimal()]
    return all(now in (0, 1, before + 1) for before, now in pairwise(numbers))


def _offset_column(found: Survey, token: int) -> int | None:
    """The column with the first character of each token where the next one has its end."""
    for n in range(found.width - 1):
        rows = [cells for cells in found.head if len(cells) > max(n + 1, token)]
        pairs = [(cells[n], cells[n + 1], cells[token]) for cells in rows if token not in (n, n + 1)]
        fits = [
            start.isdecimal() and end.isdecimal() and cell_number(end) - cell_number(start) == len(word)
            for start, end, word in pairs
        ]
        if fits and sum(fits) >= 0.9 * len(fits):
            return n
    return None


def _language_prefix(column: Column) -> str:
    """`en:`, where every token starts with it."""
    first = next(iter(column.values), "")
    found = LANGUAGE.match(first)
    same = found and len(column.values) > 1 and all(value.startswith(found[1]) for value in column.values)
    return found[1] if found and same else ""
