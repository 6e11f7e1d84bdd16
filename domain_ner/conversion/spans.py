"""From a record to a passage: each span located, checked and trimmed, with what became of it.

Its outcomes are told and not written: the ledger is `accounts`' alone.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from domain_ner.annotations.label_names import LabelNames
from domain_ner.annotations.outcomes import (
    CANCELLED,
    DROPPED,
    IGNORED,
    MERGED,
    PREDICTION,
    REJECTED,
    UNWANTED,
    Outcome,
)
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.annotations.records import ACCEPTED, Record, SourceSpan
from domain_ner.conversion.ledger import UNKNOWN_LABEL
from domain_ner.conversion.ledger_rows import Row
from domain_ner.conversion.offsets import Located, locate, words_given
from domain_ner.conversion.reading import FileReport
from domain_ner.errors import nearest

TRIMMED = "white space trimmed"
# What becomes of the annotations of a record that is not accepted.
OF_ANSWER = {
    "rejected": REJECTED, "ignored": IGNORED, "cancelled": CANCELLED, "prediction": PREDICTION,
    "not annotated": IGNORED,
}  # fmt: skip


@dataclass(frozen=True)
class Checks:
    """What a span must be.

    labels: the types that may occur; None: any. names: other names for the labels of the exports.
    """

    labels: Collection[str] | None = None
    names: LabelNames = field(default_factory=LabelNames)


@dataclass(frozen=True, slots=True)
class LocatedRecord:
    """A record, and what was made of it.

    rows: of the ledger, one for each span. outcomes: of spans that do not go on, and repairs of others.
    passage: None for a record that the annotator rejected, ignored or left for later.
    unknown_labels: labels that may not occur, and the nearest one that may, if there is one.
    """

    record: Record
    rows: Sequence[Row]
    outcomes: Sequence[Outcome]
    passage: Passage | None
    unknown_labels: Mapping[str, str]


def locate_records(found: Iterable[Record | FileReport], checks: Checks) -> Iterator[LocatedRecord | FileReport]:
    """Locate and check the spans of each record; the reports of files are passed on."""
    n_rows = 0
    for one in found:
        if isinstance(one, FileReport):
            yield one
        else:
            yield locate_record(one, checks, n_rows=n_rows)
            n_rows += len(one.spans)


def locate_record(record: Record, checks: Checks, *, n_rows: int = 0) -> LocatedRecord:
    """Locate and check the spans of a record. Those that cannot be used are dropped, with the reason.

    n_rows: how many rows the ledger has, so that rows have the numbers that they will have there.
    """
    located = locate(record, None)
    rows = [_row(record, span, at, checks.names) for span, at in zip(record.spans, located, strict=True)]
    if record.answer != ACCEPTED:
        outcomes = [Outcome(n_rows + n, OF_ANSWER[record.answer]) for n in range(len(rows))]
        return LocatedRecord(record, rows, outcomes, None, {})
    sorted_out = _SortedOut(record, checks)
    for number, (span, at) in enumerate(zip(record.spans, located, strict=True), start=n_rows):
        sorted_out.add(span, at, number)
    return LocatedRecord(record, rows, sorted_out.outcomes, sorted_out.passage(), sorted_out.unknown_labels)


def _row(record: Record, span: SourceSpan, at: Located, names: LabelNames) -> Row:
    text = words_given(span) if at.fault else record.text[at.start : at.end]
    row = Row(record.source, record.document, record.annotator, span.start, span.end, span.label, text)
    name = names.of(span.label)
    if name and name != span.label:
        row.label, row.was = name, span.label
    row.reasons.extend(span.how)
    if at.repair:
        row.reasons.append(at.repair)
    return row


@dataclass
class _SortedOut:
    """The spans of an accepted record, one after the other.

    accepted: with their rows. rejected: what is no entity. trimmed: spans as they were before white space was cut off.
    lost: where annotations were dropped.
    """

    record: Record
    checks: Checks
    accepted: dict[LabelledSpan, int] = field(default_factory=dict)
    rejected: set[LabelledSpan] = field(default_factory=set)
    trimmed: list[LabelledSpan] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    unknown_labels: dict[str, str] = field(default_factory=dict)

    def add(self, source: SourceSpan, at: Located, row: int) -> None:
        """Take in a span."""
        label = self.checks.names.of(source.label)
        if source.label and label == "":
            self.outcomes.append(Outcome(row, UNWANTED))
            return
        fault = source.fault or at.fault or self._label_fault(label)
        if not fault and not self.record.text[at.start : at.end].strip():
            fault = "it covers white space only"
        if fault or at.start is None or at.end is None:
            self.outcomes.append(Outcome(row, DROPPED, fault))
            if at.start is not None and at.end is not None:
                self.lost.append((at.start, at.end))
            return
        self._keep(source, LabelledSpan(at.start, at.end, str(label)), row)

    def passage(self) -> Passage:
        """The passage of the record."""
        record, accepted = self.record, sorted(self.accepted.items())
        # What a person accepted in the same record too is an entity; of yes/no answers it stays unknown.
        rejected = self.rejected if record.partial else self.rejected - self.accepted.keys()
        return Passage(
            text=record.text,
            spans=tuple(span for span, _ in accepted),
            source=record.source,
            meta=record.meta,
            annotator=record.annotator,
            trimmed=tuple(self.trimmed),
            document=record.document,
            rows=tuple(row for _, row in accepted),
            rejected=tuple(sorted(rejected)),
            partial=record.partial,
            # Where one was dropped, somebody saw an entity: it must not be learned as none.
            unknown=(*record.unknown, *self.lost),
            words=record.words,
            spaces=record.spaces,
        )

    def _keep(self, source: SourceSpan, given: LabelledSpan, row: int) -> None:
        span = _trim(given, self.record.text)
        if span != given:
            self.outcomes.append(Outcome(row, reason=TRIMMED))
            self.trimmed.append(given)
        if source.rejected:
            self.rejected.add(span)
            self.outcomes.append(Outcome(row, REJECTED))
        elif span in self.accepted:
            self.outcomes.append(Outcome(row, MERGED, f"the same span twice: {self.record.source}"))
        else:
            self.accepted[span] = row

    def _label_fault(self, label: object) -> str:
        labels = self.checks.labels
        if not isinstance(label, str) or not label:
            return f"its label is {label!r}: expected a name"
        if labels is not None and label not in labels:
            self.unknown_labels[label] = near = nearest(label, labels)
            asked = f"; did you mean {near!r}?" if near else ""
            return f"label {label!r} {UNKNOWN_LABEL}: expected one of {', '.join(labels)}{asked}"
        return ""


def _trim(span: LabelledSpan, text: str) -> LabelledSpan:
    """Leave out white space at the edges: it is never part of a name, and no tokenizer could predict it."""
    surface = text[span.start : span.end]
    start = span.start + len(surface) - len(surface.lstrip())
    return LabelledSpan(start, start + len(surface.strip()), span.label)
