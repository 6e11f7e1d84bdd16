"""Stores the rows of a ledger: annotations as in the exports, each with its outcome."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from domain_ner.files import DiskList

# The keys for outcome and reasons in `ledger.jsonl`, a published format.
OUTCOME_KEY, REASONS_KEY = "fate", "how"


@dataclass(slots=True)
class Row:
    """One annotation of an export.

    source: `file:line`. start, end: as in the file. text: the words in the text, or the export's own.
    label: its name; was: its name in the file, if `vars.labels` renames it.
    outcome: empty until settled. reasons: repairs and reasons, in chronological order. split: of its passage.
    """

    source: str
    document: str
    annotator: str
    start: Any
    end: Any
    label: Any
    text: str
    outcome: str = ""
    reasons: list[str] = field(default_factory=list)
    split: str = ""
    was: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the row as in `ledger.jsonl`, without empty fields."""
        plain = {
            "source": self.source, "document": self.document, "annotator": self.annotator, "start": self.start,
            "end": self.end, "label": self.label, "text": self.text, OUTCOME_KEY: self.outcome,
            REASONS_KEY: self.reasons, "split": self.split, "was": self.was,
        }  # fmt: skip
        return {key: value for key, value in plain.items() if value not in ("", [])}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Row":
        """Create the row from a line of `ledger.jsonl`. Raises TypeError for a line with other keys."""
        names = {OUTCOME_KEY: "outcome", REASONS_KEY: "reasons"}
        if unknown := names.values() & plain.keys():
            raise TypeError(f"unexpected key {min(unknown)!r}")
        return cls(**{names.get(key, key): value for key, value in plain.items()})


class Rows(Sequence[Row]):
    """The rows of a ledger. Annotations are on disk; their outcomes and splits are in memory, in two bytes each.

    Indexing returns a copy of a row: only the methods change it.
    """

    def __init__(self) -> None:
        self._read: DiskList[tuple[Any, ...]] = DiskList()
        self._names: list[str] = [""]
        self._outcomes, self._splits = bytearray(), bytearray()
        self._reasons: dict[int, list[str]] = {}

    def append(self, row: Row) -> None:
        """Add a row."""
        was = (row.was,) if row.was else ()
        self._read.append((row.source, row.document, row.annotator, row.start, row.end, row.label, row.text, *was))
        self._outcomes.append(self._number(row.outcome))
        self._splits.append(self._number(row.split))
        if row.reasons:
            self._reasons[len(self) - 1] = list(row.reasons)

    def settle(self, number: int, outcome: str) -> None:
        """Set the outcome of a row."""
        self._outcomes[number] = self._number(outcome)

    def place(self, number: int, split: str) -> None:
        """Set the split of a row."""
        self._splits[number] = self._number(split)

    def explain(self, number: int, reason: str) -> None:
        """Add to the repairs and reasons of a row."""
        self._reasons.setdefault(number, []).append(reason)

    def outcome(self, number: int) -> str:
        """Return the outcome of a row."""
        return self._names[self._outcomes[number]]

    def reasons(self, number: int) -> Sequence[str]:
        """Return the repairs and reasons of a row."""
        return self._reasons.get(number, ())

    def outcomes(self) -> Counter[str]:
        """Count rows by outcome."""
        return Counter({self._names[number]: n for number, n in Counter(self._outcomes).items()})

    def explained(self) -> Iterator[tuple[str, str]]:
        """Yield (outcome, repair or reason) of every row that has any."""
        return ((self.outcome(number), reason) for number, reasons in self._reasons.items() for reason in reasons)

    def with_outcome(self, outcome: str) -> Iterator[Row]:
        """Yield the rows with an outcome."""
        wanted = self._number(outcome)
        return (self[number] for number, code in enumerate(self._outcomes) if code == wanted)

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
        reasons = list(self.reasons(number))
        outcome = self.outcome(number)
        return Row(source, document, annotator, start, end, label, text, outcome, reasons, split, *was)

    def __iter__(self) -> Iterator[Row]:
        return (self[number] for number in range(len(self)))

    def _number(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name)
