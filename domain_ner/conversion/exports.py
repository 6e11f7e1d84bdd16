"""A folder of annotation exports as passages: the readers and the conversion put together."""

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

# What vars.reading may set; a value without a list is free.
READING: dict[str, Sequence[str]] = {
    "format": (), "offsets": UNITS, "tag_column": (), "field": (), "label": (), "label_names": (),
    "predictions": ("yes", "no"), "force": ("yes", "no"), "empty": ("negative", "skip"),
    "discontinuous": ("drop", "envelope", "fragments"),
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What files do not say and the user does. format: empty to tell it by content. offsets: None to find it out."""

    format: str
    offsets: Unit | None
    options: ReaderOptions


@dataclass(frozen=True)
class ImportSettings:
    """How a folder is read; every field as the variable of project.yml of that name.

    labels: the types that may occur; None: any.
    reading: what files do not say, as `parse_reading` takes it. names: other names for labels (vars.labels), as
        `parse_label_names` takes them.
    """

    labels: Collection[str] | None = None
    reading: str = ""
    names: str = ""
    prefer: Sequence[str] = ()
    conflicts: str = "stop"


@dataclass(frozen=True)
class Annotations:
    """Everything that was accepted, and what became of the rest.

    passages: one for each accepted record. merged: one for each text.
    conflicts: a line for each text whose annotations contradict one another, `file:line: …`.
    """

    passages: Sequence[Passage]
    merged: Sequence[Passage]
    conflicts: tuple[str, ...]
    ledger: Ledger

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for each unreadable document and each annotation that cannot be used, `file:line: …`."""
        return tuple(self.ledger.losses())

    @property
    def documents(self) -> Counter[str]:
        """Documents by what became of them."""
        return self.ledger.documents


@dataclass(frozen=True)
class Exports:
    """The export files of a folder, and how they are read, checked and merged.

    unit: of offsets, where a file leaves it open; None: found out.
    """

    files: Sequence[ExportFile]
    unit: Unit | None
    checks: Checks
    rules: MergeRules


def open_exports(folder: Path, settings: ImportSettings) -> Exports:
    """Find every export in `folder`. Raises DomainNerError for a setting that cannot be, and without any file."""
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
    """Read every export in `folder`, and merge what was annotated twice.

    on_file, on_record: called before each file and after each document, to show progress.
    Raises DomainNerError when there is nothing to read, or for a file that cannot be read at all.
    """
    exports = open_exports(folder, settings)
    read = import_files(exports.files, exports.checks, unit=exports.unit, on_file=on_file, on_record=on_record)
    merged, conflicts = enter_merged(merge(read.passages, exports.rules), read.ledger)
    return Annotations(read.passages, merged, conflicts, read.ledger)


def unknown_annotators(read: Annotations, prefer: Sequence[str]) -> str:
    """A warning that some of `prefer` annotated nothing, with the names that are there; empty when all did."""
    named = [name for name in prefer if name != ANYONE]
    there = Counter(passage.annotator for passage in read.passages) if named else Counter[str]()
    unknown = [name for name in named if name not in there]
    if not unknown:
        return ""
    known = {name: n for name, n in there.most_common() if name}
    listed = [f"{name!r} ({n:,} passages)" for name, n in list(known.items())[:MAX_LISTED]]
    if len(known) > MAX_LISTED:
        listed.append(f"{len(known) - MAX_LISTED} more")
    near = {name: did_you_mean(name, known) for name in unknown}
    told = ", ".join(f"{name!r}{near[name] and f' ({near[name]})'}" for name in unknown)
    who = f"Annotators are {', '.join(listed)}." if known else "The exports name no annotator."
    return (
        f"vars.prefer names {told}: no accepted passage is by that name. {who} Set prefer in project.yml to those whom"
        ' you trust, the most trusted first, or to "*" (where two differ, the first that is read).'
    )


def unknown_labels(read: Annotations, names: str) -> str:
    """A warning that vars.labels names labels that no annotation has; empty when all occur."""
    return parse_label_names(names).unused(read.ledger.found_labels)


def require_usable(read: Annotations, *, max_loss: float) -> None:
    """Raise DomainNerError for contradictions, for a loss above `max_loss` (0..1), or when nothing was accepted."""
    raise_for(
        read.conflicts,
        summary="{n} texts are annotated in contradicting ways:",
        fix="Decide each in the annotation tool, or by rule; nothing was written.",
    )
    read.ledger.require_loss_below(max_loss)
    if not read.merged:
        counts = read.documents + read.ledger.passages
        told = ", ".join(f"{n} {outcome}" for outcome, n in counts.items()) or "no document"
        raise DomainNerError(
            f"No accepted passage: {told}.", "Accept at least one passage for each of train, dev and test."
        )


def require_spans(read: Annotations, folder: Path) -> None:
    """Raise DomainNerError, with what became of the annotations, where no accepted passage has one."""
    if any(passage.spans for passage in read.passages):
        return
    outcomes = read.ledger.outcomes()
    told = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()) or "the exports hold none"
    predicted = " Or, where nobody annotated, take predictions: vars.reading (predictions=yes)." * bool(
        outcomes[PREDICTION]
    )
    raise DomainNerError(
        f"No annotated span in {folder} ({told}).", f"Annotate some passages, and export again.{predicted}"
    )


def parse_reading(text: str) -> Reading:
    """Read `"format=conll tag_column=4"`: settings by name, apart by spaces; a value with spaces stands in quotes.

    format: a reader's name. offsets: codepoint, utf16, grapheme or byte. tag_column: a number from 1 or a name.
    field: the key (or layer) with the tags, or with the text. label: the type of bare tags (B, I, O). label_names: of
        integer labels, in order, apart by commas.
    predictions: yes or no. force: yes or no. empty: negative or skip. discontinuous: drop, envelope or fragments.
    Raises DomainNerError for a name or a value that is none of these.
    """
    try:
        parts = [part.partition("=") for part in shlex.split(text)]
    except ValueError as err:
        raise DomainNerError(f"vars.reading is {text!r}: {err}.", "Close every quote.") from err
    given: dict[str, str] = {}
    for name, equals, value in parts:
        allowed = READING.get(name)
        if allowed is None or not equals or (allowed and value not in allowed):
            expected = f"{name}={'|'.join(allowed)}" if allowed else " ".join(f"{key}=…" for key in READING)
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
    return Reading(given.get("format", ""), cast("Unit | None", given.get("offsets")), options)
