"""Writes brat standoff: a `.txt` and an `.ann` for each passage (https://brat.nlplab.org/standoff.html).

Offsets count code points of the text with its own line ends. brat reads an initial U+FEFF as a byte-order mark. Data
that brat cannot represent go to a file that it ignores, `domain_ner.conf`.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.annotations.round_trip import FILE, KEY, SIDECAR, pack
from domain_ner.writers.json_files import write_rows
from domain_ner.writers.options import EMPTY, META, NESTED, WHITE_SPACE, WORDLESS, WriterOptions

NAME = "brat"
TITLE = "brat standoff (a folder of .txt and .ann)"
HOLDS = frozenset({META, NESTED, WHITE_SPACE, EMPTY, WORDLESS})
# Characters that brat, which reads lines with Python, takes for line ends.
LINE_ENDS = re.compile(r"[\v\f\x1c-\x1e\x85\u2028\u2029]")
LINE = re.compile(r"[^\r\n]+")
FILE_NAME = re.compile(r"\w[\w.-]{0,99}")
CONFIG = "annotation.conf"


def write(passages: Iterable[Passage], target: Path, options: WriterOptions) -> None:
    """Create the folder `target` with a pair of files for each passage, and an annotation.conf with the labels."""
    target.mkdir()
    names: set[str] = set()
    labels: dict[str, None] = {}
    carried: list[dict[str, str]] = []
    for number, passage in enumerate(passages, start=1):
        name = _name(passage.document, number, names)
        labels.update(dict.fromkeys(span.label for span in passage.spans))
        lines = "".join(f"{_line(n, span, passage.text)}\n" for n, span in enumerate(passage.spans, start=1))
        carried.append({FILE: name, KEY: pack(passage)})
        _write(target / f"{name}.txt", passage.text)
        _write(target / f"{name}.ann", lines)
    sections = ["[entities]", *sorted(labels), "", "[relations]", "", "[events]", "", "[attributes]"]
    _write(target / CONFIG, "\n".join(sections) + "\n")
    write_rows(target / SIDECAR, carried)


def fragments(span: LabelledSpan, text: str) -> list[tuple[int, int]]:
    """Split a span into (start, end) per line, without white space at its edges: brat's spans cross no line end."""
    parts = []
    for match in LINE.finditer(text, span.start, span.end):
        part = match[0].strip()
        if part:
            start = match.start() + match[0].index(part)
            parts.append((start, start + len(part)))
    return parts


def _line(number: int, span: LabelledSpan, text: str) -> str:
    parts = fragments(span, text)
    offsets = ";".join(f"{start} {end}" for start, end in parts)
    words = " ".join(LINE_ENDS.sub(" ", text[start:end]) for start, end in parts)
    return f"T{number}\t{span.label} {offsets}\t{words}"


def _name(document: str, number: int, taken: set[str]) -> str:
    """Choose an unused file name, also on case-insensitive systems: the document's id if it is a valid name."""
    name = document if FILE_NAME.fullmatch(document) else f"{number:06}"
    while name.casefold() in taken:
        name = f"{name}-{number}"
    taken.add(name.casefold())
    return name


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        stream.write(text)
