"""Writes JSON files row by row."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Halves of surrogate pairs, as in broken exports, are not valid UTF-8; they become JSON escapes.
ERRORS = "backslashreplace"


def write_rows(target: Path, rows: Iterable[Any]) -> None:
    """Write one row a line (JSONL)."""
    with target.open("w", encoding="utf-8", errors=ERRORS, newline="\n") as stream:
        for row in rows:
            stream.write(f"{_json(row)}\n")


def write_array(target: Path, rows: Iterable[Any]) -> None:
    """Write one array, with a row per line."""
    with target.open("w", encoding="utf-8", errors=ERRORS, newline="\n") as stream:
        for n_row, row in enumerate(rows):
            stream.write(f"{',' if n_row else '['}\n{_json(row)}")
        stream.write("\n]\n")


def number_of(document: str, *, default: int) -> int:
    """Convert a document's id to a number; `default` if it is not one."""
    is_number = document.isascii() and document.isdecimal() and str(int(document)) == document
    return int(document) if is_number else default


def _json(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, default=str)
