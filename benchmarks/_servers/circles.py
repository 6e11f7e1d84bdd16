"""What is common to the tools: an export to be compared, and the files that are imported."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _servers.comparison import View, as_it_is
from _servers.contents import Case
from domain_ner.corpus.languages import blank
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.writers.formats import export
from domain_ner.writers.options import WriterOptions


@dataclass(frozen=True)
class Export:
    """What a tool exported in a format of its own.

    folder: with all its files. cases: what they should hold. reading: as `vars.reading`. called: what the tool calls
    annotators, where that is not their name. view: what of its texts is compared.
    """

    tool: str
    format: str
    folder: Path
    cases: Sequence[Case]
    reading: str = ""
    called: Mapping[str, str] = field(default_factory=dict)
    view: View = as_it_is


Say = Callable[[str], None]
"""Tells what is being done."""


def write_export(cases: Iterable[Case], target: Path, to: str) -> Path:
    """The cases as the command `export` writes them; what nobody annotated is told to be so where the format can."""
    options = WriterOptions(create_tokenizer()(blank("en")), lossy=True)
    export([case.passage() for case in cases], target, to, options)
    return target


def write_rows(rows: Iterable[Mapping[str, Any]], target: Path) -> Path:
    """Rows as somebody else writes them, as JSONL."""
    target.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf8")
    return target
