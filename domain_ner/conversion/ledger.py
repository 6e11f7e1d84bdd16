"""The ledger: one row for each annotation of the exports, and what became of it. It balances, or the command fails."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, overload

from domain_ner.errors import MAX_LISTED, DomainNerError, fold, without_details
from domain_ner.label_names import as_setting
from domain_ner.records import ACCEPTED
from domain_ner.spool import Spool

IMPORTED = "imported"
REPAIRED = "repaired"
DOUBTFUL = "kept as it is, doubtful"
FLATTENED = "flattened"
MERGED = "merged duplicate"
OVERRULED = "another annotator's kept"
MASKED = "masked as unknown"
REJECTED = "rejected by the annotator"
IGNORED = "ignored by the annotator"
CANCELLED = "cancelled"
PREDICTION = "prediction"
UNWANTED = "label left out (vars.labels)"
DROPPED = "dropped"
# In the order of the summary. The first four are in the corpus; only `dropped` counts as lost.
FATES = (
    IMPORTED, REPAIRED, DOUBTFUL, FLATTENED, MERGED, OVERRULED, MASKED, REJECTED, IGNORED, CANCELLED, PREDICTION,
    UNWANTED, DROPPED,
)  # fmt: skip
KEPT = (IMPORTED, REPAIRED, DOUBTFUL, FLATTENED)
FAULT = "This is a fault of domain-ner, not of your files: please report it. Nothing was written."
UNKNOWN_LABEL = "is not in the guide"
MAX_NAMED = 8
# What a person decided to leave out was not lost by us.
LEFT_OUT = (REJECTED, IGNORED, CANCELLED, PREDICTION, UNWANTED)

# What becomes of an accepted document: a passage of the corpus, or one of these reasons why it is none of its own.
IN_CORPUS = "in the corpus"
SAME_ANNOTATOR = "the same text again, by the same annotator"
OTHER_ANNOTATOR = "the same text, another annotator's kept"
UNNAMED = "the same text again, its annotator not named"
BY_VOTE = "the same text, its annotators' spans put together"
GATHERED = "yes/no answers, put together with others on the same text"
ANSWERED = "yes/no answers, the text is annotated in full elsewhere"
NO_TEXT = "no text"


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
        self._read: Spool[tuple[Any, ...]] = Spool()
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


@dataclass
class Ledger:
    """Every annotation read, in order. A row's number is its place in `rows`.

    n_read: annotations by file, counted by itself while reading, so that the balance checks something.
    documents: documents by what became of them. lost_documents: (source, why) of the unreadable ones.
    passages: the accepted documents among them, by IN_CORPUS or the reason why one is no passage of its own.
    left_out: these others: (source, reason, the source of the passage that stands for it, where there is one).
    labels: annotations by label; found_labels: by the label in the files. unknown: labels that may not occur, and the
        nearest one that may, if there is one.
    """

    rows: Rows = field(default_factory=Rows)
    labels: Counter[str] = field(default_factory=Counter)
    found_labels: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, str] = field(default_factory=dict)
    n_read: Counter[str] = field(default_factory=Counter)
    documents: Counter[str] = field(default_factory=Counter)
    lost_documents: list[tuple[str, str]] = field(default_factory=list)
    passages: Counter[str] = field(default_factory=Counter)
    left_out: Spool[tuple[str, str, str]] = field(default_factory=Spool)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def open(self, row: Row) -> int:
        """Add a row, and return its number."""
        self.rows.append(row)
        if isinstance(row.label, str):
            self.labels[row.label] += 1
            self.found_labels[row.was or row.label] += 1
        return len(self.rows) - 1

    def settle(self, number: int, fate: str, how: str = "") -> None:
        """Say what became of an annotation. The last word counts, except that nothing undoes `dropped`."""
        if how:
            self.rows.explain(number, how)
        if self.rows.fate(number) != DROPPED:
            self.rows.settle(number, fate)

    def repair(self, number: int, how: str) -> None:
        """Note a repair. Whether the annotation is kept is said by `settle`."""
        self.rows.explain(number, how)

    def doubt(self, number: int, how: str) -> None:
        """Note why an annotation that is kept may be a slip."""
        self.settle(number, DOUBTFUL, how)

    def leave_out(self, source: str, reason: str, kept: str = "") -> None:
        """Say why an accepted document is no passage of its own. kept: the passage that stands for it, `file:line`."""
        self.passages[reason] += 1
        self.left_out.append((source, reason, kept))

    def fates(self) -> Counter[str]:
        """Annotations by fate."""
        return self.rows.fates()

    def check_balance(self) -> None:
        """Raise DomainNerError unless each annotation that was read has exactly one row and one known fate, and each
        accepted document is in the corpus or left out for one reason.
        """
        unsettled = {fate: n for fate, n in self.fates().items() if fate not in FATES}
        n_unsettled = sum(unsettled.values())
        if unsettled or len(self.rows) != self.n_read.total():
            first = next(self.rows.of_fate(next(iter(unsettled)))) if unsettled else None
            example = f"; the first: {first.source} {first.text!r}" if first else ""
            raise DomainNerError(
                f"The ledger does not balance: {self.n_read.total()} annotations read, {len(self.rows)} accounted for,"
                f" {n_unsettled} of them without a fate{example}.",
                FAULT,
            )
        if self.documents[ACCEPTED] != self.passages.total():
            told = ", ".join(f"{n} {what}" for what, n in self.passages.items()) or "none accounted for"
            raise DomainNerError(
                f"The documents do not balance: {self.documents[ACCEPTED]} accepted, but {told}.", FAULT
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
        lines = self.folded_losses()
        n_left = len(lines) - MAX_LISTED
        listed = [f"  {line}" for line in lines[:MAX_LISTED]] + [f"  … and {n_left} reasons more"] * (n_left > 0)
        named = as_setting({label: near or "…" for label, near in islice(self.unknown.items(), MAX_NAMED)})
        labels = (
            "Add a label that is right to `types` in the guide; give one that is wrong its name in project.yml (nothing"
            f" after the = leaves it out), or in the tool:\n  {named}\n"
        )
        first = f"{loss:.2%} of the annotations would be lost; at most {max_loss:.2%} may be (vars.max_loss):"
        raise DomainNerError(
            "\n".join([first, *listed]),
            f"{labels * bool(self.unknown)}Correct them in the annotation tool and export again, or raise vars.max_loss"
            "; the corpus was not touched.",
        )

    def folded_losses(self) -> list[str]:
        """As `losses`, a line for each reason and each unknown label, with the first case and how many there are."""
        documents = fold(self.lost_documents, lambda lost: without_details(lost[1]))
        rows = fold(self.rows.of_fate(DROPPED), _reason)
        told = [f"{lost.first[0]}: {lost.first[1]}{lost.more(lambda case: case[0])}" for lost in documents]
        return told + [f"{_loss(lost.first)}{lost.more(lambda row: row.source)}" for lost in rows]

    def losses(self) -> Iterator[str]:
        """A line for each unreadable document and each dropped annotation, `file:line: …`."""
        for source, why in self.lost_documents:
            yield f"{source}: {why}"
        for row in self.rows.of_fate(DROPPED):
            yield _loss(row)

    def to_jsonl(self) -> Iterator[str]:
        """The lines of `ledger.jsonl`: annotations, and unreadable documents."""
        for row in self.rows:
            yield _json_line(row.to_json())
        for source, why in self.lost_documents:
            yield _json_line({"source": source, "fate": "unreadable document", "how": [why]})

    def left_out_to_jsonl(self) -> Iterator[str]:
        """The lines of `left_out.jsonl`: accepted documents that are no passage of their own."""
        for source, reason, kept in self.left_out:
            plain = {"source": source, "reason": reason, "kept": kept}
            yield _json_line({key: value for key, value in plain.items() if value})

    def hows(self) -> Counter[tuple[str, str]]:
        """(fate, named repair or reason) of annotations, how often. Details after a colon are left out."""
        return Counter((fate, how.split(":")[0]) for fate, how in self.rows.explained())


def _json_line(plain: dict[str, Any]) -> str:
    """One line of JSON. What JSON does not know (a set of a Python export) is written as Python shows it."""
    line = json.dumps(plain, ensure_ascii=False, default=repr)
    # Half of a surrogate pair, which broken exports hold, is no UTF-8; `backslashreplace` writes it as JSON's escape.
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def _loss(row: Row) -> str:
    return f"{row.source}: {describe(row)}: {row.how[-1] if row.how else 'dropped'}"


def _reason(row: Row) -> str:
    """Why an annotation was lost, the same for all that were lost for that reason; of each unknown label another."""
    how = row.how[-1] if row.how else ""
    return how.split(":")[0] if UNKNOWN_LABEL in how else without_details(how)


def describe(row: Row) -> str:
    """An annotation in a message: its words, label and offsets."""
    return f"{row.text!r} ({row.label}, {row.start}-{row.end})"
