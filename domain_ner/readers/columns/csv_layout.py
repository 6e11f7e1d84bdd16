"""Finds the columns of words, tags and sentences in a CSV, by the header and by content."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from domain_ner.annotations.records import ReaderOptions
from domain_ner.annotations.tag_schemes import find_outside
from domain_ner.errors import DomainNerError

DELIMITERS = (",", ";", "\t")
WORD_NAMES = ("word", "token", "words", "tokens", "text", "sentence", "form")
TAG_NAMES = (
    "nertag",
    "nertags",
    "ner",
    "netag",
    "iob",
    "iobtag",
    "bio",
    "biotag",
    "tag",
    "tags",
    "entity",
    "label",
    "labels",
)
SENTENCE_NAMES = (
    "sentence#", "sentenceid", "sentenceidx", "sentenceno", "sentencenumber", "sentencenum", "sent#", "sentid",
    "sentidx", "sentno", "sentence",
)  # fmt: skip
MARKED = re.compile(r"O|OTHER|[BIESLUMW][-_+]\S.*|\S+[-_][BIES]")
PLAIN_LABEL = re.compile(r"[A-Z][\w&./-]*")
SENTENCE_ID = re.compile(r"(sent(ence)?\W*)?\d+(\.0)?", re.IGNORECASE)
NOT_NAME = re.compile(r"[\s_\-.:]+")
SHARE = 0.9
# Size of a sample that suffices to distinguish columns.
ROW_LIMIT = 500


class TagCell(Enum):
    """The content of a tag cell: the tag of one token, or the tags of a sentence."""

    TAG = auto()
    TAGS = auto()


@dataclass(frozen=True)
class TokenColumns:
    """The columns, counted from 0. sentence: None if no column separates sentences. blanks: a cell without a tag means
    outside, because no cell has O.
    """

    delimiter: str
    n_header: int
    n_columns: int
    word: int
    tag: int
    sentence: int | None
    tag_cell: TagCell = TagCell.TAG
    blanks: bool = False

    def sentence_id(self, row: Sequence[str]) -> str:
        """Return the sentence that a row names; empty if it names none (a later row of the same sentence)."""
        return row[self.sentence].strip() if self.sentence is not None and self.sentence < len(row) else ""

    def opens_sentence(self, row: Sequence[str], current: str) -> bool:
        """Whether a row begins another sentence than `current`; an empty row does."""
        named = self.sentence_id(row)
        return (bool(named) and named != current) or not any(cell.strip(" \t") for cell in row)


def find_columns(lines: Iterable[str], options: ReaderOptions) -> TokenColumns | None:
    """Find the columns of a file from its first lines; None if it has no words beside tags.

    Raises DomainNerError if several columns have tags and `options` names none.
    """
    lines = [line for line in lines if line][: 10 * ROW_LIMIT]
    if not lines or lines[0].lstrip().startswith(("{", "[", "#")):
        return None
    for delimiter in DELIMITERS:
        rows = [split_row(line, delimiter) for line in lines[:ROW_LIMIT]]
        columns = _columns(rows, delimiter, options)
        if columns is None and len(rows[0]) > 1:
            columns = _columns(
                list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter))[:ROW_LIMIT], delimiter, options
            )
        if columns is not None:
            return columns
    return None


def split_row(line: str, delimiter: str) -> list[str]:
    """Split a row that is one line; unpaired quotes become part of the cells."""
    if line.count('"') % 2:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [])


def _columns(rows: list[list[str]], delimiter: str, options: ReaderOptions) -> TokenColumns | None:
    names = [NOT_NAME.sub("", cell.lower()) for cell in rows[0]]
    if len(names) < 2:
        return None
    asked = _asked(options.tag_column, rows[0])
    words, tags = (
        [n for name in WORD_NAMES for n in _where(names, name)],
        [n for name in TAG_NAMES for n in _where(names, name)],
    )
    if words and (tags or asked is not None):
        return _by_header(rows, delimiter, names, words[0], [asked] if asked is not None else tags)
    # Without a header only comma and semicolon: columns between tabs are CoNLL's.
    return None if delimiter == "\t" else _by_content(rows, delimiter, asked)


def _by_header(
    rows: list[list[str]], delimiter: str, names: list[str], word: int, tags: Sequence[int]
) -> TokenColumns | None:
    body = rows[1:]
    named = [n for name in SENTENCE_NAMES for n in _where(names, name) if n != word]
    sentence = next((n for n in named if _share(body, n, SENTENCE_ID) >= SHARE), None)
    has_tag = [n for n in tags if n != word and _holds_named_tags(body, n, numbers=sentence is not None)]
    has_list = [n for n in tags if n != word and _holds_lists(body, word, n)]
    if delimiter == "\t" and sentence is None:
        return None
    has_blank = [n for n in tags if n != word and not has_list and not has_tag and _leaves_outside_blank(body, word, n)]
    chosen = _only(has_list or has_tag or has_blank)
    if chosen is None:
        return None
    cell = TagCell.TAGS if has_list else TagCell.TAG
    return TokenColumns(delimiter, 1, len(names), word, chosen, sentence, cell, bool(has_blank))


def _by_content(rows: list[list[str]], delimiter: str, asked: int | None) -> TokenColumns | None:
    body = [row for row in rows if any(row)]
    n_columns = len(body[0]) if body else 0
    if len(body) < 2 or sum(len(row) == n_columns for row in body) < SHARE * len(body):
        return None
    tags = [asked] if asked is not None else [n for n in range(n_columns) if _holds_tags(body[1:], n)]
    tag = _only(tags)
    if tag is None:
        return None
    ids = [n for n in range(n_columns) if n != tag and _holds_sentence_ids(body[1:], n)]
    words = [n for n in range(n_columns) if n not in (tag, *ids) and _holds_words(body[1:], n)]
    if not words:
        return None
    n_header = int(not MARKED.fullmatch(body[0][tag].strip()) and not PLAIN_LABEL.fullmatch(body[0][tag].strip()))
    return TokenColumns(delimiter, n_header, n_columns, words[0], tag, ids[0] if ids else None)


def _only(tags: Sequence[int]) -> int | None:
    if len(tags) > 1:
        numbers = " and ".join(str(n + 1) for n in sorted(tags))
        raise DomainNerError(
            f"Columns {numbers} both have tags.", "Name the one to read in vars.reading (tag_column=…)."
        )
    return tags[0] if tags else None


def _asked(tag_column: str, header: Sequence[str]) -> int | None:
    if tag_column.isdecimal():
        return int(tag_column) - 1 if 0 < int(tag_column) <= len(header) else None
    return next((n for n, cell in enumerate(header) if tag_column and cell.strip() == tag_column), None)


def _where(names: Sequence[str], name: str) -> list[int]:
    return [n for n, candidate in enumerate(names) if candidate == name]


def _cells(rows: Iterable[Sequence[str]], column: int) -> list[str]:
    return [cell for row in rows if column < len(row) and (cell := row[column].strip())]


def _share(rows: Sequence[Sequence[str]], column: int, pattern: re.Pattern[str]) -> float:
    """Compute the share of non-empty cells that match the pattern."""
    cells = _cells(rows, column)
    return sum(bool(pattern.fullmatch(cell)) for cell in cells) / len(cells) if cells else 0.0


def _holds_named_tags(rows: Sequence[Sequence[str]], column: int, *, numbers: bool) -> bool:
    """Whether a column that is named like one of tags has tags; a few damaged rows do not matter."""
    cells = _cells(rows, column)
    if numbers and cells and all(cell.isdecimal() for cell in cells):
        return True
    n_marked = sum(bool(MARKED.fullmatch(cell)) for cell in cells)
    return _n_outside(cells) > 0 and (n_marked >= 0.5 * len(cells) or _n_outside(cells) >= 0.3 * len(cells))


def _leaves_outside_blank(rows: Sequence[Sequence[str]], word: int, tag: int) -> bool:
    """Whether rows have one word each, and a tag only for entities."""
    pairs = [(row[word].strip(), row[tag].strip()) for row in rows if max(word, tag) < len(row) and row[word].strip()]
    tags = [cell for _, cell in pairs if cell]
    n_words = sum(len(cell.split()) == 1 for cell, _ in pairs)
    n_marked, n_plain = (sum(bool(kind.fullmatch(cell)) for cell in tags) for kind in (MARKED, PLAIN_LABEL))
    are_tags = bool(tags) and max(n_marked, n_plain) >= SHARE * len(tags)
    return are_tags and n_words >= SHARE * len(pairs) and len(pairs) - len(tags) >= 0.3 * len(pairs)


def _holds_tags(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether an unnamed column can contain nothing but tags."""
    cells = _cells(rows, column)
    n_marked = sum(bool(MARKED.fullmatch(cell)) for cell in cells)
    n_plain = sum(bool(PLAIN_LABEL.fullmatch(cell)) for cell in cells)
    are_plain = _n_outside(cells) >= 0.3 * len(cells) and n_plain >= SHARE * len(cells)
    return _n_outside(cells) > 0 and (n_marked >= SHARE * len(cells) or are_plain)


