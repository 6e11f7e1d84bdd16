"""Rows of JSON as the world wraps them: one a line, an array, an array on each line, or an array within an object."""

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import ijson

from domain_ner.errors import DomainNerError
from domain_ner.readers.decoding import find_encoding, read_lines, read_sample
from domain_ner.readers.jsonl import read_rows
from domain_ner.records import FileLog, Sample


def json_rows(path: Path, log: FileLog, inside: Sequence[str] = ()) -> Iterator[tuple[int, Any]]:
    """Yield (line, or number from 1, and value) of each row, an object or an array; the log counts them.

    As `jsonl.read_rows`, and besides arrays of arrays, an array on each line, and arrays within an object.
    inside: keys of an object around the rows, under which the array stands (`{"data": […]}`).
    Raises DomainNerError where there is no row at all.
    """
    text = read_sample(path)[0]
    if prefix := _prefix(text, inside):
        yield from _streamed_rows(path, log, prefix)
    elif text.lstrip().startswith("["):
        yield from _array_lines(path, log)
    else:
        yield from read_rows(path, log)


def first_rows(sample: Sample, inside: Sequence[str] = ()) -> list[Any]:
    """The rows that a sample shows, the last maybe incomplete; where it shows one, the first good one of the file."""
    rows: list[Any] = []
    for value in first_values(sample.text):
        key = _row_list(value, inside)
        if isinstance(value, list) and not (value and isinstance(value[0], str)):
            rows += value
        else:
            rows += value[key] if key else [value]
    if len(rows) == 1:
        rows = [row for _, row in islice(json_rows(sample.path, FileLog(sample.path.name), inside), 1)] or rows
    return rows


class Utf8Stream:
    """Bytes in UTF-8 of a text stream, for ijson."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        return self._stream.read(size).encode()


def _array_lines(path: Path, log: FileLog) -> Iterator[tuple[int, Any]]:
    for n_line, line in read_lines(path, log):
        if not line.strip():
            continue
        log.n_documents += 1
        try:
            yield n_line, json.loads(line)
        except (json.JSONDecodeError, RecursionError) as err:
            log.problem(n_line, f"invalid JSON ({err}); expected one JSON array")


def _streamed_rows(path: Path, log: FileLog, prefix: str) -> Iterator[tuple[int, Any]]:
    n_good = 0
    with path.open(encoding=find_encoding(path, log), newline="") as stream:
        try:
            for row in ijson.items(Utf8Stream(stream), prefix, use_float=True):
                n_good += 1
                log.n_documents += 1
                yield n_good, row
        except ijson.JSONError as err:
            log.n_documents += 1
            told = str(err).partition("\n")[0].strip()
            good = f"{n_good} good row{'' if n_good == 1 else 's'} before it"
            ends = "EOF" in told or "ncomplete" in told
            message = f"JSON ends early; {good}" if ends else f"invalid JSON ({told}); {good}, what follows is not read"
            log.problem(n_good + 1, message)
    if not n_good and not log.problems:
        raise DomainNerError(f"{path} holds no rows.", "Export again, or remove the file.")


def _prefix(text: str, inside: Sequence[str]) -> str:
    """Where ijson finds the rows of a JSON text, from its beginning; empty: they stand one after the other."""
    first = next(iter(first_values(text)), None)
    if isinstance(first, list):
        on_a_line = first and isinstance(first[0], str) and text.lstrip().partition("\n")[0].rstrip().endswith("]")
        return "" if on_a_line else "item"
    key = _row_list(first, inside)
    return f"{key}.item" if key else ""


def _row_list(value: Any, inside: Sequence[str]) -> str:
    """The key of an object that stands around the rows; empty where the object is a row itself."""
    return next((key for key in inside if any(isinstance(row, dict | list) for row in list_at(value, key))), "")


def first_values(text: str) -> list[Any]:
    """The JSON values at the beginning of a text, the last as far as it goes."""
    builders: list[Any] = []
    depth = 0
    try:
        events = ijson.basic_parse(BytesIO(text.encode("utf-8", "replace")), multiple_values=True, use_float=True)
        for event, value in events:
            if not depth:
                builders.append(ijson.ObjectBuilder())
            builders[-1].event(event, value)
            depth += event.startswith("start_") - event.startswith("end_")
    except ijson.JSONError:
        pass  # the text ends anywhere, or is no JSON; then what there is tells
    return [builder.value for builder in builders]


def list_at(row: Any, key: str) -> list[Any]:
    """The list under a key of a row; empty where there is none."""
    value = row.get(key) if isinstance(row, dict) else None
    return value if isinstance(value, list) else []
