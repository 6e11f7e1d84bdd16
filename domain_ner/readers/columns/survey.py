"""One pass over a token-and-tag file: its separator and header, its comments, and what stands in its columns."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from domain_ner.annotations.tag_schemes import OUTSIDE, SHAPES, TagStatistics, find_outside
from domain_ner.readers.tokens.tagged import comment_pair

EDGES = " \t"
N_HEAD = 1000
MAX_DIGITS = 15
MAX_VALUES = 4096
NOTHING = "_"
# The second and third column of Label Studio's CONLL2003.
UNUSED = ["-X-", NOTHING]
MISSING = "-"
SPACES = re.compile(r"[ \t]+")
TAB, SPACE = "\t", " "
# What can stand between a word and its tag instead of white space.
JOINTS = ("|", "/", "_", "\\")
# Where the joint can also stand in the tag: `word_B_LOC`.
JOINED_TAG = {joint: re.compile(rf"(.+){re.escape(joint)}([BIESLUMW]{re.escape(joint)}.+)") for joint in "_"}
MARKUP = re.compile(r"</?[A-Za-z][\w:-]*(\s[^<>]*)?/?>")
HASH = re.compile(r"#+([ \t]|$)")
DOCSTART = re.compile(r"-+DOCSTART-")
NO_SPACE = {"SpaceAfter=No", "NoSpaceAfter"}
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
    def shape(self) -> str:
        """As in `TagScheme`."""
        aside = {NOTHING, MISSING} - {self.outside}
        tags = {tag: n for tag, n in self.values.items() if tag not in aside}
        return TagStatistics(Counter(tags)).scheme().shape

    @property
    def marked(self) -> Counter[str]:
        """Tags with B-, I- and the like."""
        pattern = SHAPES.get(self.shape)
        return Counter({tag: n for tag, n in self.values.items() if pattern and pattern.fullmatch(tag)})

    @property
    def outside(self) -> str:
        """The tag for "no entity"."""
        return find_outside(self.values)

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
        outside = self.outside
        labels = {value for value in self.values if value not in (outside, NOTHING, MISSING, "o")}
        n_labelled = sum(self.values[label] for label in labels)
        few = len(labels) < n_labelled and len(self.values) < MAX_VALUES // 4
        named = all(re.match(r"[^\W\d_]", label) for label in labels)
        return frozenset(labels) if few and named and self.values[outside] >= 0.15 * self.n else frozenset()

    def is_empty_layer(self) -> bool:
        """Whether all tags are `O`."""
        return self.values[OUTSIDE] > 0 and set(self.values) <= {OUTSIDE, NOTHING, MISSING, "o"}

    def is_chunks(self) -> bool:
        """Whether the tags are of base phrases."""
        return all(tag[2:] in CHUNKS for tag in self.marked)

    def is_tagset(self) -> bool:
        """Whether Latin capitals and signs alone stand there, as in parts of speech."""
        joined = "".join(self.values)
        return joined.isascii() and joined.isupper()

    def tells_spaces(self) -> bool:
        """Whether values say that no space follows."""
        if set(self.values) - {""} == {"+", "-"}:
            return True
        return any(not NO_SPACE.isdisjoint(value.split("|")) for value in self.values)


@dataclass
class Survey:
    """One pass over a file: what its lines and columns look like.

    head: the first rows. docstart: the first `-DOCSTART-` line. signs: with which lines begin that stand before the
        rows of a sentence and have another number of columns. Others as in `Layout`.
    """

    separator: str = SPACE
    columns: list[Column] = field(default_factory=list)
    widths: Counter[int] = field(default_factory=Counter)
    head: list[list[str]] = field(default_factory=list)
    header: tuple[str, ...] = ()
    docstart: tuple[str, ...] = ()
    signs: frozenset[str] = frozenset()
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
    """Whether a line starts as comments do: `# …`, `## …`."""
    return bool(HASH.match(line))


def cell_number(cell: str) -> int:
    """The number in a cell; -1 where it holds none, or more digits than numbers of tokens and characters have."""
    return int(cell) if cell.isdecimal() and len(cell) <= MAX_DIGITS else -1


def split_cells(line: str, separator: str, width: int = 0) -> list[str]:
    """The columns of a line. A no-break space is part of a token; a cell of spaces alone is kept as it is.

    width: columns of most rows, 0 where that is not known yet: a word may hold the sign that stands before its tag.
    """
    if separator == TAB:
        return [cell.strip(" ") or cell for cell in line.split(TAB)]
    if separator == SPACE:
        cells = SPACES.split(line.strip(EDGES))
        # Label Studio's rows: a label may hold spaces.
        return [*cells[:3], SPACE.join(cells[3:])] if cells[1:3] == UNUSED and len(cells) > 4 else cells
    word, tag = split_joined(line.strip(EDGES), separator)
    return [tag] if word is None else [*word.rsplit(separator, width - 2 if width else -1), tag]


def split_joined(item: str, joint: str) -> tuple[str | None, str]:
    """(word, tag) of `word|TAG`; the word is None where there is no joint."""
    if joint in JOINED_TAG and (found := JOINED_TAG[joint].fullmatch(item)):
        return found[1], found[2]
    word, found_joint, tag = item.rpartition(joint)
    return (word if found_joint else None), tag


def survey(lines: Iterable[tuple[int, str]], tag_column: str = "") -> Survey:
    """Look at all rows. tag_column: as in `ReaderOptions`; a name makes the first row a header."""
    found = Survey()
    rows = _rows(lines, found)
    head = list(islice(rows, N_HEAD))
    found.separator = _separator(head)
    width = _width(head, found.separator) if found.separator in JOINTS else 0
    aside: list[list[str]] = []
    for line, opens in chain(head, rows):
        cells = split_cells(line, found.separator, width)
        if opens and not line[:1].isalnum():
            aside.append(cells)
        elif not found.columns and not found.header and is_header(cells, tag_column):
            found.header = tuple(cells)
        elif tuple(cells) != found.header:
            found.add(cells)
    found.signs = _signs(aside, found)
    for cells in aside:
        if len(cells) == found.width or not {cells[0][:1]} & found.signs:
            found.add(cells)
    return found


def _signs(aside: Sequence[Sequence[str]], found: Survey) -> frozenset[str]:
    """Signs with which more than one line before a sentence begins that has another number of columns than rows have.

    A row that lost its tag begins with a letter, holds none, or is one of its kind.
    """
    worded = (cells for cells in aside if any(map(str.isalnum, "".join(cells))))
    unlike = Counter(cells[0][:1] for cells in worded if len(cells) != found.width)
    return frozenset(sign for sign, n in unlike.items() if sign and n > 1)


def is_header(cells: Sequence[str], tag_column: str) -> bool:
    """Whether a first row names the columns."""
    named = bool(tag_column) and not tag_column.isdecimal() and tag_column.casefold() in map(str.casefold, cells)
    return named or (len(cells) > 1 and all(HEADER_CELL.fullmatch(cell) for cell in cells))


def _rows(lines: Iterable[tuple[int, str]], found: Survey) -> Iterator[tuple[str, bool]]:
    """The lines that are rows, as far as that can be told without knowing the columns; the others are counted.

    With each whether nothing but lines with a sign in front stands between it and the last sentence.
    """
    n_rows, blank, opens = 0, False, True
    for _, line in lines:
        if not line.strip(EDGES) or MARKUP.fullmatch(line.strip(EDGES)):
            blank = opens = True
        elif DOCSTART.match(line):
            found.docstart = found.docstart or tuple(split_cells(line, SPACE))
            found.n_documents += 1
            opens = True
        elif not is_hash(line) and comment_pair(line) is None:
            found.has_blanks |= blank and n_rows > 0
            n_rows, blank = n_rows + 1, False
            yield line, opens
            opens = opens and not line[:1].isalnum()


def _separator(head: Sequence[tuple[str, bool]]) -> str:
    """What stands between the columns of the first rows: tabs, spaces, or a sign."""
    rows = [line for line, opens in head if not opens or line[:1].isalnum()] or [line for line, _ in head]
    if rows and sum(TAB in line for line in rows) >= 0.9 * len(rows):
        return TAB
    if sum(not SPACES.search(line.strip(EDGES)) for line in rows) < 0.9 * len(rows):
        return SPACE
    return next((joint for joint in JOINTS if _joins_tags(rows, joint)), SPACE)


def _width(head: Sequence[tuple[str, bool]], separator: str) -> int:
    """Columns of most of the first rows."""
    return Counter(len(split_cells(line, separator)) for line, _ in head).most_common(1)[0][0]


def _joins_tags(rows: Sequence[str], joint: str) -> bool:
    """Whether rows are a word, a joint and a tag."""
    pairs = [split_joined(line.strip(EDGES), joint) for line in rows]
    tags = Column()
    for word, tag in pairs:
        if word:
            tags.add(tag)
    return tags.n >= 0.9 * len(rows) > 0 and (tags.holds_marked_tags() or bool(tags.io_labels()))