def _n_outside(cells: Sequence[str]) -> int:
    tags = Counter(cells)
    return tags[find_outside(tags)]


def _holds_words(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether most cells are filled, and not all are numbers, which would number the rows."""
    cells = _cells(rows, column)
    return len(cells) >= SHARE * len(rows) and not all(cell.isdecimal() for cell in cells)


def _holds_lists(rows: Sequence[Sequence[str]], word: int, tag: int) -> bool:
    """Whether a row is a sentence: its tags a list, or as many as its words separated by blanks."""
    pairs = [(row[word].strip(), row[tag].strip()) for row in rows if max(word, tag) < len(row)]
    pairs = [(words, tags) for words, tags in pairs if words and tags]
    n_lists = sum(bool(re.match(r"\[\s*(['\"][A-Z]|\d)", tags)) for _, tags in pairs)
    n_blanks = sum(
        len(words.split()) == len(tags.split()) > 1 and all(MARKED.fullmatch(tag) for tag in tags.split())
        for words, tags in pairs
    )
    return bool(pairs) and max(n_lists, n_blanks) >= SHARE * len(pairs) and max(n_lists, n_blanks) > 0


def _holds_sentence_ids(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column has sentence ids: filled once per sentence, or repeated; distinct numbers number the rows."""
    cells = _cells(rows, column)
    if not cells or _share(rows, column, SENTENCE_ID) < 1:
        return False
    return any(not cell.isdecimal() for cell in cells) or (len(cells) < len(rows) or len(set(cells)) < len(cells))
