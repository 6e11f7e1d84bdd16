"""Divides passages into train, dev and test: by shares, as in an earlier run, or by file name."""

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
    """How to divide passages; most fields are those of `SplitRules`.

    shares: of train, dev and test, `0.7,0.1,0.2`, or `files`: by file name.
    assigned: the JSON file that records the split of each group; None: do not read or write one.
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
    """Return the rules and the splits of an earlier run. Raises DomainNerError for bad shares or a damaged file."""
    fractions = {} if settings.by_files else parse_fractions(settings.shares)
    former = _read_assigned(settings.assigned)
    return SplitRules(
        fractions, settings.group_by, settings.seed, former, settings.grow_test, settings.accept_changes, settings.seen
    )


def split_passages(passages: Sequence[Passage], rules: SplitRules) -> Division:
    """Divide passages by the rules' shares; without shares, by file name."""
    return divide(passages, rules) if rules.fractions else divide_by_files(passages)


def group_warnings(read: Annotations, settings: SplitSettings) -> list[str]:
    """Return warnings about passages without the group key, and about files that look divided already.

    Raises DomainNerError when no passage has the key, and the key determines the splits.
    """
    group_by, by_files = settings.group_by, settings.by_files
    try:
        n_without = count_ungrouped(read.merged, group_by) if group_by else 0
    except DomainNerError as error:
        if not by_files:
            raise
        return [f"{error.message} The evaluation treats each passage as its own group."]
    if by_files:
        return []
    without = (
        f"{n_without:,} of {len(read.merged):,} passages have no {group_by!r} (vars.group_by): each is assigned to a"
        " split separately, together only with near-duplicates"
    )
    return [*[without] * bool(n_without), *filter(None, [pooled(read.ledger.n_read)])]


def _read_assigned(path: Path | None) -> SplitAssignment:
    if path is None or not path.is_file():
        return SplitAssignment()
    try:
        read = json.loads(path.read_text(encoding="utf8"))
    except ValueError as error:
        raise DomainNerError(
            f"{path} is not valid JSON: {error}.", "Restore it, or remove it to draw new splits."
        ) from error
    try:
        return SplitAssignment.from_json(read)
    except ValueError as error:
        raise DomainNerError(f"{path} is not a record of splits: {error}.", "Restore it, or remove it.") from error
