"""Reads rows that are JSON objects in any layout: one per line, pretty-printed, or in one array."""

from collections.abc import Iterator
from pathlib import Path
from reprlib import repr as short
from typing import Any

from domain_ner.annotations.records import FileLog, Sample
from domain_ner.readers.json_files.json_rows import json_rows, whole_rows

Row = dict[str, Any]


class RowError(ValueError):
    """A fault of one row; the caller adds its position."""


def read_rows(path: Path, log: FileLog) -> Iterator[tuple[int, Row]]:
    """Yield (position, row): the line where it starts, or its number in an array, from 1.

    A row that is not a JSON object is a problem in the log, and does not affect the others.
    Raises DomainNerError for a file without rows.
    """
    for where, value in json_rows(path, log):
        if isinstance(value, dict):
            yield where, value
        else:
            log.problem(where, f"a JSON {type(value).__name__}; expected an object")


def sample_rows(sample: Sample) -> list[Row]:
    """Return the objects among the rows of a sample; if the first is longer than the sample, that row."""
    return [row for row in whole_rows(sample) if isinstance(row, dict)]


def passage_text(value: Any) -> str:
    """Return a row's text unchanged, even if blank. Raises RowError if it is not a string."""
    if not isinstance(value, str):
        raise RowError(f"text is {short(value)}; expected a passage")
    return value
