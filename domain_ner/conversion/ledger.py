"""Keeps the ledger: a row with an outcome for each annotation of the exports. Unless it balances, the command fails."""

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

BUG_ADVICE = "This is a bug in domain-ner, not in your files: please report it. Nothing was written."
UNKNOWN_LABEL = "is not in the guide"
MAX_NAMED = 8


@dataclass(frozen=True)
class Loss:
    """How many of `n` items of a kind (`annotations`, `documents`, `tokens`) were lost."""

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
    """Every annotation read, in order. A row's number is its position in `rows`.

    n_read: annotations by file, counted separately while reading, so that the balance is a real check.
    documents: documents by answer. lost_documents: (source, reason) of the unreadable ones.
    n_tokens: token rows, in formats that have them. lost_tokens: (source, reason) of the unreadable ones.
    unread: (source, reason) of places where reading a file stopped; the rest of the file is in no sum.
    passages: accepted documents by IN_CORPUS, or by the reason why one is not a passage of its own.
    left_out: the latter: (source, reason, the source of the passage that is kept instead, if any).
    labels: annotations by label; source_labels: by the label in the files. unknown: labels that are not allowed, each
        with the nearest allowed one, if any.
    """

    rows: Rows = field(default_factory=Rows)
    labels: Counter[str] = field(default_factory=Counter)
    source_labels: Counter[str] = field(default_factory=Counter)
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
            self.source_labels[row.was or row.label] += 1
        return len(self.rows) - 1

    def settle(self, number: int, outcome: str, reason: str = "") -> None:
        """Set the outcome of an annotation. The last outcome counts, except that `dropped` is final."""
        if reason:
            self.rows.explain(number, reason)
        if self.rows.outcome(number) != DROPPED:
            self.rows.settle(number, outcome)

    def add_problem(self, source: str, problem: Problem) -> None:
        """Record something unreadable. source: `file:line`."""
        if problem.cost == "rest":
            self.unread.append((source, problem.text))
        elif problem.cost == "token":
            self.lost_tokens.append((source, problem.text))
        else:
            self.lost_documents.append((source, problem.text))
            self.documents["unreadable"] += 1

    def leave_out(self, document: LeftOutDocument) -> None:
        """Record why an accepted document is not a passage of its own."""
        self.passages[document.reason] += 1
        self.left_out.append((document.source, document.reason, document.kept))

    def outcomes(self) -> Counter[str]:
        """Count annotations by outcome."""
        return self.rows.outcomes()

    def reasons(self) -> Counter[tuple[str, str]]:
        """Count (outcome, named repair or reason) of annotations, without details after a colon."""
        return Counter((outcome, reason.split(":")[0]) for outcome, reason in self.rows.explained())

    def check_balance(self) -> None:
        """Raise DomainNerError unless each annotation has exactly one row and one known outcome, and each accepted
        document is in the corpus or left out for one reason.
        """
        unsettled = {outcome: n for outcome, n in self.outcomes().items() if outcome not in OUTCOMES}
        n_unsettled = sum(unsettled.values())
        if unsettled or len(self.rows) != self.n_read.total():
            first = next(self.rows.with_outcome(next(iter(unsettled)))) if unsettled else None
            example = f"; the first: {first.source} {first.text!r}" if first else ""
            raise DomainNerError(
                f"The ledger does not balance: {self.n_read.total()} annotations read, {len(self.rows)} accounted for,"
                f" {n_unsettled} of them without an outcome{example}.",
                BUG_ADVICE,
            )
        if self.documents[ACCEPTED] != self.passages.total():
            listed = ", ".join(f"{n} {reason}" for reason, n in self.passages.items()) or "none accounted for"
            raise DomainNerError(
                f"The documents do not balance: {self.documents[ACCEPTED]} accepted, but {listed}.", BUG_ADVICE
            )

    def losses_by_kind(self) -> tuple[Loss, Loss, Loss]:
        """Return the losses of annotations that people accepted, of documents, and of tokens."""
        outcomes = self.outcomes()
        n_intended = len(self.rows) - sum(outcomes[outcome] for outcome in LEFT_OUT)
        return (
            Loss("annotations", outcomes[DROPPED], n_intended),
            Loss("documents", len(self.lost_documents), self.documents.total()),
            Loss("tokens", len(self.lost_tokens), self.n_tokens),
        )

    def require_loss_below(self, max_loss: float) -> None:
        """Raise DomainNerError, with a list of the losses, if the share of any kind is above `max_loss` (0..1), or if a
        file was not read to its end, regardless of `max_loss`.
        """
        if self.unread:
            n = len(self.unread)
            raise_for(
                [f"{source}: {reason}" for source, reason in self.unread],
                summary=f"{n} file{'s' * (n > 1)} could not be read to the end (vars.max_loss does not allow this):",
                fix="Export again. The corpus was not changed.",
            )
        above = [loss for loss in self.losses_by_kind() if loss.share > max_loss]
        if not above:
            return
        lines = self.grouped_losses()
        n_left = len(lines) - MAX_LISTED
        listed = [f"  {line}" for line in lines[:MAX_LISTED]] + [f"  … and {n_left} more reasons"] * (n_left > 0)
        named = as_setting({label: near or "…" for label, near in islice(self.unknown.items(), MAX_NAMED)})
        labels = (
            "Add a correct label to `types` in the guide. Rename a wrong one in the tool, or in project.yml (nothing"
            f" after the = leaves it out):\n  {named}\n"
        )
        losses = " and ".join(map(str, above))
        first = f"{losses} would be lost; vars.max_loss allows at most {max_loss:.2%}:"
        raise DomainNerError(
            "\n".join([first, *listed]),
            f"{labels * bool(self.unknown)}Correct them in the annotation tool and export again, or raise"
            " vars.max_loss. The corpus was not changed.",
        )

    def grouped_losses(self) -> list[str]:
        """List `losses` by reason and unknown label: a line for each, with the first case and the number of cases."""
        unreadable = [*self.unread, *self.lost_documents, *self.lost_tokens]
        places = group_cases(unreadable, lambda lost: without_details(lost[1]))
        rows = group_cases(self.rows.with_outcome(DROPPED), _reason)
        lines = [f"{lost.first[0]}: {lost.first[1]}{lost.more(lambda case: case[0])}" for lost in places]
        return lines + [f"{_loss(lost.first)}{lost.more(lambda row: row.source)}" for lost in rows]

    def losses(self) -> Iterator[str]:
        """Yield a line for each unreadable place and each dropped annotation, `file:line: …`."""
        for source, reason in (*self.unread, *self.lost_documents, *self.lost_tokens):
            yield f"{source}: {reason}"
        for row in self.rows.with_outcome(DROPPED):
            yield _loss(row)

    def to_jsonl(self) -> Iterator[str]:
        """Yield the lines of `ledger.jsonl`: annotations, and unreadable documents and tokens."""
        for row in self.rows:
            yield _json_line(row.to_json())
        for outcome, lost in zip(UNREADABLE, (self.lost_documents, self.lost_tokens), strict=True):
            for source, reason in lost:
                yield _json_line({"source": source, OUTCOME_KEY: outcome, REASONS_KEY: [reason]})

    def left_out_to_jsonl(self) -> Iterator[str]:
        """Yield the lines of `left_out.jsonl`: accepted documents that are not passages of their own."""
        for source, reason, kept in self.left_out:
            plain = {"source": source, "reason": reason, "kept": kept}
            yield _json_line({key: value for key, value in plain.items() if value})


def _json_line(plain: dict[str, Any]) -> str:
    """Format one line of JSON. Types unknown to JSON (a set of a Python export) are written as their repr."""
    line = json.dumps(plain, ensure_ascii=False, default=repr)
    # Half of a surrogate pair, as in broken exports, is not valid UTF-8; `backslashreplace` writes it as a JSON escape.
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def _loss(row: Row) -> str:
    return f"{row.source}: {describe(row)}: {row.reasons[-1] if row.reasons else DROPPED}"


def _reason(row: Row) -> str:
    """Return a key for why an annotation was lost: equal for equal reasons, but separate for each unknown label."""
    reason = row.reasons[-1] if row.reasons else ""
    return reason.split(":")[0] if UNKNOWN_LABEL in reason else without_details(reason)


def describe(row: Row) -> str:
    """Describe an annotation for a message: its words, label and offsets."""
    return f"{row.text!r} ({row.label}, {row.start}-{row.end})"
