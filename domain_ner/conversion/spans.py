"""From a record to a passage: each span located, checked, trimmed, and accounted for in the ledger."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from domain_ner.annotations.label_names import LabelNames
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.annotations.records import ACCEPTED, Record, SourceSpan
from domain_ner.conversion.ledger import (
    CANCELLED,
    DOUBTFUL,
    DROPPED,
    FLATTENED,
    IGNORED,
    IMPORTED,
    IN_CORPUS,
    MERGED,
    PREDICTION,
    REJECTED,
    REPAIRED,
    UNKNOWN_LABEL,
    UNWANTED,
    Ledger,
)
from domain_ner.conversion.ledger_rows import Row
from domain_ner.conversion.offsets import Located, locate, words_given
from domain_ner.errors import nearest

TRIMMED = "white space trimmed"
# The rules of `flatten`.
OVERLAPS = ("longest", "innermost", "first", "priority")
LEFT_OUT = {
    "rejected": REJECTED, "ignored": IGNORED, "cancelled": CANCELLED, "prediction": PREDICTION,
    "not annotated": IGNORED,
}  # fmt: skip


@dataclass(frozen=True)
class Checks:
    """What a span must be.

    labels: the types that may occur; None: any. names: other names for the labels of the exports.
    unit: of offsets, where a file leaves it open; None: as the record says.
    """

    labels: Collection[str] | None = None
    unit: str | None = None
    names: LabelNames = field(default_factory=LabelNames)


def to_passage(record: Record, ledger: Ledger, checks: Checks) -> Passage | None:
    """Check a record span by span. None: it is one that the annotator rejected, ignored or left for later.

    Every span gets a row in the ledger; those that cannot be used are settled as dropped, with the reason.
    """
    ledger.n_read[record.file] += len(record.spans)
    located = locate(record, checks.unit)
    rows = [_open_row(record, span, at, checks.names, ledger) for span, at in zip(record.spans, located, strict=True)]
    ledger.documents[record.answer] += 1
    if record.answer != ACCEPTED:
        for row in rows:
            ledger.settle(row, LEFT_OUT[record.answer])
        return None
    accepted, rejected, trimmed = _sort_out(record, located, rows, ledger, checks)
    return Passage(
        text=record.text,
        spans=tuple(span for span, _ in accepted),
        source=record.source,
        meta=record.meta,
        annotator=record.annotator,
        trimmed=tuple(trimmed),
        document=record.document,
        rows=tuple(row for _, row in accepted),
        rejected=tuple(sorted(rejected)),
        partial=record.partial,
        unknown=(*record.unknown, *_lost_ranges(located, rows, ledger)),
        words=record.words,
        spaces=record.spaces,
    )


def flatten(passage: Passage, rule: str, labels: Sequence[str] = ()) -> list[int]:
    """The positions in `passage.spans` of those that can stand in `doc.ents`, where no two share a character.

    rule: `longest` (outermost, at a tie the first), `innermost` (shortest), `first` (where it starts), or `priority`:
        the label that comes first in `labels`, at a tie the longest.
    """
    spans = passage.spans
    keys = {
        "longest": lambda n: (spans[n].start - spans[n].end, n),
        "innermost": lambda n: (spans[n].end - spans[n].start, n),
        "first": lambda n: (spans[n].start, spans[n].start - spans[n].end, n),
        "priority": lambda n: (_rank(spans[n].label, labels), spans[n].start - spans[n].end, n),
    }
    chosen: list[tuple[int, int, int]] = []  # (start, end, position), in order: they share no character
    for position in sorted(range(len(spans)), key=keys[rule]):
        start, end = spans[position].start, spans[position].end
        place = bisect_left(chosen, (start, end, position))
        free_before = place == 0 or chosen[place - 1][1] <= start
        free_after = place == len(chosen) or end <= chosen[place][0]
        if free_before and free_after:
            chosen.insert(place, (start, end, position))
    return sorted(position for _, _, position in chosen)


def settle_kept(passage: Passage, kept: Collection[int], ledger: Ledger, *, split: str) -> None:
    """Count a passage of the corpus, and settle its annotations. kept: as from `flatten`."""
    ledger.passages[IN_CORPUS] += 1
    positions = set(kept)
    for position, row in enumerate(passage.rows):
        ledger.rows.place(row, split)
        if position in positions:
            repaired = REPAIRED if ledger.rows.hows(row) else IMPORTED
            ledger.settle(row, DOUBTFUL if ledger.rows.fate(row) == DOUBTFUL else repaired)
        else:
            ledger.settle(row, FLATTENED, "overlap, only in doc.spans")


def _rank(label: str, labels: Sequence[str]) -> int:
    return labels.index(label) if label in labels else len(labels)


def _open_row(record: Record, span: SourceSpan, at: Located, names: LabelNames, ledger: Ledger) -> int:
    text = words_given(span) if at.fault else record.text[at.start : at.end]
    row = Row(record.source, record.document, record.annotator, span.start, span.end, span.label, text)
    name = names.of(span.label)
    if name and name != span.label:
        row.label, row.was = name, span.label
    row.how.extend(span.how)
    if at.how:
        row.how.append(at.how)
    return ledger.open(row)


def _sort_out(
    record: Record, located: Sequence[Located], rows: Sequence[int], ledger: Ledger, checks: Checks
) -> tuple[list[tuple[LabelledSpan, int]], set[LabelledSpan], list[LabelledSpan]]:
    """(accepted spans with their rows, rejected spans, spans as they were before white space was cut off)."""
    accepted: dict[LabelledSpan, int] = {}
    rejected: set[LabelledSpan] = set()
    trimmed: list[LabelledSpan] = []
    for source, at, row in zip(record.spans, located, rows, strict=True):
        label = checks.names.of(source.label)
        if source.label and label == "":
            ledger.settle(row, UNWANTED)
            continue
        fault = source.fault or at.fault or _label_fault(label, checks.labels, ledger)
        if not fault and not record.text[at.start : at.end].strip():
            fault = "it covers white space only"
        if fault or at.start is None or at.end is None:
            ledger.settle(row, DROPPED, fault)
            continue
        given = LabelledSpan(at.start, at.end, str(label))
        span = _trim(given, record.text)
        if span != given:
            ledger.repair(row, TRIMMED)
            trimmed.append(given)
        if source.rejected:
            rejected.add(span)
            ledger.settle(row, REJECTED)
        elif span in accepted:
            ledger.settle(row, MERGED, f"the same span twice: {record.source}")
        else:
            accepted[span] = row
    if not record.partial:  # what a person accepted here too is an entity; of yes/no answers it stays unknown
        rejected -= accepted.keys()
    return sorted(accepted.items()), rejected, trimmed


def _lost_ranges(located: Sequence[Located], rows: Sequence[int], ledger: Ledger) -> list[tuple[int, int]]:
    """Where annotations were dropped: somebody saw an entity there, so that it must not be learned as none."""
    return [
        (at.start, at.end)
        for at, row in zip(located, rows, strict=True)
        if ledger.rows.fate(row) == DROPPED and at.start is not None and at.end is not None
    ]


def _label_fault(label: object, labels: Collection[str] | None, ledger: Ledger) -> str:
    if not isinstance(label, str) or not label:
        return f"its label is {label!r}: expected a name"
    if labels is not None and label not in labels:
        ledger.unknown[label] = near = nearest(label, labels)
        asked = f"; did you mean {near!r}?" if near else ""
        return f"label {label!r} {UNKNOWN_LABEL}: expected one of {', '.join(labels)}{asked}"
    return ""


def _trim(span: LabelledSpan, text: str) -> LabelledSpan:
    """Leave out white space at the edges: it is never part of a name, and no tokenizer could predict it."""
    surface = text[span.start : span.end]
    start = span.start + len(surface) - len(surface.lstrip())
    return LabelledSpan(start, start + len(surface.strip()), span.label)
