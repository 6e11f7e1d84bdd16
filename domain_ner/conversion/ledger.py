"""The ledger: one row for each annotation of the exports, and what became of it. It balances, or the command fails."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from domain_ner.errors import MAX_LISTED, DomainNerError

IMPORTED = "imported"
REPAIRED = "repaired"
FLATTENED = "flattened"
MERGED = "merged duplicate"
OVERRULED = "another annotator's kept"
MASKED = "masked as unknown"
REJECTED = "rejected by the annotator"
IGNORED = "ignored by the annotator"
CANCELLED = "cancelled"
PREDICTION = "prediction"
DROPPED = "dropped"
# In the order of the summary. The first three are in the corpus; only `dropped` counts as lost.
FATES = (
    IMPORTED, REPAIRED, FLATTENED, MERGED, OVERRULED, MASKED, REJECTED, IGNORED, CANCELLED, PREDICTION, DROPPED,
)  # fmt: skip
KEPT = (IMPORTED, REPAIRED, FLATTENED)
# What a person decided to leave out was not lost by us.
LEFT_OUT = (REJECTED, IGNORED, CANCELLED, PREDICTION)


@dataclass(slots=True)
class Row:
    """One annotation of an export.

    source: `file:line`. start, end: as in the file. text: the words in the text, or the export's own.
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

    def to_json(self) -> dict[str, Any]:
        """The row as it stands in `ledger.jsonl`; empty fields are left out."""
        plain = {
            "source": self.source, "document": self.document, "annotator": self.annotator, "start": self.start,
            "end": self.end, "label": self.label, "text": self.text, "fate": self.fate, "how": self.how,
            "split": self.split,
        }  # fmt: skip
        return {key: value for key, value in plain.items() if value not in ("", [])}


@dataclass
class Ledger:
    """Every annotation read, in order. A row's number is its place in `rows`.

    n_read: annotations by file, counted by itself while reading, so that the balance checks something.
    documents: documents by what became of them. lost_documents: (source, why) of the unreadable ones.
    """

    rows: list[Row] = field(default_factory=list)
    n_read: Counter[str] = field(default_factory=Counter)
    documents: Counter[str] = field(default_factory=Counter)
    lost_documents: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def open(self, row: Row) -> int:
        """Add a row, and return its number."""
        self.rows.append(row)
        return len(self.rows) - 1

    def settle(self, number: int, fate: str, how: str = "") -> None:
        """Say what became of an annotation. The last word counts, except that nothing undoes `dropped`."""
        row = self.rows[number]
        if how:
            row.how.append(how)
        if row.fate != DROPPED:
            row.fate = fate

    def repair(self, number: int, how: str) -> None:
        """Note a repair. Whether the annotation is kept is said by `settle`."""
        self.rows[number].how.append(how)

    def fates(self) -> Counter[str]:
        """Annotations by fate."""
        return Counter(row.fate for row in self.rows)

    def check_balance(self) -> None:
        """Raise DomainNerError unless each annotation that was read has exactly one row and one known fate."""
        unsettled = [row for row in self.rows if row.fate not in FATES]
        if unsettled or len(self.rows) != self.n_read.total():
            example = f"; the first: {unsettled[0].source} {unsettled[0].text!r}" if unsettled else ""
            raise DomainNerError(
                f"The ledger does not balance: {self.n_read.total()} annotations read, {len(self.rows)} accounted for,"
                f" {len(unsettled)} of them without a fate{example}.",
                "This is a fault of domain-ner, not of your files: please report it. Nothing was written.",
            )

    def loss(self) -> float:
        """The share lost, in 0..1: of the annotations that people accepted, or of the documents, whichever is more."""
        fates = self.fates()
        n_meant = len(self.rows) - sum(fates[fate] for fate in LEFT_OUT)
        n_documents = self.documents.total()
        return max(
            fates[DROPPED] / n_meant if n_meant else 0.0,
            len(self.lost_documents) / n_documents if n_documents else 0.0,
        )

    def require_loss_below(self, max_loss: float) -> None:
        """Raise DomainNerError, listing what was lost, when its share is above `max_loss` (0..1)."""
        loss = self.loss()
        if loss <= max_loss:
            return
        lines = list(islice(self.losses(), MAX_LISTED + 1))
        n_lost = self.fates()[DROPPED] + len(self.lost_documents)
        listed = "\n".join(f"  {line}" for line in lines[:MAX_LISTED])
        more = f"\n  … and {n_lost - MAX_LISTED} more" if n_lost > MAX_LISTED else ""
        raise DomainNerError(
            f"{loss:.2%} of the annotations would be lost; at most {max_loss:.2%} may be (vars.max_loss):\n"
            f"{listed}{more}",
            "Correct them in the annotation tool and export again, or raise vars.max_loss; the corpus was not touched.",
        )

    def losses(self) -> Iterator[str]:
        """A line for each unreadable document and each dropped annotation, `file:line: …`."""
        for source, why in self.lost_documents:
            yield f"{source}: {why}"
        for row in self.rows:
            if row.fate == DROPPED:
                yield f"{row.source}: {describe(row)}: {row.how[-1] if row.how else 'dropped'}"

    def to_jsonl(self) -> Iterator[str]:
        """The lines of `ledger.jsonl`: annotations, and unreadable documents."""
        for row in self.rows:
            yield _json_line(row.to_json())
        for source, why in self.lost_documents:
            yield _json_line({"source": source, "fate": "unreadable document", "how": [why]})

    def hows(self) -> Counter[tuple[str, str]]:
        """(fate, named repair or reason) of annotations, how often. Details after a colon are left out."""
        return Counter((row.fate, how.split(":")[0]) for row in self.rows for how in row.how)


def _json_line(plain: dict[str, Any]) -> str:
    """One line of JSON. What JSON does not know (a set of a Python export) is written as Python shows it."""
    line = json.dumps(plain, ensure_ascii=False, default=repr)
    # Half of a surrogate pair, which broken exports hold, is no UTF-8; `backslashreplace` writes it as JSON's escape.
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def describe(row: Row) -> str:
    """An annotation in a message: its words, label and offsets."""
    return f"{row.text!r} ({row.label}, {row.start}-{row.end})"


def count_by_source(rows: Iterable[Row]) -> Counter[str]:
    """Annotations by file."""
    return Counter(row.source.rpartition(":")[0] or row.source for row in rows)
