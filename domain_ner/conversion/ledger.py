"""The ledger: one row for each annotation of the exports, and what became of it. It balances, or the command fails."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from domain_ner.annotations.label_names import as_setting
from domain_ner.annotations.outcomes import DROPPED, LEFT_OUT, OUTCOMES, UNREADABLE, LeftOutDocument
from domain_ner.annotations.records import ACCEPTED, Problem
from domain_ner.conversion.ledger_rows import OUTCOME_KEY, REASONS_KEY, Row, Rows
from domain_ner.errors import MAX_LISTED, DomainNerError, group_cases, raise_for, without_details
from domain_ner.files import DiskList

FAULT = "This is a fault of domain-ner, not of your files: please report it. Nothing was written."
UNKNOWN_LABEL = "is not in the guide"
MAX_NAMED = 8


@dataclass(frozen=True)
class Loss:
    """How many of the `n` there are of a kind (`annotations`, `documents`, `tokens`) were lost."""

    kind: str
    n_lost: int
    n: int

    @property
    def share(self) -> float:
        """In 0..1."""
        return self.n_lost / self.n if self.n else 0.0

    def __str__(self) -> str:
        return f"{self.share:.2%} of the {self.kind} ({self.n_lost:,} of {self.n:,})"


@dataclass
class Ledger:
    """Every annotation read, in order. A row's number is its place in `rows`.

    n_read: annotations by file, counted by itself while reading, so that the balance checks something.
    documents: documents by what became of them. lost_documents: (source, why) of the unreadable ones.
    n_tokens: rows of tokens, in the formats that have such. lost_tokens: (source, why) of the unreadable ones.
    unread: (source, why) of places from which on a file was not read; what is behind them is in no sum.
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
    n_tokens: int = 0
    lost_tokens: list[tuple[str, str]] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    passages: Counter[str] = field(default_factory=Counter)
    left_out: DiskList[tuple[str, str, str]] = field(default_factory=DiskList)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def open(self, row: Row) -> int:
        """Add a row, and return its number."""
        self.rows.append(row)
        if isinstance(row.label, str):
            self.labels[row.label] += 1
            self.found_labels[row.was or row.label] += 1
        return len(self.rows) - 1

    def settle(self, number: int, outcome: str, reason: str = "") -> None:
        """Say what became of an annotation. The last word counts, except that nothing undoes `dropped`."""
        if reason:
            self.rows.explain(number, reason)
        if self.rows.outcome(number) != DROPPED:
            self.rows.settle(number, outcome)

    def lose(self, source: str, problem: Problem) -> None:
        """Say that something could not be read. source: `file:line`."""
        if problem.cost == "rest":
            self.unread.append((source, problem.text))
        elif problem.cost == "token":
            self.lost_tokens.append((source, problem.text))
        else:
            self.lost_documents.append((source, problem.text))
            self.documents["unreadable"] += 1

    def leave_out(self, document: LeftOutDocument) -> None:
        """Say why an accepted document is no passage of its own."""
        self.passages[document.reason] += 1
        self.left_out.append((document.source, document.reason, document.kept))

    def outcomes(self) -> Counter[str]:
        """Annotations by outcome."""
        return self.rows.outcomes()

    def reasons(self) -> Counter[tuple[str, str]]:
        """(outcome, named repair or reason) of annotations, how often. Details after a colon are left out."""
        return Counter((outcome, reason.split(":")[0]) for outcome, reason in self.rows.explained())

    def check_balance(self) -> None:
        """Raise DomainNerError unless each annotation that was read has exactly one row and one known outcome, and each
        accepted document is in the corpus or left out for one reason.
        """
        unsettled = {outcome: n for outcome, n in self.outcomes().items() if outcome not in OUTCOMES}
        n_unsettled = sum(unsettled.values())
        if unsettled or len(self.rows) != self.n_read.total():
            first = next(self.rows.of_outcome(next(iter(unsettled)))) if unsettled else None
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

    def losses_by_kind(self) -> tuple[Loss, Loss, Loss]:
        """What was lost of the annotations that people accepted, of the documents, and of the tokens."""
        outcomes = self.outcomes()
        n_meant = len(self.rows) - sum(outcomes[outcome] for outcome in LEFT_OUT)
        return (
            Loss("annotations", outcomes[DROPPED], n_meant),
            Loss("documents", len(self.lost_documents), self.documents.total()),
            Loss("tokens", len(self.lost_tokens), self.n_tokens),
        )

    def require_loss_below(self, max_loss: float) -> None:
        """Raise DomainNerError, listing what was lost, when its share of any kind is above `max_loss` (0..1); and,
        whatever `max_loss` is, when a file was not read to its end.
        """
        if self.unread:
            n = len(self.unread)
            raise_for(
                [f"{source}: {why}" for source, why in self.unread],
                summary=f"{n} file{'s' * (n > 1)} could not be read to the end, whatever vars.max_loss allows:",
                fix="Export again; the corpus was not touched.",
            )
        above = [loss for loss in self.losses_by_kind() if loss.share > max_loss]
        if not above:
            return
        lines = self.folded_losses()
        n_left = len(lines) - MAX_LISTED
        listed = [f"  {line}" for line in lines[:MAX_LISTED]] + [f"  … and {n_left} reasons more"] * (n_left > 0)
        named = as_setting({label: near or "…" for label, near in islice(self.unknown.items(), MAX_NAMED)})
        labels = (
            "Add a label that is right to `types` in the guide; give one that is wrong its name in project.yml (nothing"
            f" after the = leaves it out), or in the tool:\n  {named}\n"
        )
        told = " and ".join(map(str, above))
        first = f"{told} would be lost; at most {max_loss:.2%} may be (vars.max_loss):"
        raise DomainNerError(
            "\n".join([first, *listed]),
            f"{labels * bool(self.unknown)}Correct them in the annotation tool and export again, or raise vars.max_loss"
            "; the corpus was not touched.",
        )

    def folded_losses(self) -> list[str]:
        """As `losses`, a line for each reason and each unknown label, with the first case and how many there are."""
        unreadable = [*self.unread, *self.lost_documents, *self.lost_tokens]
        places = group_cases(unreadable, lambda lost: without_details(lost[1]))
        rows = group_cases(self.rows.of_outcome(DROPPED), _reason)
        told = [f"{lost.first[0]}: {lost.first[1]}{lost.more(lambda case: case[0])}" for lost in places]
        return told + [f"{_loss(lost.first)}{lost.more(lambda row: row.source)}" for lost in rows]

    def losses(self) -> Iterator[str]:
        """A line for each place where a file could not be read, and each dropped annotation, `file:line: …`."""
        for source, why in (*self.unread, *self.lost_documents, *self.lost_tokens):
            yield f"{source}: {why}"
        for row in self.rows.of_outcome(DROPPED):
            yield _loss(row)

    def to_jsonl(self) -> Iterator[str]:
        """The lines of `ledger.jsonl`: annotations, and unreadable documents and tokens."""
        for row in self.rows:
            yield _json_line(row.to_json())
        for outcome, lost in zip(UNREADABLE, (self.lost_documents, self.lost_tokens), strict=True):
            for source, why in lost:
                yield _json_line({"source": source, OUTCOME_KEY: outcome, REASONS_KEY: [why]})

    def left_out_to_jsonl(self) -> Iterator[str]:
        """The lines of `left_out.jsonl`: accepted documents that are no passage of their own."""
        for source, reason, kept in self.left_out:
            plain = {"source": source, "reason": reason, "kept": kept}
            yield _json_line({key: value for key, value in plain.items() if value})


def _json_line(plain: dict[str, Any]) -> str:
    """One line of JSON. What JSON does not know (a set of a Python export) is written as Python shows it."""
    line = json.dumps(plain, ensure_ascii=False, default=repr)
    # Half of a surrogate pair, which broken exports hold, is no UTF-8; `backslashreplace` writes it as JSON's escape.
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def _loss(row: Row) -> str:
    return f"{row.source}: {describe(row)}: {row.reasons[-1] if row.reasons else DROPPED}"


def _reason(row: Row) -> str:
    """Why an annotation was lost, the same for all that were lost for that reason; of each unknown label another."""
    reason = row.reasons[-1] if row.reasons else ""
    return reason.split(":")[0] if UNKNOWN_LABEL in reason else without_details(reason)


def describe(row: Row) -> str:
    """An annotation in a message: its words, label and offsets."""
    return f"{row.text!r} ({row.label}, {row.start}-{row.end})"
