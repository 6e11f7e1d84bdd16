"""Makes a version from a candidate, in steps: gate, number, wheels, documents, registry.

Each step writes its result as a whole to a work folder that is named after all inputs. A run that was killed is
continued: steps that are done are not done again, and the registry gets the version as a whole or not at all.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from domain_ner import __version__
from domain_ner.evaluation.predicting import Watched
from domain_ner.evaluation.schema_base import Part
from domain_ner.files import atomic_path, discard, link_folder, sha256, sweep, write_text
from domain_ner.releasing.candidate import Candidate
from domain_ner.releasing.changelog import changelog
from domain_ner.releasing.data import DataChanges, PassageRecord, compare_data, from_lines, learned, summary, to_lines
from domain_ner.releasing.gate import TEST, GoldSet, Outcome, System, compare_on, to_gate
from domain_ner.releasing.records import Gate, ReleaseRecord, content_of
from domain_ner.releasing.registry import RECORD, Registry
from domain_ner.releasing.versions import AUTO, Bump, Differences, next_version

CHANGES, CARD, DATA, SCHEMA = "CHANGES.md", "MODEL_CARD.md", "data.jsonl", "release.schema.json"
GATE, NUMBER, WHEELS, DOCUMENTS, REGISTERED = STEPS = ("gate", "number", "wheels", "documents", "registry")


class Build(Protocol):
    """Builds the wheels of a version."""

    def __call__(self, wheels: Path, version: str, epoch: int) -> str:
        """Build them into a new folder. epoch: time of the files in them. Returns the model card, or nothing."""


@dataclass(frozen=True)
class Rules:
    """How to release. wanted: vars.version. bump: as `next_version` takes it. margin: accepted loss of F1, 0..1.

    reviewed: passages to compare on beside the test set. forced: why to release although the gate fails; empty: do not.
    seed: of the comparison. epoch: the time of the release, in seconds since 1970.
    """

    wanted: str
    epoch: int
    bump: str = AUTO
    margin: float = 0.0
    reviewed: GoldSet | None = None
    forced: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Release:
    """What became of a release. record: None if the gate failed. is_new: false if it was released before.

    outcomes: the comparisons with the version in use, with their texts. gate: without them.
    """

    record: ReleaseRecord | None
    is_new: bool
    gate: Gate
    outcomes: list[Outcome]


class _Outcomes(Part):
    outcomes: list[Outcome]


class _Number(Part):
    version: str
    reason: str
    epoch: int


def to_time(epoch: int) -> str:
    """Format seconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def release(  # noqa: PLR0913
    candidate: Candidate,
    registry: Registry,
    rules: Rules,
    build: Build,
    work: Path,
    *,
    watched: Watched,
    on_step: Callable[[str, bool], None] = lambda step, is_done: None,
) -> Release:
    """Add a candidate to the registry as a new version, unless the gate fails or it was released before.

    work: folder for the steps' results, removed at the end. on_step: called after each of `STEPS`, with whether an
    earlier run had done it. Raises DomainNerError if something is missing, damaged, or changed by others meanwhile.
    """
    registry.tidy()
    sweep(work.parent, only=work.name)
    versions = registry.versions()
    for record in versions:
        if record.inputs == dict(candidate.inputs):
            discard(work)
            return Release(record, is_new=False, gate=record.gate, outcomes=[])
    parent = registry.in_use() or (versions[-1] if versions else None)
    steps = _Steps(candidate, registry, rules, build, parent, [one.version for one in versions], watched)
    folder = work / steps.key
    _forget_others(work, steps.key)
    is_done = (folder / "gate.json").is_file()
    outcomes = steps.gate(folder)
    on_step(GATE, is_done)
    gate = steps.judge(outcomes)
    if not gate.is_passed and not gate.forced:
        return Release(None, is_new=False, gate=gate, outcomes=outcomes)
    for step, name, make in (
        (NUMBER, "number.json", steps.number),
        (WHEELS, "wheels", steps.wheels),
        (DOCUMENTS, "version", lambda target: steps.documents(target, gate)),
    ):
        is_done = (folder / name).exists()
        if not is_done:
            make(folder / name)
        on_step(step, is_done)
    record = registry.add(folder / "version")
    on_step(REGISTERED, False)
    discard(work)
    return Release(record, is_new=True, gate=gate, outcomes=outcomes)


def _forget_others(work: Path, key: str) -> None:
    """Remove the results of runs with other inputs."""
    for path in work.iterdir() if work.is_dir() else ():
        if path.name != key:
            discard(path)


