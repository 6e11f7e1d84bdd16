"""Lists the formats for writing annotations, with their limits, and exports passages to them."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path
from domain_ner.writers import brat, conll, doccano, hf_json, label_studio, prodigy
from domain_ner.writers.options import (
    BLANK,
    EMPTY,
    META,
    NESTED,
    PARTIAL,
    REJECTED,
    REPORTED_ONLY,
    SPACED_LABEL,
    UNANNOTATED,
    UNKNOWN,
    WHITE_SPACE,
    WORDLESS,
    WriterOptions,
)
from domain_ner.writers.tokens import overlapping

ODD_WHITE = re.compile(r"^\s|\s$|\s\s|[^\S ]")


class Format(Protocol):
    """A format for writing: a module of `domain_ner.writers` with these names.

    NAME: as in `--to`. TITLE: its description. HOLDS: which optional features it can represent.
    """

    NAME: str
    TITLE: str
    HOLDS: frozenset[str]

    def write(self, passages: Iterable[Passage], target: Path, options: WriterOptions) -> None:
        """Write the passages, one at a time, to a new file (for brat, a new folder)."""


FORMATS: dict[str, Format] = {module.NAME: module for module in (prodigy, label_studio, doccano, conll, brat, hf_json)}
IN_FOLDER = {brat.NAME: {".txt", ".ann", ".conf"}}


@dataclass
class Export:
    """The result of an export, with its losses.

    lost: number of losses by kind. first: the source of the first loss of each kind.
    """

    n_passages: int = 0
    n_spans: int = 0
    labels: set[str] = field(default_factory=set)
    lost: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def count_loss(self, what: str, passage: Passage, n: int = 1) -> None:
        """Count something in a passage that cannot be written."""
        if n:
            self.lost[what] += n
            self.first.setdefault(what, passage.source)

    @property
    def lines(self) -> list[str]:
        """A line for each kind of loss."""
        return [f"{n} {what}, the first in {self.first[what]}" for what, n in self.lost.most_common()]

    @property
    def is_lossy(self) -> bool:
        """Whether reading the file back would give different annotations."""
        return any(self.lost[what] for what in self.lost if what not in REPORTED_ONLY)


def find_format(name: str) -> Format:
    """Look up a format by name. Raises DomainNerError if there is none."""
    if name not in FORMATS:
        raise DomainNerError(f"--to is {name!r}; expected one of {', '.join(FORMATS)}.")
    return FORMATS[name]


def export(
    passages: Iterable[Passage],
    target: Path,
    to: str,
    options: WriterOptions,
    *,
    on_passage: Callable[[], None] = lambda: None,
) -> Export:
    """Write passages to `target` one at a time, whole or not at all.

    to: the name of a format.
    on_passage: called after each passage, to show progress.
    Raises DomainNerError for an unknown format, a target that would replace something else, and an export without
    passages. Unless `options.lossy`, also for annotations that the format cannot represent.
    """
    format_ = find_format(to)
    _require_free(target, to)
    done = Export()
    with atomic_path(target) as temporary:
        exported = (_as_predicted(passage) for passage in passages) if options.predictions else passages
        format_.write(_fitting(exported, format_, done, on_passage), temporary, options)
        if not done.n_passages:
            raise DomainNerError("There is no passage to write.", "Give a corpus or an export with passages.")
        if done.is_lossy and not options.lossy:
            _refuse(format_, done)
    return done


def fit(passage: Passage, format_: Format, done: Export) -> Passage | None:
    """Reduce a passage to what a format can represent, and count the rest in `done`; None if nothing remains."""
    for kind, lacks_it in ((WORDLESS, not passage.text.strip()), (EMPTY, not passage.text)):
        if lacks_it and kind not in format_.HOLDS:
            done.count_loss(kind, passage)
            return None
    passage = _without_unusable(passage, format_, done)
    passage = _without_unknown(passage, format_, done)
    if NESTED not in format_.HOLDS:
        left_out = overlapping(passage.spans)
        done.count_loss(NESTED, passage, len(left_out))
        passage = replace(passage, spans=tuple(span for span in passage.spans if span not in left_out))
    if REJECTED not in format_.HOLDS:
        done.count_loss(REJECTED, passage, len(passage.rejected))
        passage = replace(passage, rejected=())
    if META not in format_.HOLDS:
        done.count_loss(META, passage, bool(passage.meta or passage.annotator or passage.document))
    if WHITE_SPACE not in format_.HOLDS:
        done.count_loss(WHITE_SPACE, passage, ODD_WHITE.search(passage.text) is not None)
    return passage


def _fitting(
    passages: Iterable[Passage], format_: Format, done: Export, on_passage: Callable[[], None]
) -> Iterator[Passage]:
    for passage in passages:
        fitting = fit(passage, format_, done)
        if fitting is not None:
            done.n_passages += 1
            done.n_spans += len(fitting.spans)
            done.labels.update(span.label for span in fitting.spans)
            yield fitting
        on_passage()


def _as_predicted(passage: Passage) -> Passage:
    """Mark a passage as completely annotated: a model processes the whole text."""
    return replace(passage, partial=False, unknown=(), rejected=())


def _without_unusable(passage: Passage, format_: Format, done: Export) -> Passage:
    """Remove spans that no format, or not this one, can represent."""

    def is_usable(span: LabelledSpan) -> bool:
        if not span.label or not passage.text[span.start : span.end].strip():
            done.count_loss(BLANK, passage)
            return False
        if SPACED_LABEL not in format_.HOLDS and len(span.label.split()) != 1:
            done.count_loss(SPACED_LABEL, passage)
            return False
        return True

    spans, rejected = tuple(filter(is_usable, passage.spans)), tuple(filter(is_usable, passage.rejected))
    return replace(passage, spans=spans, rejected=rejected)


def _without_unknown(passage: Passage, format_: Format, done: Export) -> Passage:
    """Adapt the marks of unannotated text to the format; if it has no such marks, count them as lost."""
    if passage.partial:
        kind = PARTIAL if passage.spans or passage.rejected else UNANNOTATED
        if kind in format_.HOLDS:
            return passage
        done.count_loss(kind, passage)
        return replace(passage, partial=False)
    if passage.unknown and UNKNOWN not in format_.HOLDS:
        done.count_loss(UNKNOWN, passage, len(passage.unknown))
        # Rather mark too much as unannotated than teach unannotated text as no entity.
        return replace(passage, unknown=(), partial=PARTIAL in format_.HOLDS)
    return passage


def _refuse(format_: Format, done: Export) -> None:
    listed = "\n".join(f"  {line}" for line in done.lines)
    wanted = {what for what in done.lost if what not in REPORTED_ONLY}
    unmarked = not wanted.isdisjoint({PARTIAL, UNKNOWN, UNANNOTATED}) and PARTIAL not in format_.HOLDS
    warning = "\nWithout these marks, unannotated text reads as having no entity." if unmarked else ""
    others = [candidate.NAME for candidate in FORMATS.values() if wanted <= candidate.HOLDS]
    instead = f"Export to {' or '.join(others)}, which can, or use" if others else "Use"
    raise DomainNerError(
        f"{format_.TITLE} cannot represent all of this:\n{listed}{warning}",
        f"{instead} --lossy to write the rest. Nothing was written.",
    )


def _require_free(target: Path, to: str) -> None:
    """Raise DomainNerError if writing would replace a folder with other content."""
    if to not in IN_FOLDER:
        if target.is_dir():
            raise DomainNerError(f"{target} is a folder; expected the name of a file to write.")
        return
    if target.is_file():
        raise DomainNerError(f"{target} is a file; expected the name of a folder to write.")
    others = [path for path in target.glob("*") if path.suffix not in IN_FOLDER[to]]
    if others:
        raise DomainNerError(
            f"{target} has other files ({others[0].name}), which would be replaced.", "Give a new folder."
        )
