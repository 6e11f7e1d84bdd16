"""Reads a folder of annotation exports as passages: finds, reads, checks and merges them."""

import shlex
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from domain_ner.annotations.label_names import parse_label_names
from domain_ner.annotations.outcomes import PREDICTION
from domain_ner.annotations.passages import Passage
from domain_ner.annotations.records import ExportFile, ReaderOptions, Unit
from domain_ner.conversion.accounts import enter_merged
from domain_ner.conversion.importing import import_files
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.merging import ANYONE, CONFLICT_RULES, MergeRules, merge
from domain_ner.conversion.offsets import UNITS
from domain_ner.conversion.spans import Checks
from domain_ner.errors import MAX_LISTED, DomainNerError, did_you_mean, raise_for
from domain_ner.readers.folder import find_exports

# The settings of vars.reading and their values; an empty list allows any value.
READING_VALUES: dict[str, Sequence[str]] = {
    "format": (), "offsets": UNITS, "tag_column": (), "field": (), "label": (), "label_names": (),
    "predictions": ("yes", "no"), "force": ("yes", "no"), "empty": ("negative", "skip"),
    "discontinuous": ("drop", "envelope", "fragments"),
}  # fmt: skip


@dataclass(frozen=True)
class ReadingSettings:
    """What the user states because files do not. format: empty to detect it. offsets: None to detect the unit."""

    format: str
    offsets: Unit | None
    options: ReaderOptions


@dataclass(frozen=True)
class ImportSettings:
    """How to read a folder; the fields have the names of the variables in project.yml.

    labels: the allowed types; None: any.
    reading: what files do not state, for `parse_reading`. names: other names for labels (vars.labels), for
        `parse_label_names`.
    """

    labels: Collection[str] | None = None
    reading: str = ""
    names: str = ""
    prefer: Sequence[str] = ()
    conflicts: str = "stop"


