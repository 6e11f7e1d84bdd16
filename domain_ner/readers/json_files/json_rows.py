"""Reads rows of JSON in all common layouts: one per line, an array, an array on each line, an array in an object."""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

from domain_ner.annotations.records import FileLog, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers.json_files.guarded_json import JsonError, Loaded, beginning, load
from domain_ner.readers.json_files.json_stream import JsonStream, stream_rows
from domain_ner.readers.text_files.decoding import find_encoding, read_lines, read_sample

LINE_END = re.compile(r"\r\n|\n|\r")
# A first row longer than a sample is read whole only if it begins like a row.
BEGINS_LIKE_A_ROW = re.compile(r'\s*+\[?+\s*+\{\s*+"(id|doc_id|text|data)"')


def json_rows(
    path: Path, log: FileLog, inside: Collection[str] = (), *, pairs: bool = False
) -> Iterator[tuple[int, Any]]:
    """Yield (line, or number in an array from 1, value) of each row; the log counts them.

    An invalid row, or one with a duplicate key, is a problem in the log, and does not affect the others. If an array is
    broken, or the file ends inside a row, the log says that the rest is not read.
    inside: keys of an enclosing object that hold arrays of rows (`{"data": […]}`).
    pairs: rows may be arrays themselves, each beginning with its text.
    Raises DomainNerError if there is no row at all.
    """
    n_before = log.n_documents
    text = read_sample(path)[0]
    around = inside if _row_list(next(iter(first_values(text)), None), inside) else ()
    in_turn = pairs and _is_pair(text)
    is_array = bool(around) or (text.lstrip().startswith("[") and not in_turn)
    if not around and _is_lines(text, pairs=in_turn):
        rows = _rows_of_lines(path, log)
    else:
        rows = _streamed_rows(path, log, around, is_array=is_array)
    for where, loaded in rows:
        log.n_documents += 1
        for note in loaded.notes:
            log.note(note, case=f"{'row' if is_array else 'line'} {where}")
        if loaded.fault:
            log.problem(where, loaded.fault)
        else:
            yield where, loaded.value
    if log.n_documents == n_before:
        what = "has no rows" if text.strip() else "is empty"
        raise DomainNerError(f"{path} {what}; expected JSON objects.", "Export it again, or remove the file.")


def first_rows(sample: Sample, inside: Collection[str] = ()) -> list[Any]:
    """Return the rows in a sample, the last one possibly incomplete; of a single one, the file's first good row."""
    rows: list[Any] = []
    for value in first_values(sample.text):
        key = _row_list(value, inside)
        if isinstance(value, list) and not (value and isinstance(value[0], str)):
            rows += value
        else:
            rows += value[key] if key else [value]
    if len(rows) == 1:
        rows = _first_row(sample, inside, pairs=True) or rows
    return rows


def whole_rows(sample: Sample) -> list[Any]:
    """Return the complete rows in a sample; if the first is longer than the sample, that row."""
    text = sample.text
    values = _values_of_lines(text) if _is_lines(text) else _values_of_stream(text)
    rows = [loaded.value for loaded in values if loaded.value is not None]
    if not rows and not sample.whole and BEGINS_LIKE_A_ROW.match(text):
        rows = _first_row(sample)
    return rows


@lru_cache(maxsize=4)  # every reader asks for the same beginning of a file
def first_values(text: str) -> Sequence[Any]:
    """Return the JSON values at the beginning of a text, the last one possibly incomplete."""
    values = list(_values_of_stream(text, in_turn=True))
    is_whole = values and (values[0].value is not None or not values[0].fault)
    return [loaded.value for loaded in values] if is_whole else list(beginning(text))


def list_at(row: Any, key: str) -> list[Any]:
    """Return the list under a key of a row; empty if there is none."""
    value = row.get(key) if isinstance(row, dict) else None
    return value if isinstance(value, list) else []


def _first_row(sample: Sample, inside: Collection[str] = (), *, pairs: bool = False) -> list[Any]:
    rows = json_rows(sample.path, FileLog(sample.path.name), inside, pairs=pairs)
    return [row for _, row in islice(rows, 1)]


def _row_list(value: Any, inside: Collection[str]) -> str:
    """Return the key of an enclosing object that holds the rows; empty if the object is a row itself."""
    return next((key for key in inside if any(isinstance(row, dict | list) for row in list_at(value, key))), "")


def _is_lines(text: str, *, pairs: bool = False) -> bool:
    """Whether a file that begins with `text` has one value per line; the first may be broken."""
    start = text.lstrip()
    if start.startswith("["):
        return pairs and start.partition("\n")[0].rstrip().endswith("]")
    if not start.startswith("{"):
        return True
    first, *others = [line for line in LINE_END.split(text) if line.strip()]
    if not others or any(line.startswith("{") and line.strip() != "{" for line in others):
        return True
    return isinstance(_load_or_none(first).value, dict)


def _is_pair(text: str) -> bool:
    """Whether the first array of a text is a row itself: a passage and its annotation."""
    first = next(iter(first_values(text)), None)
    return isinstance(first, list) and bool(first) and isinstance(first[0], str)


def _load_or_none(text: str) -> Loaded:
    try:
        return load(text)
    except JsonError:
        return Loaded(None)


def _values_of_lines(text: str) -> Iterator[Loaded]:
    return (_load_or_none(line) for line in LINE_END.split(text) if line.strip())


def _values_of_stream(text: str, *, in_turn: bool = False) -> Iterator[Loaded]:
    """Yield the values of an array's beginning, or of consecutive values, as far as they are complete."""
    try:
        yield from stream_rows(JsonStream(StringIO(text)), in_turn=in_turn)
    except JsonError:
        return  # the text is truncated, or not JSON


def _rows_of_lines(path: Path, log: FileLog) -> Iterator[tuple[int, Loaded]]:
    n_good = 0
    broken: tuple[int, JsonError] | None = None
    for n_line, line in read_lines(path, log):
        if not line.strip():
            continue
        if broken:
            yield broken[0], Loaded(None, _invalid(broken[1]))
        broken = None
        try:
            loaded = load(line)
        except JsonError as err:
            broken = n_line, err
        else:
            n_good += not loaded.fault
            yield n_line, loaded
    if broken and broken[1].is_cut:
        log.n_documents += 1
        log.unread(broken[0], _ends_early(n_good), n_read=n_good, read=1, left=0)
    elif broken:
        yield broken[0], Loaded(None, _invalid(broken[1]))


def _streamed_rows(
    path: Path, log: FileLog, inside: Collection[str], *, is_array: bool
) -> Iterator[tuple[int, Loaded]]:
    """Yield the items of arrays by number, other values by line."""
    n_rows = 0
    with path.open(encoding=find_encoding(path, log), newline="") as opened:
        stream = JsonStream(opened)
        try:
            for loaded in stream_rows(stream, inside, in_turn=not is_array):
                n_rows += 1
                yield n_rows if is_array else stream.n_line, loaded
        except JsonError as err:
            log.n_documents += 1
            good = f"{n_rows} good row{'' if n_rows == 1 else 's'} before it"
            message = _ends_early(n_rows) if err.is_cut else f"{err.message}; {good}, the rest is not read"
            read, left = stream.n_read, 0 if err.is_cut else stream.n_left()
            log.unread(n_rows + 1 if is_array else stream.n_line, message, n_read=n_rows, read=read, left=left)


def _ends_early(n_good: int) -> str:
    return f"JSON ends early; {n_good} good row{'' if n_good == 1 else 's'} before it"


def _invalid(err: JsonError) -> str:
    return f"{err.message}; expected one JSON object"
