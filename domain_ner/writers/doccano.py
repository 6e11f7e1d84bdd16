"""Writes doccano's JSONL (https://doccano.github.io/doccano). Offsets count UTF-16 code units, doccano's default.

All rows have the same keys, or doccano refuses the file. Meta is under one key: doccano changes 1 to 1.0 in a column
that other rows lack. doccano accepts no empty text.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from domain_ner.annotations.passages import Passage, utf16_offsets
from domain_ner.annotations.round_trip import KEY, pack
from domain_ner.writers.json_files import number_of, write_rows
from domain_ner.writers.options import META, NESTED, SPACED_LABEL, WHITE_SPACE, WORDLESS, WriterOptions

NAME = "doccano"
TITLE = "doccano JSONL"
HOLDS = frozenset({NESTED, SPACED_LABEL, META, WHITE_SPACE, WORDLESS})


def write(passages: Iterable[Passage], target: Path, options: WriterOptions) -> None:
    """Write a row for each passage."""
    write_rows(target, (_row(passage, number) for number, passage in enumerate(passages, start=1)))


def _row(passage: Passage, number: int) -> dict[str, Any]:
    offsets = utf16_offsets(passage.text)
    label = [[offsets[span.start], offsets[span.end], span.label] for span in passage.spans]
    document = number_of(passage.document, default=number)
    return {"id": document, "text": passage.text, "label": label, "meta": passage.meta, KEY: pack(passage)}
