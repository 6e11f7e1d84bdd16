"""Reads Prodigy JSONL as `ner.manual` and `ner.correct` export it (https://prodi.gy/docs/api-interfaces#ner_manual)."""

import json
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.passages import LabelledSpan, Passage

ANSWERS = ("accept", "reject", "ignore")


class _RowError(ValueError):
    """What is wrong with one row; the caller adds the file and the line."""


def read_prodigy(
    path: Path, *, labels: Collection[str] | None, counts: Counter[str], problems: list[str]
) -> Iterator[Passage]:
    """Read the accepted passages of one file.

    labels: the entity types that may occur; None: any.
    counts: is added to: `rows`, `rejected`, `ignored`, `trimmed spans`.
    problems: is added to, one `file:line: …` for each invalid row; the row is left out.
    Raises DomainNerError when the file is empty or not UTF-8.
    """
    n_rows = 0
    for n_line, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        n_rows += 1
        counts["rows"] += 1
        source = f"{path.name}:{n_line}"
        try:
            row = _parse(line)
            answer = _answer(row)
            if answer == "accept":
                yield _passage(row, source, labels, counts)
            else:
                counts[f"{answer}d" if answer.endswith("e") else f"{answer}ed"] += 1
        except _RowError as err:
            counts["invalid"] += 1
            problems.append(f"{source}: {err}")
    if n_rows == 0:
        raise DomainNerError(f"{path} is empty; expected one JSON object a line.", "Export again, or remove the file.")


def _lines(path: Path) -> Iterator[str]:
    # Split at \n alone: U+2028 and U+0085 may stand in a JSON string, and splitlines() would cut it there.
    with path.open(encoding="utf-8-sig", newline="\n") as stream:
        try:
            yield from stream
        except UnicodeDecodeError as err:
            raise DomainNerError(
                f"{path} is not UTF-8: byte 0x{err.object[err.start]:02x} {err.reason}.",
                "Export as UTF-8, or convert the file.",
            ) from err


def _parse(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as err:
        where = f" at column {err.colno}" if isinstance(err, json.JSONDecodeError) else ""
        raise _RowError(f"invalid JSON{where} ({err}); expected one JSON object") from err
    if not isinstance(row, dict):
        raise _RowError(f"a JSON {type(row).__name__}; expected an object with `text` and `spans`")
    return row


def _answer(row: dict[str, Any]) -> str:
    answer = row.get("answer", "accept")
    if answer not in ANSWERS:
        raise _RowError(f"answer {answer!r}; expected accept, reject or ignore")
    if row.get("_is_binary"):
        raise _RowError("a yes/no annotation (`_is_binary`); expected a passage annotated in full (ner.manual)")
    return str(answer)


def _passage(row: dict[str, Any], source: str, labels: Collection[str] | None, counts: Counter[str]) -> Passage:
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise _RowError(f"text is {text!r}; expected a passage with at least one word")
    spans = row.get("spans") or []
    if not isinstance(spans, list):
        raise _RowError(f"spans is a {type(spans).__name__}; expected a list")
    given = [_span(span, text, labels) for span in spans]
    read = sorted(_trim(span, text) for span in given)
    trimmed = tuple(span for span in given if span not in read)
    if trimmed:
        counts["trimmed spans"] += len(trimmed)
    _refuse_overlaps(read, text)
    meta = row.get("meta") or {}
    annotator = str(row.get("_annotator_id") or row.get("_session_id") or "")
    return Passage(text, tuple(read), source, meta if isinstance(meta, dict) else {"meta": meta}, annotator, trimmed)


def _span(span: Any, text: str, labels: Collection[str] | None) -> LabelledSpan:
    if not isinstance(span, dict) or not {"start", "end", "label"} <= span.keys():
        raise _RowError(f"span {span!r}; expected an object with start, end and label")
    start, end, label = span["start"], span["end"], span["label"]
    if not _is_offset(start) or not _is_offset(end) or not 0 <= start < end <= len(text):
        raise _RowError(f"span {start}-{end} is off the text; expected 0 <= start < end <= {len(text)} characters")
    if not isinstance(label, str) or (labels is not None and label not in labels):
        expected = ", ".join(labels) if labels is not None else "a string"
        raise _RowError(f"label {label!r} on {text[start:end]!r}; expected one of {expected} (the types of the guide)")
    return LabelledSpan(start, end, label)


def _is_offset(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _trim(span: LabelledSpan, text: str) -> LabelledSpan:
    """Leave out white space at the edges: it is never part of a name, and no tokenizer could predict it."""
    surface = text[span.start : span.end]
    if not surface.strip():
        raise _RowError(f"span {span.start}-{span.end} covers white space only; expected a name")
    start = span.start + len(surface) - len(surface.lstrip())
    return LabelledSpan(start, start + len(surface.strip()), span.label)


def _refuse_overlaps(spans: list[LabelledSpan], text: str) -> None:
    for one, other in pairwise(spans):
        if other.start < one.end:
            raise _RowError(
                f"{text[one.start : one.end]!r} ({one.label}) overlaps {text[other.start : other.end]!r}"
                f" ({other.label}); expected spans that share no character"
            )
