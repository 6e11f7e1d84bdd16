"""Rows of JSON files, however they were written: one object a line, pretty-printed objects, or one array."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from reprlib import repr as short
from typing import Any, TextIO

import ijson

from domain_ner.errors import DomainNerError
from domain_ner.readers.decoding import find_encoding, read_lines, read_sample, read_text
from domain_ner.records import FileLog, Sample

Row = dict[str, Any]
CHUNK_CHARS = 1 << 16
LINE_END = re.compile(r"\r\n|\n|\r")
BETWEEN_VALUES = re.compile(r"[\s,]*")
SURROGATE = re.compile("[\ud800-\udfff]")
# A first row longer than a sample is worth reading whole only where it begins like a row.
BEGINS_LIKE_A_ROW = re.compile(r'\s*\[?\s*\{\s*"(id|doc_id|text|data)"')


class RowError(ValueError):
    """What is wrong with one row; the caller says where it stands."""


def read_rows(path: Path, log: FileLog) -> Iterator[tuple[int, Row]]:
    """Yield (where it starts, row): its line, or its number in an array, from 1.

    A row that is no JSON object is a problem in the log, and does not cost the others.
    Raises DomainNerError for a file without any row.
    """
    text, _ = read_sample(path)
    n_before = log.n_documents
    if _is_lines(text):
        yield from _read_lines(path, log)
    elif text.lstrip().startswith("["):
        yield from _read_array(path, log)
    else:
        yield from _read_objects(path, log)
    if log.n_documents == n_before:
        raise DomainNerError(f"{path} is empty; expected one JSON object a line.", "Export again, or remove the file.")


def sample_rows(sample: Sample) -> list[Row]:
    """The rows that a sample shows; where the first is longer than the sample, that row."""
    text = sample.text
    values = _values_of_lines(text) if _is_lines(text) else _values_in_turn(text)
    rows = [value for value in values if isinstance(value, dict)]
    if not rows and not sample.whole and BEGINS_LIKE_A_ROW.match(text):
        rows = [row for _, row in islice(read_rows(sample.path, FileLog(sample.path.name)), 1)]
    return rows


def passage_text(value: Any) -> str:
    """A row's text as it stands, be it blank. Raises RowError where it is none."""
    if not isinstance(value, str):
        raise RowError(f"text is {short(value)}; expected a passage")
    return value


def _is_lines(text: str) -> bool:
    """Whether a file that begins with `text` holds one value a line, the first of which may be broken."""
    if not text.lstrip().startswith("{"):
        return not text.lstrip().startswith("[")
    first, *others = [line for line in LINE_END.split(text) if line.strip()]
    if not others or any(line.startswith("{") and line.strip() != "{" for line in others):
        return True
    return isinstance(_load(first), dict)


def _load(line: str) -> Any:
    """A line's JSON value, or the error that says why it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as err:
        return err


def _values_of_lines(text: str) -> Iterator[Any]:
    return (_load(line) for line in LINE_END.split(text) if line.strip())


def _values_in_turn(text: str) -> Iterator[Any]:
    """The values of an array's beginning, or of objects one after the other, as far as they are whole."""
    position = len(text) - len(text.lstrip().removeprefix("["))
    while (start := _skip(text, position)) < len(text):
        try:
            value, position = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            return
        yield value


def _skip(text: str, position: int) -> int:
    found = BETWEEN_VALUES.match(text, position)
    return found.end() if found else position


def _read_lines(path: Path, log: FileLog) -> Iterator[tuple[int, Row]]:
    n_good = 0
    broken: tuple[int, str, Exception] | None = None
    for n_line, line in read_lines(path, log):
        if not line.strip():
            continue
        if broken:
            log.problem(broken[0], _invalid(broken[2]))
            broken = None
        log.n_documents += 1
        value = _load(line)
        if isinstance(value, Exception):
            broken = (n_line, line, value)
        elif _is_row(value, n_line, log):
            n_good += 1
            yield n_line, _with_whole_characters(value, line, n_line, log)
    if broken:
        n_line, line, err = broken
        log.problem(n_line, _ends_early(n_good) if _is_cut(line, err) else _invalid(err))


def _read_array(path: Path, log: FileLog) -> Iterator[tuple[int, Row]]:
    n_row, n_good = 0, 0
    with path.open(encoding=find_encoding(path, log), newline="") as stream:
        try:
            for value in ijson.items(_Encoded(stream), "item", use_float=True):
                n_row += 1
                log.n_documents += 1
                if _is_row(value, n_row, log):
                    n_good += 1
                    yield n_row, value
        except ijson.JSONError as err:
            log.n_documents += 1
            told = _first_line(err)
            is_cut = "EOF" in told or "ncomplete" in told
            log.problem(n_row + 1, _ends_early(n_good) if is_cut else f"invalid JSON ({told}); the rest is not read")


def _read_objects(path: Path, log: FileLog) -> Iterator[tuple[int, Row]]:
    """Objects over several lines each, one after the other. Tools write them as examples only: read in one go."""
    text = read_text(path, log)
    n_line, n_good, position = 1, 0, 0
    while (start := _skip(text, position)) < len(text):
        n_line += len(LINE_END.findall(text, position, start))
        log.n_documents += 1
        try:
            value, position = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError) as err:
            log.problem(n_line, _ends_early(n_good) if _is_cut(text[start:].rstrip(), err) else _invalid(err))
            return
        if _is_row(value, n_line, log):
            n_good += 1
            yield n_line, _with_whole_characters(value, text[start:position], n_line, log)
        n_line += len(LINE_END.findall(text, start, position))


def _is_row(value: Any, where: int, log: FileLog) -> bool:
    if not isinstance(value, dict):
        log.problem(where, f"a JSON {type(value).__name__}; expected an object")
    return isinstance(value, dict)


def _with_whole_characters(row: Row, line: str, where: int, log: FileLog) -> Row:
    """A row without halves of surrogate pairs, which no file can hold; the replacement counts as much as they do."""
    if "\\ud" not in line and "\\uD" not in line:
        return row
    plain = json.dumps(row, ensure_ascii=False)
    if not SURROGATE.search(plain):
        return row
    log.note(f"line {where}: half of a character (a lone surrogate) read as U+FFFD")
    whole: Row = json.loads(SURROGATE.sub("\ufffd", plain))
    return whole


def _is_cut(text: str, err: Exception) -> bool:
    """Whether JSON that begins like an object stops before its end."""
    if not isinstance(err, json.JSONDecodeError) or not text.startswith("{"):
        return False
    return not text.rstrip().endswith("}") or "Unterminated" in err.msg or err.pos >= len(text.rstrip())


def _ends_early(n_good: int) -> str:
    return f"JSON ends early; {n_good} good row{'' if n_good == 1 else 's'} before it"


def _invalid(err: Exception) -> str:
    where = f" at column {err.colno}" if isinstance(err, json.JSONDecodeError) else ""
    return f"invalid JSON{where} ({_first_line(err)}); expected one JSON object"


def _first_line(err: Exception) -> str:
    return str(err).partition("\n")[0].strip()


class _Encoded:
    """A text stream as the UTF-8 bytes that ijson reads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def read(self, size: int = CHUNK_CHARS) -> bytes:
        """The next bytes; none at the end. `size` 0, with which ijson asks what it gets, reads nothing."""
        text = self._stream.read(CHUNK_CHARS) if size else ""
        return text.encode("utf-8", "surrogatepass")
