"""One pass over a token-and-tag file: its separator and header, and what stands in its columns."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from domain_ner.tag_schemes import OUTSIDE, PREFIXED, SUFFIXED, TagStatistics

EDGES = " \t"
N_HEAD = 1000
MAX_DIGITS = 15
MAX_VALUES = 4096
NOTHING = "_"
MISSING = "-"
OTHER_OUTSIDES = ("OTHER", "Other")
SPACES = re.compile(r"[ \t]+")
DOCSTART = re.compile(r"-+DOCSTART-")
NO_SPACE = {"SpaceAfter=No", "NoSpaceAfter"}
MARKS = {"prefix": PREFIXED, "suffix": SUFFIXED}
HEADER_CELL = re.compile(
    r"(tokens?|words?|forms?|text|mot|wort|no\.?|.*id|ind?e?x|#|lemma|[ux]?pos|chunk|misc|start|end|begin"
    r"|left|right|top|bottom|.*offsets?|.*tags?|(.*[-_])?ner?([-_].*)?|nel[-_].*|.*labels?|entit(y|ies)|iob2?|bio)",
    re.IGNORECASE,
)
# Base phrases, in English and German: tags of the same shape in the column before the names.
CHUNKS = {
    "NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP", "NC", "VC", "PC",
}  # fmt: skip


@dataclass
class Column:
    """What stands in one column, up to a number of different values."""

    values: Counter[str] = field(default_factory=Counter)
    n: int = 0

    def add(self, value: str) -> None:
        """Count the value of a row."""
        self.n += 1
        if value in self.values or len(self.values) < MAX_VALUES:
            self.values[value] += 1

    @property
    def mark(self) -> str:
        """`prefix`, `suffix` or `none`, as in `TagScheme`."""
        tags = {tag: n for tag, n in self.values.items() if tag not in (self.outside, NOTHING, MISSING)}
        return TagStatistics(Counter(tags)).scheme().mark

    @property
    def marked(self) -> Counter[str]:
        """Tags with B-, I- and the like."""
        pattern = MARKS.get(self.mark)
        return Counter({tag: n for tag, n in self.values.items() if pattern and pattern.fullmatch(tag)})

    @property
    def outside(self) -> str:
        """The tag for "no entity"."""
        return next((tag for tag in (OUTSIDE, *OTHER_OUTSIDES) if self.values[tag]), OUTSIDE)

    def is_numbers(self) -> bool:
        """Whether nothing but numbers stands there."""
        return all(value.isdecimal() for value in self.values)

    def holds_marked_tags(self) -> bool:
        """Whether at least half of the values are tags, some of them with B-, I- and the like."""
        marked = self.marked
        n_tags = marked.total() + sum(self.values[tag] for tag in (self.outside, NOTHING, MISSING))
        return bool(marked) and 2 * n_tags >= self.n

    def io_labels(self) -> frozenset[str]:
        """Labels of a column without B- and I-; empty where it does not look like one."""
        # `o` for `O` is a slip of the keyboard.
        labels = {value for value in self.values if value not in (self.outside, NOTHING, MISSING, "o")}
        n_labelled = sum(self.values[label] for label in labels)
        few = len(labels) < n_labelled and len(self.values) < MAX_VALUES // 4
        named = all(re.match(r"[^\W\d_]", label) for label in labels)
        return frozenset(labels) if few and named and self.values[self.outside] >= 0.15 * self.n else frozenset()

    def is_empty_layer(self) -> bool:
        """Whether all tags are `O`."""
        return self.values[OUTSIDE] > 0 and set(self.values) <= {OUTSIDE, NOTHING, MISSING, "o"}

    def is_chunks(self) -> bool:
        """Whether the tags are of base phrases."""
        return all(tag[2:] in CHUNKS for tag in self.marked)

    def tells_spaces(self) -> bool:
        """Whether values say that no space follows."""
        if set(self.values) - {""} == {"+", "-"}:
            return True
        return any(not NO_SPACE.isdisjoint(value.split("|")) for value in self.values)


@dataclass
class Survey:
    """One pass over a file: what its lines and columns look like.

    head: the first rows. docstart: the first `-DOCSTART-` line. Others as in `Layout`.
    """

    tabs: bool = False
    columns: list[Column] = field(default_factory=list)
    widths: Counter[int] = field(default_factory=Counter)
    head: list[list[str]] = field(default_factory=list)
    header: tuple[str, ...] = ()
    docstart: tuple[str, ...] = ()
    has_blanks: bool = False
    n_documents: int = 0

    @property
    def width(self) -> int:
        """Columns of most rows."""
        return self.widths.most_common(1)[0][0] if self.widths else 0

    def add(self, cells: list[str]) -> None:
        """Count the values of a row."""
        self.widths[len(cells)] += 1
        if len(self.head) < N_HEAD:
            self.head.append(cells)
        self.columns.extend(Column() for _ in range(len(cells) - len(self.columns)))
        for column, value in zip(self.columns, cells, strict=False):
            column.add(value)


def is_hash(line: str) -> bool:
    """Whether a line starts as comments do."""
    return line.startswith(("# ", "#\t")) or line.rstrip(EDGES) == "#"


def cell_number(cell: str) -> int:
    """The number in a cell; -1 where it holds none, or more digits than numbers of tokens and characters have."""
    return int(cell) if cell.isdecimal() and len(cell) <= MAX_DIGITS else -1


def split_cells(line: str, *, tabs: bool) -> list[str]:
    """The columns of a line. A no-break space is part of a token."""
    return [cell.strip(" ") for cell in line.split("\t")] if tabs else SPACES.split(line.strip(EDGES))


def survey(lines: Iterable[tuple[int, str]], tag_column: str = "") -> Survey:
    """Look at all rows. tag_column: as in `ReaderOptions`; a name makes the first row a header."""
    found = Survey()
    rows = _rows(lines, found)
    head = list(islice(rows, N_HEAD))
    found.tabs = bool(head) and sum("\t" in line for line in head) >= 0.9 * len(head)
    for n_row, line in enumerate(chain(head, rows)):
        cells = split_cells(line, tabs=found.tabs)
        if n_row == 0 and is_header(cells, tag_column):
            found.header = tuple(cells)
        elif tuple(cells) != found.header:
            found.add(cells)
    return found


def is_header(cells: Sequence[str], tag_column: str) -> bool:
    """Whether a first row names the columns."""
    named = bool(tag_column) and not tag_column.isdecimal() and tag_column.casefold() in map(str.casefold, cells)
    return named or (len(cells) > 1 and all(HEADER_CELL.fullmatch(cell) for cell in cells))


def _rows(lines: Iterable[tuple[int, str]], found: Survey) -> Iterator[str]:
    """The lines that are rows, as far as that can be told without knowing the columns; the others are counted."""
    n_rows, blank = 0, False
    for _, line in lines:
        if not line.strip(EDGES):
            blank = True
        elif DOCSTART.match(line):
            found.docstart = found.docstart or tuple(split_cells(line, tabs=False))
            found.n_documents += 1
        elif not is_hash(line):
            found.has_blanks |= blank and n_rows > 0
            n_rows, blank = n_rows + 1, False
            yield line
