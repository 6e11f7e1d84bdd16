"""Reads DataTurks exports: `content` and `annotation`, with inclusive ends."""

from collections.abc import Iterator
from pathlib import Path
from reprlib import repr as short
from typing import Any

from domain_ner.annotations.records import Answer, FileLog, ReaderOptions, Record, Sample, SourceSpan, as_offset
from domain_ner.readers.json_files.jsonl import Row, read_rows, sample_rows

NAME = "dataturks"
TITLE = "DataTurks JSON (content and annotation)"
EXTENSIONS = (".json", ".jsonl")


def recognises(sample: Sample) -> bool:
    """Whether rows have `content` and `annotation`: points with labels, or nothing."""
    return any(
        {"content", "annotation"} <= row.keys() and _are_annotations(row["annotation"]) for row in sample_rows(sample)
    )


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each row; inclusive ends become exclusive.

    options.empty: whether `"annotation": []` means no entities, or not annotated. `null` means not annotated unless its
    status is `done`.
    Raises DomainNerError if there are no rows.
    """
    for line, row in read_rows(path, log):
        text = row.get("content")
        if not isinstance(text, str) or not _are_annotations(row.get("annotation")):
            log.problem(line, f"content is {short(text)}; expected a text, and a list or null as `annotation`")
            continue
        yield _record(row, text, line, options, log.file)
    log.note("ends are inclusive (DataTurks): converted")


def _record(row: Row, text: str, line: int, options: ReaderOptions, file: str) -> Record:
    metadata = row["metadata"] if isinstance(row.get("metadata"), dict) else {}
    return Record(
        text=text,
        spans=tuple(span for entry in row.get("annotation") or () for span in _spans(entry, text)),
        file=file,
        line=line,
        document=str(row.get("id") or ""),
        answer=_answer(row.get("annotation"), str(metadata.get("status") or ""), options),
        annotator=str(metadata.get("last_updated_by") or ""),
        meta={key: value for key, value in row.items() if key not in ("content", "annotation", "id") and value},
    )


def _answer(annotation: Any, status: str, options: ReaderOptions) -> Answer:
    if status.lower() == "skipped":
        return "ignored"
    if annotation or status.lower() == "done":
        return "accepted"
    return "not annotated" if annotation is None or options.empty == "skip" else "accepted"


def _spans(entry: Any, text: str) -> Iterator[SourceSpan]:
    """Yield each point of an annotation with each of its labels; a fault if either is missing."""
    points = entry.get("points") if isinstance(entry, dict) else None
    label_value = entry.get("label") if isinstance(entry, dict) else None
    labels = label_value if isinstance(label_value, list) else [label_value]
    if not isinstance(points, list) or not points:
        yield SourceSpan(None, None, label_value, fault=f"{short(entry)}; expected `label` and `points`")
        return
    for point in points:
        if not isinstance(point, dict):
            yield SourceSpan(None, None, label_value, fault=f"a point is {short(point)}; expected start, end and text")
            continue
        words = point.get("text") if isinstance(point.get("text"), str) else None
        end = _exclusive_end(point.get("start"), point.get("end"), words, text)
        for label in labels or [None]:
            yield SourceSpan(point.get("start"), end, label, words)


def _exclusive_end(start: Any, end: Any, words: str | None, text: str) -> Any:
    """Convert an inclusive end to an exclusive one, unless the words show that it is exclusive already."""
    start, end = as_offset(start), as_offset(end)
    if not isinstance(start, int) or not isinstance(end, int):
        return end
    is_exclusive = words and text[start:end] == words
    return end if is_exclusive else end + 1


def _are_annotations(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(entry, dict) for entry in value))
