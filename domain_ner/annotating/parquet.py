"""Reads and writes Parquet files, with the columns' own types. Needs pyarrow."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from domain_ner.annotating.jobs import BELOW, ENTITIES, EXTRA, ID, PIPELINE, Settings
from domain_ner.annotating.sources import open_source
from domain_ner.errors import DomainNerError

# Rows in one group of the output.
ROWS = 1000


def arrow() -> Any:
    """pyarrow, with its Parquet module. Raises DomainNerError where it is missing."""
    try:
        import pyarrow  # noqa: PLC0415 (not everywhere installed)
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as err:
        raise DomainNerError("Parquet needs pyarrow.", "pip install pyarrow") from err
    return pyarrow


def count_rows(url: str) -> int:
    """The number of rows of a file. Raises DomainNerError when it is not a Parquet file."""
    with open_source(url) as stream:
        return int(_file(stream, url).metadata.num_rows)


def read_rows(url: str, start: int, n_rows: int) -> Iterator[dict[str, Any]]:
    """Yield rows as dicts. start: number of the first row, from 0."""
    with open_source(url) as stream:
        file = _file(stream, url)
        skipped = 0
        for group in range(file.metadata.num_row_groups):
            n_in_group = file.metadata.row_group(group).num_rows
            if skipped + n_in_group <= start:
                skipped += n_in_group
                continue
            if skipped >= start + n_rows:
                return
            for batch in file.iter_batches(batch_size=ROWS, row_groups=[group]):
                begin, end = max(0, start - skipped), min(len(batch), start + n_rows - skipped)
                if begin < end:
                    yield from batch.slice(begin, end - begin).to_pylist()
                skipped += len(batch)


def read_schema(url: str) -> Any:
    """The Arrow schema of a file."""
    with open_source(url) as stream:
        return _file(stream, url).schema_arrow


def write_rows(path: Path, rows: Iterator[Mapping[str, Any]], schema: Any) -> None:
    """Write rows in groups. Raises pyarrow.ArrowInvalid or ArrowTypeError for a value that its column cannot hold."""
    pyarrow = arrow()
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        group: list[Mapping[str, Any]] = []
        for row in rows:
            group.append(row)
            if len(group) == ROWS:
                writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
                group = []
        if group:
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))


def output_schema(columns: Any, settings: Settings) -> Any:
    """The schema of the output. columns: the schema of what passes through."""
    pyarrow = arrow()
    text = [("text", pyarrow.string())] if settings.with_text else []
    span = [("start", pyarrow.int32()), ("end", pyarrow.int32()), ("label", pyarrow.string())]
    spans = pyarrow.list_(pyarrow.struct([*span, ("confidence", pyarrow.float64()), *text]))
    below = [(BELOW, spans)] if settings.with_below else []
    own = [(ENTITIES, spans), *below, (EXTRA, pyarrow.string()), (PIPELINE, pyarrow.string())]
    return pyarrow.schema([(ID, pyarrow.string()), *columns, *own])


def _file(stream: Any, url: str) -> Any:
    pyarrow = arrow()
    try:
        return pyarrow.parquet.ParquetFile(stream)
    except (pyarrow.ArrowInvalid, OSError) as err:
        raise DomainNerError(f"{url}: not a Parquet file: {str(err).splitlines()[0]}") from err
