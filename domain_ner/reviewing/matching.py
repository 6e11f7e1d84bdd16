"""Matches reviewed exports with the passages of a sample, by their texts: tools assign their own ids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.assignments import digest
from domain_ner.errors import DomainNerError, raise_for
from domain_ner.files import sha256
from domain_ner.metrics.scores import Entity
from domain_ner.reviewing.places import place
from domain_ner.reviewing.sample_schema import Sample, Task


@dataclass(frozen=True)
class Compared:
    """A reviewed task: its predicted entities and those of the reviewer, as `place`."""

    task: Task
    predicted: frozenset[Entity]
    gold: frozenset[Entity]


@dataclass(frozen=True)
class Matched:
    """What was reviewed. Only the first tasks without a gap are a random sample.

    compared: the tasks before the first one that is not reviewed. missing: numbers of the tasks not reviewed, from 1.
    incomplete: those of them with yes/no answers or disputed tokens. n_after_gap: reviewed, but after a missing one.
    """

    compared: list[Compared]
    missing: list[int]
    incomplete: list[int]
    n_after_gap: int


def match(sample: Sample, passages: Iterable[Passage]) -> Matched:
    """Find each passage's task.

    passages: merged, one for each text. Raises DomainNerError for passages that are not of the sample, and for two
    different reviews of one task.
    """
    by_digest = {task.digest: task for task in sample.tasks}
    reviewed: dict[str, frozenset[Entity]] = {}
    strange, contradicting, incomplete = [], [], set()
    for passage in passages:
        key = digest(passage.text)
        if key not in by_digest:
            strange.append(f"{passage.source}: not a passage of the sample")
            continue
        if passage.partial or passage.unknown:
            incomplete.add(key)
            continue
        gold = frozenset(place(passage.text, span.start, span.end, span.label) for span in passage.spans)
        if reviewed.setdefault(key, gold) != gold:
            contradicting.append(f"{passage.source}: reviewed elsewhere with other entities")
    raise_for(
        strange,
        summary="{n} reviewed passages are not of this sample:",
        fix="Export the tasks of this sample alone. Tasks whose text was changed cannot be matched.",
    )
    raise_for(contradicting, summary="{n} tasks have contradicting reviews:", fix="Decide each in the annotation tool.")
    return _in_order(sample.tasks, reviewed, incomplete - reviewed.keys())


def require_answered(exports: Sequence[Path], tasks: Iterable[Path]) -> None:
    """Raise DomainNerError if one of the exports is a file of open tasks, as it was written."""
    written = {sha256(path): path for path in tasks}
    files = [
        path
        for export in exports
        for path in (sorted(export.rglob("*")) if export.is_dir() else [export])
        if path.is_file()
    ]
    for path in files:
        same = written.get(sha256(path))
        if same is not None:
            raise DomainNerError(
                f"{path} is {same.name} as it was written, without a review.",
                "Import it into the annotation tool, review the tasks, and give the tool's export.",
            )


def _in_order(tasks: Sequence[Task], reviewed: dict[str, frozenset[Entity]], incomplete: set[str]) -> Matched:
    missing = [number for number, task in enumerate(tasks, start=1) if task.digest not in reviewed]
    n_first = missing[0] - 1 if missing else len(tasks)
    compared = [
        Compared(
            task,
            frozenset((one.place_start, one.place_end, one.label) for one in task.predicted),
            reviewed[task.digest],
        )
        for task in tasks[:n_first]
    ]
    partly = [number for number in missing if tasks[number - 1].digest in incomplete]
    return Matched(compared, missing, partly, len(tasks) - len(missing) - n_first)
