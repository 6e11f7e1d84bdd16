"""Surveys a token-and-tag file in one pass: separator, header, comments, and the content of its columns."""

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
# Signs between a word and its tag, other than white space.
JOINTS = ("|", "/", "_", "\\")
# For joints that may also occur in the tag: `word_B_LOC`.
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
# Base phrases, in English and German: they have tags of the same shape, in the column before the names.
CHUNKS = {
    "NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP", "NC", "VC", "PC",
}  # fmt: skip


@dataclass
class Column:
    """The values of one column, up to a number of distinct ones."""

    values: Counter[str] = field(default_factory=Counter)
    n: int = 0

    def add(self, value: str) -> None:
        """Count a value."""
        self.n += 1
        if value in self.values or len(self.values) < MAX_VALUES:
            self.values[value] += 1

    @property
    def shape(self) -> str:
        """The shape of the tags, as in `TagScheme`."""
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
        """Whether all values are numbers."""
        return all(value.isdecimal() for value in self.values)

    def holds_marked_tags(self) -> bool:
        """Whether at least half of the values are tags, some of them with B-, I- and the like."""
        marked = self.marked
        n_tags = marked.total() + sum(self.values[tag] for tag in (self.outside, NOTHING, MISSING))
        return bool(marked) and 2 * n_tags >= self.n

    def io_labels(self) -> frozenset[str]:
        """Return the labels of a column without B- and I-; empty if it does not look like one."""
        # `o` for `O` is a typing error.
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
        """Whether all values are Latin capitals and signs, as for parts of speech."""
        joined = "".join(self.values)
        return joined.isascii() and joined.isupper()

    def tells_spaces(self) -> bool:
        """Whether some values say that no space follows."""
        if set(self.values) - {""} == {"+", "-"}:
            return True
        return any(not NO_SPACE.isdisjoint(value.split("|")) for value in self.values)


@dataclass
class Survey:
    """Statistics of a file's lines and columns.

    head: the first rows. docstart: the first `-DOCSTART-` line. signs: first characters of lines before a sentence that
        have another number of columns than its rows. Others as in `Layout`.
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
        """Number of columns of most rows."""
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
    """Whether a line starts like a comment: `# …`, `## …`."""
    return bool(HASH.match(line))


def cell_number(cell: str) -> int:
    """Read the number in a cell; -1 if there is none, or it has too many digits for tokens and characters."""
    return int(cell) if cell.isdecimal() and len(cell) <= MAX_DIGITS else -1


def split_cells(line: str, separator: str, width: int = 0) -> list[str]:
    """Split a line into columns. A no-break space is part of a token; a cell of spaces only is kept.

    width: columns of most rows, 0 if still unknown: a word may contain the sign before its tag.
    """
    if separator == TAB:
        return [cell.strip(" ") or cell for cell in line.split(TAB)]
    if separator == SPACE:
        cells = SPACES.split(line.strip(EDGES))
        # Label Studio's rows: a label may contain spaces.
        return [*cells[:3], SPACE.join(cells[3:])] if cells[1:3] == UNUSED and len(cells) > 4 else cells
    word, tag = split_joined(line.strip(EDGES), separator)
    return [tag] if word is None else [*word.rsplit(separator, width - 2 if width else -1), tag]


def split_joined(item: str, joint: str) -> tuple[str | None, str]:
    """Split `word|TAG` into (word, tag); the word is None without the joint."""
    if joint in JOINED_TAG and (match := JOINED_TAG[joint].fullmatch(item)):
        return match[1], match[2]
    word, found_joint, tag = item.rpartition(joint)
    return (word if found_joint else None), tag


def survey(lines: Iterable[tuple[int, str]], tag_column: str = "") -> Survey:
    """Survey all rows. tag_column: as in `ReaderOptions`; a name makes the first row a header."""
    result = Survey()
    rows = _rows(lines, result)
    head = list(islice(rows, N_HEAD))
    result.separator = _separator(head)
    width = _width(head, result.separator) if result.separator in JOINTS else 0
    aside: list[list[str]] = []
    for line, opens in chain(head, rows):
        cells = split_cells(line, result.separator, width)
        if opens and not line[:1].isalnum():
            aside.append(cells)
        elif not result.columns and not result.header and is_header(cells, tag_column):
            result.header = tuple(cells)
        elif tuple(cells) != result.header:
            result.add(cells)
    result.signs = _signs(aside, result)
    for cells in aside:
        if len(cells) == result.width or not {cells[0][:1]} & result.signs:
            result.add(cells)
    return result


def _signs(aside: Sequence[Sequence[str]], result: Survey) -> frozenset[str]:
    """Find the signs that begin several lines before a sentence whose number of columns differs from that of rows.

    A row that lost its tag begins with a letter, contains none, or is the only one of its kind.
    """
    worded = (cells for cells in aside if any(map(str.isalnum, "".join(cells))))
    unlike = Counter(cells[0][:1] for cells in worded if len(cells) != result.width)
    return frozenset(sign for sign, n in unlike.items() if sign and n > 1)


def is_header(cells: Sequence[str], tag_column: str) -> bool:
    """Whether a first row names the columns."""
    named = bool(tag_column) and not tag_column.isdecimal() and tag_column.casefold() in map(str.casefold, cells)
    return named or (len(cells) > 1 and all(HEADER_CELL.fullmatch(cell) for cell in cells))


def _rows(lines: Iterable[tuple[int, str]], result: Survey) -> Iterator[tuple[str, bool]]:
    """Yield the lines that are rows, as far as this is known without the columns; count the others.

    Each comes with whether only lines with a sign separate it from the previous sentence.
    """
    n_rows, blank, opens = 0, False, True
    for _, line in lines:
        if not line.strip(EDGES) or MARKUP.fullmatch(line.strip(EDGES)):
            blank = opens = True
        elif DOCSTART.match(line):
            result.docstart = result.docstart or tuple(split_cells(line, SPACE))
            result.n_documents += 1
            opens = True
        elif not is_hash(line) and comment_pair(line) is None:
            result.has_blanks |= blank and n_rows > 0
            n_rows, blank = n_rows + 1, False
            yield line, opens
            opens = opens and not line[:1].isalnum()


def _separator(head: Sequence[tuple[str, bool]]) -> str:
    """Find the separator of the first rows: tab, space, or a sign."""
    rows = [line for line, opens in head if not opens or line[:1].isalnum()] or [line for line, _ in head]
    if rows and sum(TAB in line for line in rows) >= 0.9 * len(rows):
        return TAB
    if sum(not SPACES.search(line.strip(EDGES)) for line in rows) < 0.9 * len(rows):
        return SPACE
    return next((joint for joint in JOINTS if _joins_tags(rows, joint)), SPACE)


def _width(head: Sequence[tuple[str, bool]], separator: str) -> int:
    """Count the columns of most of the first rows."""
    return Counter(len(split_cells(line, separator)) for line, _ in head).most_common(1)[0][0]


def _joins_tags(rows: Sequence[str], joint: str) -> bool:
    """Whether rows consist of a word, a joint and a tag."""
    pairs = [split_joined(line.strip(EDGES), joint) for line in rows]
    tags = Column()
    for word, tag in pairs:
        if word:
            tags.add(tag)
    return tags.n >= 0.9 * len(rows) > 0 and (tags.holds_marked_tags() or bool(tags.io_labels()))
