"""The formats that annotations can be written in, what each cannot hold, and the one way to write them."""

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
    SPACED_LABEL,
    TOLD_ONLY,
    UNANNOTATED,
    UNKNOWN,
    WHITE_SPACE,
    WORDLESS,
    WriterOptions,
)
from domain_ner.writers.tokens import overlapping

ODD_WHITE = re.compile(r"^\s|\s$|\s\s|[^\S ]")


class Format(Protocol):
    """A format that can be written: a module of `domain_ner.writers` that has these names.

    NAME: as in `--to`. TITLE: what it is. HOLDS: what it can hold of what not every format can.
    """

    NAME: str
    TITLE: str
    HOLDS: frozenset[str]

    def write(self, passages: Iterable[Passage], target: Path, options: WriterOptions) -> None:
        """Write the passages, one after the other, to a new file (for brat, a new folder)."""


FORMATS: dict[str, Format] = {one.NAME: one for one in (prodigy, label_studio, doccano, conll, brat, hf_json)}
IN_FOLDER = {brat.NAME: {".txt", ".ann", ".conf"}}


@dataclass
class Export:
    """What was written, and what could not be.

    lost: how often a format cannot hold something, by what it is. first: the source of the first case of each.
    """

    n_passages: int = 0
    n_spans: int = 0
    labels: set[str] = field(default_factory=set)
    lost: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def lose(self, what: str, passage: Passage, n: int = 1) -> None:
        """Count what cannot be written of a passage."""
        if n:
            self.lost[what] += n
            self.first.setdefault(what, passage.source)

    @property
    def lines(self) -> list[str]:
        """A line for each kind of what could not be written."""
        return [f"{n} {what}, the first in {self.first[what]}" for what, n in self.lost.most_common()]

    @property
    def is_lossy(self) -> bool:
        """Whether reading the file back would give other annotations."""
        return any(self.lost[what] for what in self.lost if what not in TOLD_ONLY)


def named(name: str) -> Format:
    """The format of that name. Raises DomainNerError where there is none."""
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
    """Write passages to `target`, whole or not at all, one after the other.

    to: the name of a format.
    on_passage: called after each passage, to show progress.
    Raises DomainNerError for an unknown format, a target that would replace something else, when there is no passage,
    and, unless `options.lossy`, for annotations that the format cannot hold.
    """
    format_ = named(to)
    _require_free(target, to)
    done = Export()
    with atomic_path(target) as temporary:
        given = (_as_predicted(passage) for passage in passages) if options.predictions else passages
        format_.write(_fitting(given, format_, done, on_passage), temporary, options)
        if not done.n_passages:
            raise DomainNerError("There is no passage to write.", "Name a corpus or an export that holds some.")
        if done.is_lossy and not options.lossy:
            _refuse(format_, done)
    return done


def fit(passage: Passage, format_: Format, done: Export) -> Passage | None:
    """What a format can hold of a passage; the rest is counted in `done`. None: nothing of it."""
    for kind, lacks_it in ((WORDLESS, not passage.text.strip()), (EMPTY, not passage.text)):
        if lacks_it and kind not in format_.HOLDS:
            done.lose(kind, passage)
            return None
    passage = _without_unusable(passage, format_, done)
    passage = _without_unknown(passage, format_, done)
    if NESTED not in format_.HOLDS:
        left_out = overlapping(passage.spans)
        done.lose(NESTED, passage, len(left_out))
        passage = replace(passage, spans=tuple(span for span in passage.spans if span not in left_out))
    if REJECTED not in format_.HOLDS:
        done.lose(REJECTED, passage, len(passage.rejected))
        passage = replace(passage, rejected=())
    if META not in format_.HOLDS:
        done.lose(META, passage, bool(passage.meta or passage.annotator or passage.document))
    if WHITE_SPACE not in format_.HOLDS:
        done.lose(WHITE_SPACE, passage, ODD_WHITE.search(passage.text) is not None)
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
    """A model looked at all of a text, whatever people know of it."""
    return replace(passage, partial=False, unknown=(), rejected=())


def _without_unusable(passage: Passage, format_: Format, done: Export) -> Passage:
    """Without spans that no format, or not this one, can name."""

    def is_usable(span: LabelledSpan) -> bool:
        if not span.label or not passage.text[span.start : span.end].strip():
            done.lose(BLANK, passage)
            return False
        if SPACED_LABEL not in format_.HOLDS and len(span.label.split()) != 1:
            done.lose(SPACED_LABEL, passage)
            return False
        return True

    spans, rejected = tuple(filter(is_usable, passage.spans)), tuple(filter(is_usable, passage.rejected))
    return replace(passage, spans=spans, rejected=rejected)


def _without_unknown(passage: Passage, format_: Format, done: Export) -> Passage:
    """What nobody annotated: as a format can say it. Where it cannot, it is lost that nobody did."""
    if passage.partial:
        kind = PARTIAL if passage.spans or passage.rejected else UNANNOTATED
        if kind in format_.HOLDS:
            return passage
        done.lose(kind, passage)
        return replace(passage, partial=False)
    if passage.unknown and UNKNOWN not in format_.HOLDS:
        done.lose(UNKNOWN, passage, len(passage.unknown))
        # Better that too much is unknown than that what is unknown is taught as no entity.
        return replace(passage, unknown=(), partial=PARTIAL in format_.HOLDS)
    return passage


def _refuse(format_: Format, done: Export) -> None:
    listed = "\n".join(f"  {line}" for line in done.lines)
    wanted = {what for what in done.lost if what not in TOLD_ONLY}
    unmarked = not wanted.isdisjoint({PARTIAL, UNKNOWN, UNANNOTATED}) and PARTIAL not in format_.HOLDS
    warning = "\nWithout its mark, what nobody annotated reads as having no entity." if unmarked else ""
    others = [one.NAME for one in FORMATS.values() if wanted <= one.HOLDS]
    instead = f"Export to {' or '.join(others)}, which can, or give" if others else "Give"
    raise DomainNerError(
        f"{format_.TITLE} cannot hold all of this:\n{listed}{warning}",
        f"{instead} --lossy to write the rest. Nothing was written.",
    )


def _require_free(target: Path, to: str) -> None:
    """Raise DomainNerError where writing would replace a folder of something else."""
    if to not in IN_FOLDER:
        if target.is_dir():
            raise DomainNerError(f"{target} is a folder; expected the name of a file to write.")
        return
    if target.is_file():
        raise DomainNerError(f"{target} is a file; expected the name of a folder to write.")
    others = [path for path in target.glob("*") if path.suffix not in IN_FOLDER[to]]
    if others:
        raise DomainNerError(
            f"{target} holds other files ({others[0].name}), which would be replaced.", "Name a new folder."
        )
