"""Finds the names in a CoNLL-U file (in a column, a key of MISC, or brackets), and decodes their entities."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from domain_ner.annotations.tag_schemes import OUTSIDE, Tag, TagScheme, TagStatistics
from domain_ner.readers.tokens.spacing import Spacing

STANDARD = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
NOTHING = ("_", "*", "")
NER_NAME = re.compile(r"(.*[:_-])?(name|ne|ner|netag|nertag|ner_tag|ne_tag|named_?entity|class)", re.IGNORECASE)
BRACKETS = "Entity"
BRACKET = re.compile(r"\(([^()]*)(\))?|([^()]+)\)")
FRAGMENT = re.compile(r"\[\d+/\d+\]$")
NUMBERED = re.compile(r"\d+(:[^;]+)?(;\d+(:[^;]+)?)*")
TYPE_FIELDS, ID_FIELDS = ("etype", "entity"), ("eid", "grp", "id")
MAX_VALUES = 4096
IOB2 = TagScheme("IOB2", "prefix")


@dataclass(frozen=True)
class NameSpan:
    """An entity in words, `end` exclusive. fault: why it cannot be used, else empty."""

    start: int
    end: int
    label: str
    fault: str = ""


@dataclass(frozen=True)
class NameSource:
    """A place with names.

    kind: `tags`, `brackets` (`(e1-place` … `e1)`) or `numbers` (`1:PERSON`, `1`, `*`). column: from 0.
    key: of MISC; empty if the whole cell is the value. scheme: of tags.
    fields: content of a bracket (`eid-etype-…`), if the file declares it.
    """

    kind: str
    column: int
    title: str
    key: str = ""
    scheme: TagScheme = IOB2
    fields: tuple[str, ...] = ()

    def value(self, cells: Sequence[str]) -> str:
        """Return what a row says about names; `O` if nothing."""
        cell = cells[self.column] if self.column < len(cells) else "_"
        value = misc_values(cell).get(self.key, "_") if self.key else cell
        return OUTSIDE if value in NOTHING else value

    def is_tag(self, value: str) -> bool:
        """Whether a value is valid."""
        if self.scheme.is_outside(value) or self.kind != "tags":
            return True
        return value != "o" and self.scheme.parse(value) is not None


@dataclass
class CandidateSources:
    """Statistics of all places in a file that may have names.

    columns: names of the columns. tags: by (column, key).
    """

    columns: tuple[str, ...] = STANDARD
    fields: tuple[str, ...] = ()
    tags: dict[tuple[int, str], TagStatistics] = field(default_factory=dict)
    spacing: Spacing = field(default_factory=Spacing)
    says_spaces: bool = False
    n_rows: int = 0

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Count one sentence."""
        self.n_rows += len(rows)
        tags_at: dict[tuple[int, str], list[Tag]] = {}
        for n_row, cells in enumerate(rows):
            for place, value in self._values(cells):
                self.says_spaces |= place[1] == "SpaceAfter" and value == "No"
                tags_at.setdefault(place, [OUTSIDE] * len(rows))[n_row] = OUTSIDE if value in NOTHING else value
        for place, tags in tags_at.items():
            statistics = self.tags.setdefault(place, TagStatistics())
            if len(statistics.tags) < MAX_VALUES:
                statistics.add(tags)

    def _values(self, cells: Sequence[str]) -> Iterator[tuple[tuple[int, str], str]]:
        for column, cell in enumerate(cells):
            name = self.name(column).upper()
            if name == "MISC":
                yield from (((column, key), value) for key, value in misc_values(cell).items())
            elif name not in STANDARD:
                yield (column, ""), cell

    def name(self, column: int) -> str:
        """Return the name of a column; its number if it has none."""
        return self.columns[column] if column < len(self.columns) else f"column {column + 1}"

    def index(self, name: str) -> int | None:
        """Return the index of a standard column."""
        names = [column.upper() for column in self.columns]
        return names.index(name) if name in names else None


def misc_values(cell: str) -> dict[str, str]:
    """Parse the keys and values of a MISC cell."""
    pairs = (item.partition("=") for item in cell.split("|") if "=" in item)
    return {key.strip(): value.strip() for key, _, value in pairs}


