"""Converts a record to a passage: locates, checks and trims each span, and records its outcome.

Returns outcomes and does not write them: only `accounts` writes the ledger.
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
# The outcome of annotations whose record is not accepted, by its answer.
OUTCOME_OF_ANSWER = {
    "rejected": REJECTED, "ignored": IGNORED, "cancelled": CANCELLED, "prediction": PREDICTION,
    "not annotated": IGNORED,
}  # fmt: skip


@dataclass(frozen=True)
class Checks:
    """The requirements for a span.

    labels: the allowed types; None: any. names: other names for the labels of the exports.
    """

    labels: Collection[str] | None = None
    names: LabelNames = field(default_factory=LabelNames)


@dataclass(frozen=True, slots=True)
class LocatedRecord:
    """A record with its ledger rows and its passage.

    rows: of the ledger, one for each span. outcomes: of spans that are not kept, and repairs of others.
    passage: None for a record that the annotator rejected, ignored or postponed.
    unknown_labels: labels that are not allowed, each with the nearest allowed one, if any.
    """

    record: Record
    rows: Sequence[Row]
    outcomes: Sequence[Outcome]
    passage: Passage | None
    unknown_labels: Mapping[str, str]


def locate_records(records: Iterable[Record | FileReport], checks: Checks) -> Iterator[LocatedRecord | FileReport]:
    """Locate and check the spans of each record; pass on the reports of files."""
    n_rows = 0
    for item in records:
        if isinstance(item, FileReport):
            yield item
        else:
            yield locate_record(item, checks, n_rows=n_rows)
            n_rows += len(item.spans)


def locate_record(record: Record, checks: Checks, *, n_rows: int = 0) -> LocatedRecord:
    """Locate and check the spans of a record. Unusable ones are dropped, with the reason.

    n_rows: the number of rows in the ledger so far, so that outcomes refer to the right rows.
    """
    located = locate(record, None)
    rows = [_row(record, span, at, checks.names) for span, at in zip(record.spans, located, strict=True)]
    if record.answer != ACCEPTED:
        outcomes = [Outcome(n_rows + n, OUTCOME_OF_ANSWER[record.answer]) for n in range(len(rows))]
        return LocatedRecord(record, rows, outcomes, None, {})
    checked = _CheckedSpans(record, checks)
    for number, (span, at) in enumerate(zip(record.spans, located, strict=True), start=n_rows):
        checked.add(span, at, number)
    return LocatedRecord(record, rows, checked.outcomes, checked.passage(), checked.unknown_labels)


def _row(record: Record, span: SourceSpan, at: Located, names: LabelNames) -> Row:
    text = words_given(span) if at.fault else record.text[at.start : at.end]
    row = Row(record.source, record.document, record.annotator, span.start, span.end, span.label, text)
    name = names.of(span.label)
    if name and name != span.label:
        row.label, row.was = name, span.label
    row.reasons.extend(span.repairs)
    if at.repair:
        row.reasons.append(at.repair)
    return row


@dataclass
class _CheckedSpans:
    """Collects the spans of an accepted record.

    accepted: with their rows. rejected: spans that are no entities. trimmed: spans before their white space was cut.
    lost: positions of dropped annotations.
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
        """Check a span and add it."""
        label = self.checks.names.of(source.label)
        if source.label and label == "":
            self.outcomes.append(Outcome(row, UNWANTED))
            return
        fault = source.fault or at.fault or self._label_fault(label)
        if not fault and not self.record.text[at.start : at.end].strip():
            fault = "it covers only white space"
        if fault or at.start is None or at.end is None:
            self.outcomes.append(Outcome(row, DROPPED, fault))
            if at.start is not None and at.end is not None:
                self.lost.append((at.start, at.end))
            return
        self._keep(source, LabelledSpan(at.start, at.end, str(label)), row)

    def passage(self) -> Passage:
        """Return the passage of the record."""
        record, accepted = self.record, sorted(self.accepted.items())
        # A rejected span that the same record also accepts is an entity; among yes/no answers it stays unknown.
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
            # Somebody saw an entity where an annotation was dropped: training must not treat it as none.
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
            suggestion = f"; did you mean {near!r}?" if near else ""
            return f"label {label!r} {UNKNOWN_LABEL}: expected one of {', '.join(labels)}{suggestion}"
        return ""


def _trim(span: LabelledSpan, text: str) -> LabelledSpan:
    """Trim white space at the edges: it is never part of a name, and no tokenizer could predict it."""
    surface = text[span.start : span.end]
    start = span.start + len(surface) - len(surface.lstrip())
    return LabelledSpan(start, start + len(surface.strip()), span.label)