@dataclass(frozen=True)
class Annotations:
    """All accepted passages, and a ledger of every annotation.

    passages: one for each accepted record. merged: one for each text.
    conflicts: a line for each text with contradicting annotations, `file:line: …`.
    """

    passages: Sequence[Passage]
    merged: Sequence[Passage]
    conflicts: tuple[str, ...]
    ledger: Ledger

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for each unreadable document and each unusable annotation, `file:line: …`."""
        return tuple(self.ledger.losses())

    @property
    def documents(self) -> Counter[str]:
        """Number of documents by their answer."""
        return self.ledger.documents


@dataclass(frozen=True)
class Exports:
    """The export files of a folder, and how to read, check and merge them.

    unit: of offsets, if a file does not state it; None: detect it.
    """

    files: Sequence[ExportFile]
    unit: Unit | None
    checks: Checks
    rules: MergeRules


def open_exports(folder: Path, settings: ImportSettings) -> Exports:
    """Find every export in `folder`. Raises DomainNerError for an invalid setting, or if there is no file."""
    if settings.conflicts not in CONFLICT_RULES:
        raise DomainNerError(f"vars.conflicts is {settings.conflicts!r}; expected one of {', '.join(CONFLICT_RULES)}.")
    reading = parse_reading(settings.reading)
    files = find_exports(folder, format=reading.format, options=reading.options)
    checks = Checks(labels=settings.labels, names=parse_label_names(settings.names))
    return Exports(files, reading.offsets, checks, MergeRules(prefer=settings.prefer, conflicts=settings.conflicts))


def read_annotations(
    folder: Path,
    settings: ImportSettings = ImportSettings(),
    *,
    on_file: Callable[[ExportFile], None] = lambda file: None,
    on_record: Callable[[], None] = lambda: None,
) -> Annotations:
    """Read every export in `folder`, and merge passages that were annotated twice.

    on_file, on_record: called before each file and after each document, to show progress.
    Raises DomainNerError when there is nothing to read, or a file cannot be read at all.
    """
    exports = open_exports(folder, settings)
    read = import_files(exports.files, exports.checks, unit=exports.unit, on_file=on_file, on_record=on_record)
    merged, conflicts = enter_merged(merge(read.passages, exports.rules), read.ledger)
    return Annotations(read.passages, merged, conflicts, read.ledger)


def unknown_annotators(read: Annotations, prefer: Sequence[str]) -> str:
    """Return a warning if some annotators in `prefer` annotated nothing, with the names that occur; else empty."""
    named = [name for name in prefer if name != ANYONE]
    counts = Counter(passage.annotator for passage in read.passages) if named else Counter[str]()
    unknown = [name for name in named if name not in counts]
    if not unknown:
        return ""
    known = {name: n for name, n in counts.most_common() if name}
    listed = [f"{name!r} ({n:,} passages)" for name, n in list(known.items())[:MAX_LISTED]]
    if len(known) > MAX_LISTED:
        listed.append(f"{len(known) - MAX_LISTED} more")
    near = {name: did_you_mean(name, known) for name in unknown}
    missing = ", ".join(f"{name!r}{near[name] and f' ({near[name]})'}" for name in unknown)
    annotators = f"Annotators are {', '.join(listed)}." if known else "The exports name no annotator."
    return (
        f"vars.prefer names {missing}: no accepted passage has this annotator. {annotators} Set prefer in project.yml"
        ' to the annotators that you trust, the most trusted first, or to "*" (keep the first annotation that is read).'
    )


def unknown_labels(read: Annotations, names: str) -> str:
    """Return a warning if vars.labels names labels that no annotation has; empty if all occur."""
    return parse_label_names(names).unused(read.ledger.source_labels)


def require_usable(read: Annotations, *, max_loss: float) -> None:
    """Raise DomainNerError for contradictions, a loss above `max_loss` (0..1), or if nothing was accepted."""
    raise_for(
        read.conflicts,
        summary="{n} texts have contradicting annotations:",
        fix="Resolve each in the annotation tool, or by rule. Nothing was written.",
    )
    read.ledger.require_loss_below(max_loss)
    if not read.merged:
        counts = read.documents + read.ledger.passages
        listed = ", ".join(f"{n} {outcome}" for outcome, n in counts.items()) or "no document"
        raise DomainNerError(
            f"No accepted passage: {listed}.", "Accept at least one passage for each of train, dev and test."
        )


def require_spans(read: Annotations, folder: Path) -> None:
    """Raise DomainNerError, with the outcomes of the annotations, if no accepted passage has one."""
    if any(passage.spans for passage in read.passages):
        return
    outcomes = read.ledger.outcomes()
    listed = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()) or "the exports hold none"
    predicted = " Or, if nobody annotated, use predictions: vars.reading (predictions=yes)." * bool(
        outcomes[PREDICTION]
    )
    raise DomainNerError(
        f"No annotated span in {folder} ({listed}).", f"Annotate some passages, and export again.{predicted}"
    )


def parse_reading(text: str) -> ReadingSettings:
    """Parse `"format=conll tag_column=4"`: settings by name, separated by spaces; quote a value that has spaces.

    format: a reader's name. offsets: codepoint, utf16, grapheme or byte. tag_column: a number from 1 or a name.
    field: the key (or layer) with the tags, or with the text. label: the type of bare tags (B, I, O). label_names: the
        names of integer labels, in order, separated by commas.
    predictions: yes or no. force: yes or no. empty: negative or skip. discontinuous: drop, envelope or fragments.
    Raises DomainNerError for any other name or value.
    """
    try:
        parts = [part.partition("=") for part in shlex.split(text)]
    except ValueError as err:
        raise DomainNerError(f"vars.reading is {text!r}: {err}.", "Close every quote.") from err
    given: dict[str, str] = {}
    for name, equals, value in parts:
        allowed = READING_VALUES.get(name)
        if allowed is None or not equals or (allowed and value not in allowed):
            expected = f"{name}={'|'.join(allowed)}" if allowed else " ".join(f"{key}=…" for key in READING_VALUES)
            raise DomainNerError(f"vars.reading has {name + equals + value!r}; expected {expected}.")
        given[name] = value
    options = ReaderOptions(
        tag_column=given.get("tag_column", ""),
        field=given.get("field", ""),
        label=given.get("label", ""),
        label_names=tuple(name.strip() for name in given.get("label_names", "").split(",") if name.strip()),
        predictions=given.get("predictions") == "yes",
        forced=given.get("force") == "yes",
        empty=cast("Any", given.get("empty", "negative")),
        discontinuous=cast("Any", given.get("discontinuous", "drop")),
    )
    return ReadingSettings(given.get("format", ""), cast("Unit | None", given.get("offsets")), options)
