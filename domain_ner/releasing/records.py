"""Defines what the registry writes: `release.json` of a version, and `current.json`. Neither holds any text."""

import hashlib
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from domain_ner.evaluation.comparison import Compared
from domain_ner.evaluation.schema import TypeScore
from domain_ner.evaluation.schema_base import Part, Share
from domain_ner.releasing.versions import VERSION

RELEASED, PROMOTED, ROLLED_BACK = "released", "promoted", "rolled back"
# The wheel of this package, beside that of the pipeline.
OWN_WHEEL = "domain_ner-"
Version = Annotated[str, StringConstraints(pattern=f"^{VERSION}$")]


class Judged(Part):
    """A comparison with the pipeline in use on one test set, without its texts.

    test_set: `test` or `reviewed`. n_passages: that were compared. n_learned: passages that were left out, because one
    of the two pipelines was trained on them. overall, by_type: F1 before and now, as in comparison.json; null and empty
    if no passage is left. changes: kind of change to its number of entities. verdict: in words.
    """

    test_set: str
    n_passages: int
    n_learned: int
    overall: Compared | None
    by_type: dict[str, Compared]
    changes: dict[str, int]
    is_passed: bool
    verdict: str


class Gate(Part):
    """Whether the version may replace the pipeline in use. baseline: its version; empty: there was none.

    is_same: both pipelines have the same weights and settings, so that nothing was compared. margin: accepted loss of
    F1. forced: why it was released although the gate failed; else empty.
    """

    baseline: str
    is_same: bool
    margin: Share
    results: list[Judged]
    is_passed: bool
    forced: str = ""


class DataSummary(Part):
    """The corpora. passages: by split. annotations: by type, then by split. sha256: by split, of the corpus file."""

    passages: dict[str, int]
    annotations: dict[str, dict[str, int]]
    sha256: dict[str, str]


class ReleaseRecord(Part):
    """A version of the pipeline, `release.json`.

    package: name of the package. parent: the version in use before; empty: none. date: ISO 8601, UTC. domain_ner: its
    version. fingerprint: SHA-256 of all that determines predictions. inputs: name to SHA-256 of what the version was
    made from: a second release of the same inputs makes no new version. bump: why the version has its number.
    labels: the types that it predicts. micro, scores: of `evaluate`, over all and by type; null and empty if not given.
    encoder: name and revision. settings: of the pipeline. gate: the comparison with the version in use.
    files: path in the version's folder to SHA-256, without this file. content: SHA-256 over these.
    """

    format: int = 1
    package: str
    version: Version
    parent: str
    date: str
    domain_ner: str
    fingerprint: str
    content: str
    inputs: dict[str, str]
    bump: str
    labels: list[str]
    micro: TypeScore | None
    scores: dict[str, TypeScore]
    encoder: str
    data: DataSummary
    settings: dict[str, str]
    gate: Gate
    files: dict[str, str]

    @property
    def wheels(self) -> list[str]:
        """The names of the wheels, in the order to install them."""
        return sorted(name for name in self.files if name.endswith(".whl"))

    @property
    def pipeline_wheel(self) -> str:
        """The name of the wheel with the pipeline."""
        return next(name for name in self.wheels if not name.startswith(OWN_WHEEL))


class Promotion(Part):
    """A change of the version in use. action: promoted or rolled back. content: of the version, as in release.json."""

    action: str
    version: Version
    content: str
    at: str


class Current(Part):
    """Which version is in use, `current.json`, and all changes of it, the last one first made last.

    previous: the version that `rollback` returns to; empty: none. package, wheels: of the version in use; wheels: path
    in the registry to SHA-256.
    """

    format: int = 1
    package: str
    version: Version
    content: str
    previous: str
    wheels: dict[str, str]
    promotions: list[Promotion] = Field(min_length=1)

    @model_validator(mode="after")
    def _agrees(self) -> "Current":
        stack = self.stack
        if not stack or stack[-1].version != self.version:
            raise ValueError(f"the promotions do not end with {self.version}")
        return self

    @property
    def stack(self) -> list[Promotion]:
        """The promotions that were not rolled back, the last one in use."""
        stack: list[Promotion] = []
        for one in self.promotions:
            if one.action == PROMOTED:
                stack.append(one)
            elif stack:
                stack.pop()
        return stack


class Event(Part):
    """A row of the history. action: released, promoted or rolled back. is_current: whether it put the
    version into use that is in use.
    """

    at: str
    action: str
    version: Version
    content: str
    f1: Share | None
    is_current: bool


def content_of(files: Mapping[str, str]) -> str:
    """Compute the content hash of a version. files: path to SHA-256."""
    listing = "".join(f"{name} {files[name]}\n" for name in sorted(files))
    return hashlib.sha256(listing.encode()).hexdigest()
