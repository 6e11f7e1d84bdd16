"""Reads spaCy's training data before DocBin: v2's training JSON, and texts with `entities` as JSON or Python."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from reprlib import repr as short
from typing import Any

from domain_ner.annotations.doc_keys import SPANS_KEY
from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample, SourceSpan, as_offset
from domain_ner.annotations.tag_schemes import Tag, TagStatistics
from domain_ner.readers.json_files.json_rows import first_rows, json_rows
from domain_ner.readers.spacy_files.python_rows import python_rows
from domain_ner.readers.text_files.decoding import read_sample
from domain_ner.readers.tokens.spacing import Spacing
from domain_ner.readers.tokens.tagged import with_label
from domain_ner.readers.tokens.tagged_words import TagDecoder, Tagged

NAME = "spacy_json"
TITLE = "spaCy training data (v2 JSON, or texts with entities as JSON or Python)"
EXTENSIONS = (".json", ".jsonl", ".py")

ROW_LISTS = ("annotations", "data", "train", "examples")
TEXTS = ("text", "content", "sentence")
ENTITIES = ("entities", "ents")
STARTS, ENDS, LABELS, WORDS = (
    ("start", "start_char"),
    ("end", "end_char"),
    ("label", "entity", "type"),
    ("text", "value"),
)
IDS = ("id", "_id")
# Keys of doccano and Prodigy: their readers understand the rest of these rows.
OTHERS = {"relations", "Comments", "spans", "_input_hash", "_task_hash", "answer"}
MISSING = ("-", "", None)
PYTHON_START = re.compile(r"(?:\s|#[^\n]*\n)*(?:[\[({]|(?:import|from|def|if)\s|\"\"\"|[A-Za-z_][\w, ]*(?::[^=\n]+)?=)")
PYTHON_ENTITIES = re.compile(
    r"""['"](?:entities|ents)['"]\s*:\s*[\[({]|['"]\s*,\s*[\[(]\s*[\[(]\s*\d+\s*,\s*\d+\s*,\s*['"]"""
)


@dataclass(frozen=True)
class Entry:
    """A text and its entities: None if the file says nothing about entities."""

    text: Any
    entities: Any
    document: str = ""
    meta: dict[str, Any] = field(default_factory=dict)


def recognises(sample: Sample) -> bool:
    """Whether rows are v2 documents, or texts with entities as [start, end, label] or {start, end, label}."""
    rows = first_rows(sample, ROW_LISTS)
    return any(_is_row(row) for row in rows) or _is_python(sample.text, rows)


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each text; in v2 JSON, for each paragraph.

    options.field: the span group of `Doc.to_json` to read; empty: `sc`.
    Raises DomainNerError if there is none, and for Python that cannot be read.
    """
    text, whole = read_sample(path)
    rows = first_rows(Sample(path, text, whole), ROW_LISTS)
    if _is_python(text, rows):
        yield from _texts(python_rows(path, log, ENTITIES), SPANS_KEY, log)
    elif any(_is_v2(row) for row in rows):
        yield from _v2_records(path, options, log)
    else:
        yield from _texts(json_rows(path, log, ROW_LISTS, pairs=True), options.field or SPANS_KEY, log)


def _v2_records(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    statistics, spacing = TagStatistics(), Spacing()
    for _, row in json_rows(path, FileLog(path.name)):
        for paragraph in _paragraphs(row):
            for sentence in _dicts(paragraph.get("sentences")):
                tokens = _dicts(sentence.get("tokens"))
                statistics.add(_tag(token) for token in tokens)
                spacing.add(token["orth"] for token in tokens if isinstance(token.get("orth"), str))
    decoder = TagDecoder(log, with_label(statistics.scheme(), options, log.file), spacing)
    n_missing = 0
    for line, row in json_rows(path, log):
        paragraphs = _paragraphs(row)
        if not paragraphs:
            log.problem(line, "no paragraphs; expected {id, paragraphs: [{sentences: [{tokens}]}]}")
        log.n_documents += max(0, len(paragraphs) - 1)
        for n_paragraph, paragraph in enumerate(paragraphs, start=1):
            document = _id(row) if len(paragraphs) == 1 else f"{_id(row)}/{n_paragraph}"
            try:
                record = _paragraph_record(paragraph, line, document, decoder)
            except ValueError as err:
                log.problem(line, str(err))
                continue
            if record is not None:
                n_missing += len(record.unknown)
                yield record
    if n_missing:
        log.note(f'{n_missing} tokens are missing ("-"), not O')
    decoder.report()


def _paragraph_record(paragraph: dict[str, Any], line: int, document: str, decoder: TagDecoder) -> Record | None:
    """Read entities from the tokens' tags or, if these say nothing, from offsets into `raw`. Raises ValueError."""
    sentences = _dicts(paragraph.get("sentences"))
    tokens = [token for sentence in sentences for token in _dicts(sentence.get("tokens"))]
    raw = paragraph.get("raw") if isinstance(paragraph.get("raw"), str) else None
    entities = paragraph.get("entities")
    has_tags = any("ner" in token for token in tokens) and (not entities or any(map(_tag, tokens)))
    if raw is not None and isinstance(entities, list) and not has_tags:
        return _record(Entry(raw, entities, document), line, decoder.log.file)
    if bad := [token for token in tokens if not isinstance(token.get("orth"), str)]:
        raise ValueError(f"a token is {bad[0]!r}; expected `orth` and `ner`")
    return decoder.record(
        Tagged(
            line,
            [token["orth"] for token in tokens],
            [_tag(token) for token in tokens],
            [bool(token["space"]) for token in tokens] if all("space" in token for token in tokens) else None,
            raw,
            document,
        )
    )


def _tag(token: dict[str, Any]) -> Tag:
    tag = token.get("ner")
    return None if tag in MISSING else str(tag)


def _texts(rows: Iterator[tuple[int, Any]], group: str, log: FileLog) -> Iterator[Record]:
    n_null = n_unsaid = 0
    for line, row in rows:
        if row is None:
            n_null += 1
            log.n_documents -= 1
            continue
        entries = list(_entries(_with_group(row, group, log)))
        log.n_documents += len(entries) - 1
        for entry in entries:
            if not isinstance(entry.text, str):
                log.problem(line, f"{short(row)}; expected [text, {{entities}}] or {{text, entities}}")
                continue
            n_unsaid += entry.entities is None
            yield _record(entry, line, log.file)
    if n_null:
        log.note(f"{n_null} rows are null: the export does not contain texts that nobody annotated")
    if n_unsaid:
        log.note(f"{n_unsaid} texts have no `entities` at all: not annotated, not used")


def _with_group(row: Any, group: str, log: FileLog) -> Any:
    """Return a row; if it is a `Doc.to_json` with span groups, the spans of a group are added to the entities."""
    if not isinstance(row, dict) or not isinstance(groups := row.get("spans"), Mapping):
        return row
    for name in groups.keys() - {group}:
        log.note(f"a span group is not read (vars.reading: field=…), beside `{group}`", case=name)
    spans = groups.get(group)
    rest = {key: value for key, value in row.items() if key != "spans"}
    return rest | {"ents": [*(row.get("ents") or ()), *(spans if isinstance(spans, list) else ())]}


def _entries(row: Any) -> Iterator[Entry]:
    """Yield the texts of a row: usually one, or as many as there are texts as keys."""
    if isinstance(row, list | tuple) and len(row) > 1:
        yield Entry(row[0], _entities_in(row[1]))
    elif isinstance(row, dict) and isinstance(row.get("sentences"), dict):
        meta = {key: value for key, value in row.items() if key != "sentences" and value not in (None, "")}
        for text, annotation in row["sentences"].items():
            yield Entry(text, _entities_in(annotation), meta=meta)
    elif isinstance(row, dict):
        used = {*TEXTS, *ENTITIES, *IDS, "tokens", "sents"}
        meta = {key: value for key, value in row.items() if key not in used}
        yield Entry(_first(row, TEXTS), _entities_in(row), _id(row), meta)
    else:
        yield Entry(None, None)


def _entities_in(value: Any) -> list[Any] | None:
    """Find the entities of a text: a list, the values of an object, or the value of `entities`."""
    if isinstance(value, dict) and (key := next((key for key in ENTITIES if value.get(key) is not None), "")):
        return _entities_in(value[key])
    if isinstance(value, dict):
        objects = list(value.values())
        return objects if objects and all(_is_span(entry) for entry in objects) else None
    return list(value) if isinstance(value, list | tuple | set) else None


def _record(entry: Entry, line: int, file: str) -> Record:
    return Record(
        text=entry.text,
        spans=tuple(_span(entity) for entity in entry.entities or ()),
        file=file,
        line=line,
        document=entry.document,
        answer="not annotated" if entry.entities is None else "accepted",
        meta=entry.meta,
    )


def _span(entry: Any) -> SourceSpan:
    if isinstance(entry, dict) and _is_span(entry):
        words = _first(entry, WORDS)
        label = _first(entry, LABELS)
        return SourceSpan(_first(entry, STARTS), _first(entry, ENDS), label, words if isinstance(words, str) else None)
    if isinstance(entry, list | tuple) and len(entry) > 2:
        return SourceSpan(*entry[:3])
    return SourceSpan(None, None, None, fault=f"{short(entry)}; expected [start, end, label]")


def _is_python(text: str, rows: list[Any]) -> bool:
    """Whether a text without rows as JSON has rows as Python."""
    if any(_is_row(row) for row in rows) or not PYTHON_START.match(text):
        return False
    return bool(PYTHON_ENTITIES.search(text)) and not any(isinstance(row, dict) and row for row in rows)


def _is_row(row: Any) -> bool:
    if isinstance(row, list) and len(row) > 1 and isinstance(row[0], str):
        return _are_spans(_entities_in(row[1]))
    if not isinstance(row, dict):
        return False
    if isinstance(row.get("sentences"), dict):
        return any(_are_spans(_entities_in(value)) for value in row["sentences"].values())
    is_doc = "ents" in row and isinstance(row.get("spans"), Mapping)
    others = OTHERS - ({"spans"} if is_doc else set())
    has_text = isinstance(_first(row, TEXTS), str) and not others & row.keys()
    return _is_v2(row) or (has_text and any(key in row for key in ENTITIES) and _are_spans(_entities_in(row)))


def _are_spans(spans: list[Any] | None) -> bool:
    return spans is not None and all(_is_span(entry) for entry in spans[:20])


def _is_span(entry: Any) -> bool:
    if isinstance(entry, dict):
        return _first(entry, STARTS) is not None or _first(entry, ENDS) is not None
    return isinstance(entry, list | tuple) and len(entry) > 1 and not isinstance(as_offset(entry[0]), str)


def _is_v2(row: Any) -> bool:
    return bool(_paragraphs(row)) and any("sentences" in part or "entities" in part for part in _paragraphs(row))


def _paragraphs(row: Any) -> list[dict[str, Any]]:
    return _dicts(row.get("paragraphs")) if isinstance(row, dict) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _first(row: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((row[key] for key in keys if row.get(key) is not None), None)


def _id(row: dict[str, Any]) -> str:
    document_id = _first(row, IDS)
    return "" if document_id is None else str(document_id)
