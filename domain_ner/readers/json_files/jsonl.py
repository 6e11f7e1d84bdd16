"""Rows that are JSON objects, however they were written: one a line, pretty-printed, or in one array."""

from collections.abc import Iterator
from pathlib import Path
from reprlib import repr as short
from typing import Any

from domain_ner.annotations.records import FileLog, Sample
from domain_ner.readers.json_files.json_rows import json_rows, whole_rows

Row = dict[str, Any]


class RowError(ValueError):
    """What is wrong with one row; the caller says where it stands."""


def read_rows(path: Path, log: FileLog) -> Iterator[tuple[int, Row]]:
    """Yield (where it starts, row): its line, or its number in an array, from 1.

    A row that is no JSON object is a problem in the log, and does not cost the others.
    Raises DomainNerError for a file without any row.
    """
    for where, value in json_rows(path, log):
        if isinstance(value, dict):
            yield where, value
        else:
            log.problem(where, f"a JSON {type(value).__name__}; expected an object")


def sample_rows(sample: Sample) -> list[Row]:
    """The objects among the rows that a sample shows; where the first is longer than the sample, that row."""
    return [row for row in whole_rows(sample) if isinstance(row, dict)]


def passage_text(value: Any) -> str:
    """A row's text as it stands, be it blank. Raises RowError where it is none."""
    if not isinstance(value, str):
        raise RowError(f"text is {short(value)}; expected a passage")
    return value
