"""What describes the work and its result: settings, shards, and what became of a shard. All of it travels as JSON."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

JSON_LINES, PARQUET_OUTPUT = "jsonl", "parquet"
FORMATS = (JSON_LINES, PARQUET_OUTPUT)
# Columns of the output's own. One of the input with such a name passes through as `input_NAME`.
ID, ENTITIES, BELOW, EXTRA, PIPELINE = "id", "entities", "below_threshold", "extra", "pipeline"
OWN_COLUMNS = (ID, ENTITIES, BELOW, EXTRA, PIPELINE)


@dataclass(frozen=True)
class Settings:
    """What the output depends on, beside the pipeline.

    text_column, id_column: of the input. with_below: also write spans below their threshold.
    with_text: also write the documents' texts and those of entities. output_format: one of `FORMATS`.
    observe: also write numbers of each document, for `monitor`. baseline: a file whose vocabulary tells which words are
    new, if the pipeline's folder has none; empty: none.
    """

    text_column: str = "text"
    id_column: str = "id"
    with_below: bool = False
    with_text: bool = False
    output_format: str = JSON_LINES
    observe: bool = True
    baseline: str = ""


@dataclass(frozen=True)
class Shard:
    """Some documents of a source, or several text files of one document each.

    number: its place in the input, from 0. kind: as of its source. urls, stamps: of its files. start: the first byte,
    or the first row of a Parquet file. first_row: number of its first line, record or row in the file, from 1.
    """

    number: int
    kind: str
    urls: tuple[str, ...]
    stamps: tuple[str, ...]
    start: int
    first_row: int
    n_documents: int

    @property
    def name(self) -> str:
        """The name of its output, without suffix."""
        return f"part-{self.number:06d}"


@dataclass(frozen=True)
class Job:
    """A shard to annotate.

    pipeline: name or folder. identity: what the output says of it: name, version, hash. output: the folder to write to.
    schema: of what passes through, for Parquet (`columns.find_schema`).
    """

    shard: Shard
    settings: Settings
    pipeline: str
    identity: str
    output: str
    schema: str = ""


@dataclass(frozen=True)
class ShardResult:
    """What became of a shard. input_sha256: of its documents. output_sha256: of the file that was written."""

    number: int
    n_documents: int
    n_errors: int
    n_entities: int
    input_sha256: str
    output_sha256: str


def shard_from_json(row: dict[str, Any]) -> Shard:
    """The inverse of `asdict`."""
    return Shard(**{**row, "urls": tuple(row["urls"]), "stamps": tuple(row["stamps"])})


def label_of(identity: dict[str, Any]) -> str:
    """What answers and rows say of a pipeline: name, version, and the beginning of its hash."""
    return f"{identity['name']} {identity['version']} {identity['sha256'][:12]}"


def short_hash(value: object) -> str:
    """Twelve hexadecimal digits that stand for a JSON value."""
    packed = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(packed.encode("utf8", "surrogatepass")).hexdigest()[:12]
