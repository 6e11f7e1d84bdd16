"""Reads what a pipeline predicted in a window of time: the output of `annotate`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.metrics.drift import Array
from domain_ner.monitoring.observations import OBSERVED, Observation, from_row, of_entities

# Documents of a window that are compared; of more, so many are drawn at random.
MAX_DOCUMENTS = 20_000
DOCUMENTS, RUN, ID, ENTITIES = "documents", "run.json", "id", "entities"  # as `annotate` writes them


@dataclass(frozen=True)
class Window:
    """Documents of a window. name: for people. n_documents: all of them.

    observations: of those that are compared. identity: name, version and hash of the pipeline; empty: not known.
    has_numbers: whether there are observations, and not only entities.
    """

    name: str
    n_documents: int
    observations: list[Observation] = field(repr=False)
    identity: dict[str, str] = field(default_factory=dict)
    has_numbers: bool = True


@dataclass(frozen=True)
class Sums:
    """Aggregates of a window, without documents. name: for people.

    totals: (n_columns,) sums over the documents, in the columns of `labels`. known: what was measured.
    """

    name: str
    n_documents: int
    labels: tuple[str, ...]
    totals: Array = field(repr=False)
    known: frozenset[str]
    identity: dict[str, str] = field(default_factory=dict)


def read_window(folder: Path, *, max_documents: int = MAX_DOCUMENTS, seed: int = 0) -> Window:
    """Read an output folder of `annotate`. Without observations, the rows of `documents/` tell of entities alone.

    max_documents: of more, so many are drawn at random. Raises DomainNerError for another folder, or an empty one.
    """
    run = _read_run(folder)
    observed, documents = sorted((folder / OBSERVED).glob("*.jsonl")), sorted((folder / DOCUMENTS).glob("part-*"))
    has_numbers = len(observed) >= len(documents) and bool(observed)
    lines = _lines(observed) if has_numbers else _document_rows(documents)
    n_documents, chosen = sample(lines, max_documents, seed)
    if not n_documents:
        raise DomainNerError(f"{folder} holds no annotated document.", "Give the output folder of annotate.")
    try:
        observations = [_observation(line, has_numbers=has_numbers) for line in chosen]
    except (ValueError, KeyError, TypeError) as err:
        raise DomainNerError(
            f"A row in {folder} cannot be read: {type(err).__name__}: {err}.", "Annotate the documents again."
        ) from err
    return Window(folder.name or str(folder), n_documents, observations, run.get("pipeline") or {}, has_numbers)


def sample(rows: Iterable[Any], n: int, seed: int) -> tuple[int, list[Any]]:
    """Draw at most `n` rows, each with the same probability (Vitter 1985, algorithm R); returns how many there are."""
    rng, chosen, n_rows = Random(seed), list[Any](), 0
    for row in rows:
        n_rows += 1
        if len(chosen) < n:
            chosen.append(row)
        elif (place := rng.randrange(n_rows)) < n:
            chosen[place] = row
    return n_rows, chosen


def _observation(row: Any, *, has_numbers: bool) -> Observation:
    row = json.loads(row) if isinstance(row, bytes) else row
    return from_row(row) if has_numbers else of_entities(str(row[ID]), row[ENTITIES])


def _read_run(folder: Path) -> dict[str, Any]:
    path = folder / RUN
    try:
        run = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as err:
        raise DomainNerError(
            f"{folder} is no output of annotate: cannot read {path.name} ({err}).",
            "Give the folder that annotate wrote to; or files of metrics, whose names end in .prom.",
        ) from err
    return run if isinstance(run, dict) else {}


def _lines(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as stream:
            yield from (line for line in stream if line.strip())


def _document_rows(paths: Iterable[Path]) -> Iterator[Any]:
    for path in paths:
        if path.suffix == ".parquet":
            yield from _parquet_rows(path)
        else:
            yield from _lines([path])


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415 (not everywhere installed)
    except ImportError as err:
        raise DomainNerError("Parquet needs pyarrow.", "pip install pyarrow") from err
    for batch in ParquetFile(path).iter_batches(columns=[ID, ENTITIES]):
        yield from batch.to_pylist()
