"""The rows of a ledger: annotations as the exports have them, and what became of each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from domain_ner.files import DiskList


@dataclass(slots=True)
class Row:
    """One annotation of an export.

    source: `file:line`. start, end: as in the file. text: the words in the text, or the export's own.
    label: its name; was: the one in the file, where `vars.labels` gives it another.
    fate: empty until settled. how: repairs and reasons, in the order they happened. split: where it ended up.
    """

    source: str
    document: str
    annotator: str
    start: Any
    end: Any
    label: Any
    text: str
    fate: str = ""
    how: list[str] = field(default_factory=list)
    split: str = ""
    was: str = ""

    def to_json(self) -> dict[str, Any]:
        """The row as it stands in `ledger.jsonl`; empty fields are left out."""
        plain = {
            "source": self.source, "document": self.document, "annotator": self.annotator, "start": self.start,
            "end": self.end, "label": self.label, "text": self.text, "fate": self.fate, "how": self.how,
            "split": self.split, "was": self.was,
        }  # fmt: skip
        return {key: value for key, value in plain.items() if value not in ("", [])}


class Rows(Sequence[Row]):
    """The rows of a ledger. What is read of an annotation lies on disk; what became of it is in memory, in two bytes.

    A row that is asked for is a copy: it is changed by the methods alone.
    """

    def __init__(self) -> None:
        self._read: DiskList[tuple[Any, ...]] = DiskList()
        self._names: list[str] = [""]
        self._fates, self._splits = bytearray(), bytearray()
        self._hows: dict[int, list[str]] = {}

    def append(self, row: Row) -> None:
        """Add a row."""
        was = (row.was,) if row.was else ()
        self._read.append((row.source, row.document, row.annotator, row.start, row.end, row.label, row.text, *was))
        self._fates.append(self._number(row.fate))
        self._splits.append(self._number(row.split))
        if row.how:
            self._hows[len(self) - 1] = list(row.how)

    def settle(self, number: int, fate: str) -> None:
        """Set the fate of a row."""
        self._fates[number] = self._number(fate)

    def place(self, number: int, split: str) -> None:
        """Set the split of a row."""
        self._splits[number] = self._number(split)

    def explain(self, number: int, how: str) -> None:
        """Add to the repairs and reasons of a row."""
        self._hows.setdefault(number, []).append(how)

    def fate(self, number: int) -> str:
        """The fate of a row."""
        return self._names[self._fates[number]]

    def hows(self, number: int) -> Sequence[str]:
        """The repairs and reasons of a row."""
        return self._hows.get(number, ())

    def fates(self) -> Counter[str]:
        """Rows by fate."""
        return Counter({self._names[number]: n for number, n in Counter(self._fates).items()})

    def explained(self) -> Iterator[tuple[str, str]]:
        """(fate, repair or reason) of every row that has any."""
        return ((self.fate(number), how) for number, hows in self._hows.items() for how in hows)

    def of_fate(self, fate: str) -> Iterator[Row]:
        """The rows of a fate."""
        wanted = self._number(fate)
        return (self[number] for number, found in enumerate(self._fates) if found == wanted)

    def __len__(self) -> int:
        return len(self._read)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        split = self._names[self._splits[number]]
        source, document, annotator, start, end, label, text, *was = self._read[number]
        how = list(self.hows(number))
        fate = self.fate(number)
        return Row(source, document, annotator, start, end, label, text, fate, how, split, *was)

    def __iter__(self) -> Iterator[Row]:
        return (self[number] for number in range(len(self)))

    def _number(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name)
