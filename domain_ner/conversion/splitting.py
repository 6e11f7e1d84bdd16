"""The step that divides passages into train, dev and test: by shares, as an earlier run did, or as files are named."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain_ner.annotations.passages import Passage
from domain_ner.conversion.exports import Annotations
from domain_ner.corpus.assignments import SplitAssignment
from domain_ner.corpus.file_splits import FILES, divide_by_files, pooled
from domain_ner.corpus.grouping import count_ungrouped
from domain_ner.corpus.splits import Division, SplitRules, divide, parse_fractions
from domain_ner.errors import DomainNerError


@dataclass(frozen=True)
class SplitSettings:
    """How passages are divided; most fields as `SplitRules` has them.

    shares: of train, dev and test, `0.7,0.1,0.2`, or `files`: as the files are named.
    assigned: the file that keeps which group is in which split (JSON); None: none is read or written.
    """

    shares: str = "0.7,0.1,0.2"
    group_by: str = ""
    seed: int = 0
    assigned: Path | None = None
    grow_test: bool = False
    accept_changes: bool = False
    seen: Callable[[], Mapping[str, str]] = dict

    @property
    def by_files(self) -> bool:
        """Whether the exports are divided already."""
        return self.shares == FILES


def read_split_rules(settings: SplitSettings) -> SplitRules:
    """The rules with what an earlier run assigned. Raises DomainNerError for bad shares, and for a damaged file."""
    fractions = {} if settings.by_files else parse_fractions(settings.shares)
    former = _read_assigned(settings.assigned)
    return SplitRules(
        fractions, settings.group_by, settings.seed, former, settings.grow_test, settings.accept_changes, settings.seen
    )


def split_passages(passages: Sequence[Passage], rules: SplitRules) -> Division:
    """Divide passages: by the rules' shares; without any, as their files are named."""
    return divide(passages, rules) if rules.fractions else divide_by_files(passages)


def group_warnings(read: Annotations, settings: SplitSettings) -> list[str]:
    """Warnings that passages lack the key that keeps them together, and that files look divided already.

    Raises DomainNerError when no passage has the key, and the key decides what is in which split.
    """
    group_by, by_files = settings.group_by, settings.by_files
    try:
        n_without = count_ungrouped(read.merged, group_by) if group_by else 0
    except DomainNerError as error:
        if not by_files:
            raise
        return [f"{error.message} The evaluation takes each passage for itself."]
    if by_files:
        return []
    without = (
        f"{n_without:,} of {len(read.merged):,} passages have no {group_by!r} (vars.group_by): each of them goes to a"
        " split by itself, together with nearly the same text alone"
    )
    return [*[without] * bool(n_without), *filter(None, [pooled(read.ledger.n_read)])]


def _read_assigned(path: Path | None) -> SplitAssignment:
    if path is None or not path.is_file():
        return SplitAssignment()
    try:
        read = json.loads(path.read_text(encoding="utf8"))
    except ValueError as error:
        raise DomainNerError(
            f"{path} is not valid JSON: {error}.", "Restore it, or remove it to split anew."
        ) from error
    try:
        return SplitAssignment.from_json(read)
    except ValueError as error:
        raise DomainNerError(f"{path} holds something else: {error}.", "Restore it, or remove it.") from error