def find_names(places: CandidateSources, wanted: str = "") -> list[NameSource]:
    """Find all places with names, the most likely first. wanted: restricts them to a number, a name or a key."""
    sources = [names for place, tags in places.tags.items() if (names := _names(places, place, tags))]
    if wanted:
        chosen = {wanted.casefold(), f"column {wanted}"}
        return [
            names for names in sources if {names.title.casefold(), names.key.casefold()} & chosen or _is(names, wanted)
        ]
    return sorted(sources, key=_rank)


def decode_brackets(values: Sequence[str], fields: Sequence[str]) -> list[NameSpan]:
    """Decode `(e1-place-…` … `e1)` in the words of one sentence, in the order in which the entities end."""
    opened: list[tuple[int, str]] = []
    entities: list[NameSpan] = []
    for word, value in enumerate(values):
        for match in BRACKET.finditer(value if value != OUTSIDE else ""):
            if match[3] is None:
                opened.append((word, match[1]))
                closing = match[1] if match[2] else None
            else:
                closing = match[3]
            if closing is None:
                continue
            at = next((n for n in reversed(range(len(opened))) if _closes(closing, opened[n][1], fields)), None)
            if at is None:
                entities.append(NameSpan(word, word + 1, "", f"the bracket {closing!r} closes nothing"))
            else:
                start, content = opened.pop(at)
                fault = "discontinuous" if FRAGMENT.search(content.split("-")[0]) else ""
                entities.append(NameSpan(start, word + 1, _label(content, fields), fault))
    left = [
        NameSpan(start, len(values), _label(content, fields), "its bracket is not closed") for start, content in opened
    ]
    return entities + left


def decode_numbers(values: Sequence[str]) -> list[NameSpan]:
    """Decode `1:PERSON`, `1`, `*` in the words of one sentence; words with the same number form an entity."""
    words: dict[str, list[int]] = {}
    labels: dict[str, str] = {}
    for word, value in enumerate(values):
        for item in value.split(";") if value != OUTSIDE else ():
            number, _, label = item.partition(":")
            words.setdefault(number, []).append(word)
            labels[number] = label or labels.get(number, "")
    return [
        NameSpan(at[0], at[-1] + 1, labels[number], "" if len(at) == at[-1] + 1 - at[0] else "discontinuous")
        for number, at in words.items()
    ]


def _names(places: CandidateSources, place: tuple[int, str], statistics: TagStatistics) -> NameSource | None:
    column, key = place
    title = f"{places.name(column)} ({key}=)" if key else places.name(column)
    scheme = statistics.scheme()
    values = Counter({tag: n for tag, n in statistics.tags.items() if not scheme.is_outside(tag)})
    if key == BRACKETS and any("(" in value for value in values):
        typed = not places.fields or any(name in TYPE_FIELDS for name in places.fields)
        return NameSource("brackets", column, title, key, fields=places.fields) if typed else None
    if not values:
        return None
    named = NER_NAME.fullmatch(key or places.name(column))
    if scheme.shape in ("prefix", "suffix", "loose prefix", "lower suffix") or (scheme.shape == "bare" and named):
        return NameSource("tags", column, title, key, scheme)
    if not key and _share(values, NUMBERED) > 0.9 and any(":" in value for value in values):
        return NameSource("numbers", column, title, key)
    return NameSource("tags", column, title, key, scheme) if named and len(values) < values.total() else None


def _share(values: Counter[str], pattern: re.Pattern[str]) -> float:
    return sum(n for value, n in values.items() if pattern.fullmatch(value)) / values.total()


def _rank(names: NameSource) -> tuple[bool, bool, bool]:
    io = names.kind == "tags" and names.scheme.shape == "none"
    return io, names.kind != "tags", not NER_NAME.fullmatch(names.key or names.title)


def _is(names: NameSource, wanted: str) -> bool:
    return wanted.isdigit() and names.column == int(wanted) - 1


def _closes(closing: str, content: str, fields: Sequence[str]) -> bool:
    place = next((n for n, name in enumerate(fields) if name in ID_FIELDS), 0)
    parts = content.split("-")
    return closing == content or content.startswith(f"{closing}-") or parts[place : place + 1] == [closing]


def _label(content: str, fields: Sequence[str]) -> str:
    parts = content.split("-")
    place = next((n for n, name in enumerate(fields) if name in TYPE_FIELDS), None)
    if place is None:
        # Without a header: `e1-place-…` or, in older files, `person-1`.
        place = 1 if re.fullmatch(r"e?\d.*", parts[0]) else 0
    return parts[place] if place < len(parts) else ""
