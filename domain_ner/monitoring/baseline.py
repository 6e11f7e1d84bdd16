"""What production is compared with: the numbers of the test documents, and a sketch of the training vocabulary.

`package` writes it into the pipeline's folder, as `baseline.json`. It holds no text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from domain_ner.errors import DomainNerError
from domain_ner.evaluation.comparison import unpack
from domain_ner.evaluation.schema_base import Part
from domain_ner.files import scratch_folder, sha256_of_folder
from domain_ner.monitoring.observations import Observation, from_row
from domain_ner.monitoring.vocabulary import Sketch, Vocabulary

BASELINE_FILE = "baseline.json"
VERSION = 1
MAKE = "Make one with package, or give --baseline FILE."


class Identity(Part):
    """A pipeline. sha256: of the folder that it was measured in; that of an installed package differs."""

    name: str
    version: str
    sha256: str


class TypeRates(Part):
    """A type on the baseline's documents. per_1000_tokens: reported entities. f1: of them, 0..1.

    histogram: the confidences of reported entities in ten bins.
    """

    n_entities: int
    n_gold: int
    per_1000_tokens: float
    mean_confidence: float | None
    histogram: list[int]
    f1: float


class Summary(Part):
    """The baseline in figures, for people. Shares in 0..1; None where a pipeline does not tell.

    lengths: documents by number of tokens, in bins with the upper edges `length_edges` and one above.
    mean_vector: of the encoder's token vectors, projected at random to 16 numbers.
    """

    n_documents: int
    n_tokens: int
    n_empty: int
    f1: float
    by_type: dict[str, TypeRates]
    length_edges: list[int]
    lengths: list[int]
    unseen_words: float | None
    wordpieces_per_word: float | None
    unknown_wordpieces: float | None
    mean_vector: list[float]


class Baseline(Part):
    """A baseline. corpus: name of its file. n_left_out: documents beyond the number that is kept.

    documents: a row for each, see `observations.to_row`.
    """

    version: int = VERSION
    pipeline: Identity
    lang: str
    corpus: str
    n_left_out: int
    labels: list[str]
    summary: Summary
    vocabulary: Sketch | None
    documents: list[dict[str, Any]] = Field(min_length=1)

    @cached_property
    def observations(self) -> list[Observation]:
        """The numbers of its documents."""
        return [from_row(row) for row in self.documents]


@dataclass(frozen=True)
class Known:
    """A baseline, and the hashes of the pipeline that it belongs to. source: where it was found."""

    baseline: Baseline
    sha256: Sequence[str]
    source: str


def parse_baseline(text: str, source: str) -> Baseline:
    """Read a baseline. Raises DomainNerError for something else, or a damaged one."""
    try:
        baseline = Baseline.model_validate_json(text)
        if baseline.version != VERSION:
            raise ValueError(f"version {baseline.version}; expected {VERSION}")
        if baseline.vocabulary is not None:
            Vocabulary.from_sketch(baseline.vocabulary)
        baseline.observations  # noqa: B018 (read now, to fail here)
    except (ValidationError, ValueError, KeyError, TypeError) as err:
        told = "not the JSON of one" if isinstance(err, ValidationError) else str(err)
        raise DomainNerError(
            f"{source} is no baseline of this version: {told}.",
            "Give the baseline.json that package wrote, or run package again.",
        ) from err
    return baseline


def to_text(baseline: Baseline) -> str:
    """The content of its file."""
    return baseline.model_dump_json() + "\n"


def read_baseline(path: Path) -> Baseline:
    """Read a baseline from its file. Raises DomainNerError when it cannot be read."""
    try:
        text = path.read_text(encoding="utf8")
    except (OSError, UnicodeDecodeError) as err:
        raise DomainNerError(f"Cannot read the baseline {path}: {err}.", MAKE) from err
    return parse_baseline(text, str(path))


def baseline_in(folder: Path) -> Baseline | None:
    """The baseline in a pipeline's folder; None if it has none."""
    path = folder / BASELINE_FILE
    return read_baseline(path) if path.is_file() else None


def is_baseline_of(path: Path, identity: Mapping[str, str]) -> bool:
    """Whether a file holds the baseline of a pipeline; false if there is no file. identity: with the `sha256`.

    Raises DomainNerError when the file cannot be read.
    """
    return path.is_file() and read_baseline(path).pipeline.sha256 == identity["sha256"]


def find_baseline(pipeline: str, given: Path | None) -> Known:
    """Find the baseline of a pipeline: an installed package, a folder, or a wheel. given: its file, if it is elsewhere.

    Loads no pipeline. Raises DomainNerError when there is no such pipeline, or no baseline of it.
    """
    path = Path(pipeline)
    if path.suffix == ".whl":
        with scratch_folder() as room:
            return _of_folder(unpack(path, room), pipeline, given)
    folder = path if path.is_dir() else _installed(pipeline)
    if folder is None:
        raise DomainNerError(
            f"There is no pipeline {pipeline!r}: it is not a folder, a wheel or an installed package.",
            "Name a folder, a .whl of training/packages, or a package (en_domain_ner).",
        )
    return _of_folder(folder, pipeline, given)


def _of_folder(folder: Path, pipeline: str, given: Path | None) -> Known:
    own, inside = sha256_of_folder(folder), baseline_in(folder)
    baseline = read_baseline(given) if given is not None else inside
    if baseline is None:
        raise DomainNerError(f"{pipeline} holds no {BASELINE_FILE}.", MAKE)
    measured = {own} if inside is None else {own, inside.pipeline.sha256}
    if baseline.pipeline.sha256 not in measured:
        raise DomainNerError(
            f"{given} is of another pipeline than {pipeline}: {_short(baseline.pipeline.sha256)}, not {_short(own)}.",
            "Run package again, or give the pipeline that it was made for.",
        )
    return Known(baseline, (own, baseline.pipeline.sha256), str(given or pipeline))


def require_same_pipeline(known: Known, identity: Mapping[str, str], window: str) -> None:
    """Raise DomainNerError if a window was predicted by another pipeline. identity: of its pipeline."""
    sha256, own = identity.get("sha256", ""), known.baseline.pipeline
    if sha256 and sha256 not in known.sha256:
        theirs = f"{identity.get('name')} {identity.get('version')} ({_short(sha256)})"
        raise DomainNerError(
            f"{window} was predicted by {theirs}; the baseline is of {own.name} {own.version} ({_short(own.sha256)}).",
            "Give the pipeline that predicted it. Two pipelines are compared with the command compare.",
        )


def _installed(name: str) -> Path | None:
    """The folder of an installed pipeline, without importing it."""
    module = name.replace("-", "_")
    try:
        version, spec = distribution(name).version, find_spec(module)
    except (PackageNotFoundError, ValueError, ImportError):
        return None
    if spec is None or not spec.origin:
        return None
    folder = Path(spec.origin).parent / f"{module}-{version}"
    return folder if folder.is_dir() else None


def _short(sha256: str) -> str:
    return sha256[:12]