@dataclass(frozen=True)
class _Steps:
    """The steps of one release. Each reads the results of those before it from files."""

    candidate: Candidate
    registry: Registry
    rules: Rules
    build: Build
    parent: ReleaseRecord | None
    released: list[str]
    watched: Watched

    @property
    def key(self) -> str:
        """The name of the work folder: a hash of all that the results depend on, but for the time."""
        rules, parent = self.rules, self.parent
        reviewed = [*_files(rules.reviewed.path), repr(rules.reviewed.rules)] if rules.reviewed else []
        given = [
            sorted(self.candidate.inputs.items()), self.released, parent.content if parent else "",
            rules.wanted, rules.bump, rules.margin, rules.forced, rules.seed, reviewed,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(given).encode()).hexdigest()[:12]

    @property
    def is_same(self) -> bool:
        """Whether candidate and parent are the same pipeline."""
        return self.parent is not None and self.parent.fingerprint == self.candidate.fingerprint

    def gate(self, folder: Path) -> list[Outcome]:
        """Compare with the version in use, unless there is none or it is the same pipeline."""
        path = folder / "gate.json"
        if path.is_file():
            return _Outcomes.model_validate_json(path.read_bytes()).outcomes
        outcomes = []
        if self.parent is not None and not self.is_same:
            (wheel,) = self.registry.fetch(self.parent, folder / "baseline", [self.parent.pipeline_wheel])
            sets = [GoldSet(TEST, self.candidate.corpus / "test.spacy")]
            sets += [self.rules.reviewed] if self.rules.reviewed else []
            outcomes = compare_on(
                sets,
                System(f"{self.parent.package} {self.parent.version}", wheel),
                System(str(self.candidate.model), self.candidate.model),
                learned(self.candidate.data) | learned(self.parent_data()),
                margin=self.rules.margin,
                seed=self.rules.seed,
                watched=self.watched,
            )
        write_text(path, _Outcomes(outcomes=outcomes).model_dump_json(indent=1) + "\n")
        return outcomes

    def judge(self, outcomes: list[Outcome]) -> Gate:
        """Summarise the comparisons."""
        baseline = self.parent.version if self.parent else ""
        return to_gate(
            outcomes, baseline=baseline, is_same=self.is_same, margin=self.rules.margin, forced=self.rules.forced
        )

    def number(self, target: Path) -> None:
        """Choose version and date."""
        bump = self._bump()
        number = _Number(version=bump.version, reason=bump.reason, epoch=self.rules.epoch)
        write_text(target, number.model_dump_json() + "\n")

    def _bump(self) -> Bump:
        before = set(self.parent.labels) if self.parent else set()
        now = set(self.candidate.labels)
        differences = Differences(gone=before - now, new=now - before, is_data_changed=bool(self.changes()))
        return next_version(self.released, self.rules.wanted, differences, self.rules.bump)

    def wheels(self, target: Path) -> None:
        """Build the wheels, with the model card beside them."""
        number = _read_number(target.parent)
        with atomic_path(target) as temporary:
            card = self.build(temporary, number.version, number.epoch)
            if card:
                (temporary / CARD).write_text(card, encoding="utf8", newline="\n")

    def documents(self, target: Path, gate: Gate) -> None:
        """Put the version's folder together: wheels, model card, data record, change log, and release.json."""
        number, candidate = _read_number(target.parent), self.candidate
        with atomic_path(target) as temporary:
            link_folder(target.parent / "wheels", temporary)
            (temporary / DATA).write_text(to_lines(candidate.data), encoding="utf8", newline="\n")
            schema = json.dumps(ReleaseRecord.model_json_schema(), indent=1)
            (temporary / SCHEMA).write_text(schema + "\n", encoding="utf8", newline="\n")
            record = self._record(number, gate)
            changes = changelog(record, self.parent, self.changes())
            (temporary / CHANGES).write_text(changes, encoding="utf8", newline="\n")
            files = {name: sha256(temporary / name) for name in _names(temporary)}
            record = record.model_copy(update={"files": files, "content": content_of(files)})
            text = record.model_dump_json(indent=1) + "\n"
            (temporary / RECORD).write_text(text, encoding="utf8", newline="\n")

    def _record(self, number: _Number, gate: Gate) -> ReleaseRecord:
        candidate = self.candidate
        return ReleaseRecord(
            package=candidate.package,
            version=number.version,
            parent=self.parent.version if self.parent else "",
            date=to_time(number.epoch),
            domain_ner=__version__,
            fingerprint=candidate.fingerprint,
            content="",
            inputs=dict(candidate.inputs),
            bump=number.reason,
            labels=candidate.labels,
            micro=candidate.micro,
            scores=dict(candidate.scores or {}),
            encoder=candidate.encoder,
            data=summary(candidate.data, candidate.corpus),
            settings=candidate.settings,
            gate=gate,
            files={},
        )

    def parent_data(self) -> list[PassageRecord]:
        """Read the data record of the version in use; empty if there is none."""
        return from_lines(self.registry.read(self.parent, DATA).decode("utf8")) if self.parent else []

    def changes(self) -> DataChanges:
        """What changed in the data since the version in use."""
        return compare_data(self.parent_data(), self.candidate.data)


def _read_number(folder: Path) -> _Number:
    return _Number.model_validate_json((folder / "number.json").read_bytes())


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def _files(path: Path) -> Iterator[str]:
    """Name and SHA-256 of a file, or of all files in a folder."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            yield f"{file.relative_to(path).as_posix()} {sha256(file)}"
