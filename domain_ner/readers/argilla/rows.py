"""Reads Argilla's records: flattened (`question.responses`), nested (`Record.to_dict`), and those of Argilla 1.

Submitted answers to a span question are annotations; suggestions are predictions.
https://docs.argilla.io/latest/how_to_guides/import_export/
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from reprlib import repr as short
from typing import Any

from domain_ner.annotations.records import Answer, FileLog, ReaderOptions, Record, Sample, SourceSpan
from domain_ner.readers.argilla.fields import ChosenField, choose, fields_of, meta_of
from domain_ner.readers.argilla.questions import (
    OLD_SUGGESTION,
    RESPONSES,
    SUGGESTION,
    Question,
    is_old_question,
    questions_of,
    spans_in,
)
from domain_ner.readers.json_files.jsonl import Row, RowError, passage_text, read_rows, sample_rows
from domain_ner.readers.text_choice.read_twice import ReadTwice

NAME = "argilla"
TITLE = "Argilla records (JSON, JSONL)"
EXTENSIONS = (".json", ".jsonl")
ANSWERS: Mapping[str, Answer] = {"submitted": "accepted", "discarded": "ignored", "draft": "not annotated"}
TOKEN_STATUSES: Mapping[str, Answer] = {"Validated": "accepted", "Discarded": "ignored"}


def recognises(sample: Sample) -> bool:
    """Whether the first rows of a JSON file are Argilla records with a question that spans may answer."""
    if not sample.text.lstrip().startswith(("{", "[")):
        return False
    rows = sample_rows(sample)
    return bool(rows) and all(_is_record(row) for row in rows[:20])


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each annotator's answer, and one for each suggestion.

    options.field: the question, the text field, or both, if nothing else determines them.
    Raises DomainNerError if they cannot be determined.
    """
    rows = ReadTwice(path, lambda log: read_rows(path, log))
    asked = choose(path, (row for _, row in rows.first() if not _is_token_record(row)), options.field)
    if asked.field not in ("", "text"):
        log.note(f"the text is the field {asked.field!r}")
    for line, row in rows.again(log):
        blank = replace(_blank(log), line=line, document=_document(row))
        try:
            yield from _records(row, asked, blank, options, log)
        except RowError as err:
            log.problem(line, str(err))


def _records(row: Row, asked: ChosenField, blank: Record, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    if _is_token_record(row):
        yield from _token_records(row, blank, options)
        return
    question = questions_of(row).get(asked.question, Question())
    blank = replace(blank, text=passage_text(fields_of(row).get(asked.field)), meta=meta_of(row, asked))
    for response in question.responses:
        if response.status is None:
            log.note("responses have no status: all count as submitted")
        answer: Answer = "accepted" if response.status is None else ANSWERS.get(response.status, "not annotated")
        yield replace(blank, spans=_spans(response.value, blank.text), annotator=response.user, answer=answer)
    is_answered = any(reply.status in (None, "submitted") for reply in question.responses)
    if question.suggestion is not None:
        use = options.predictions and not is_answered
        answer = "accepted" if use else "prediction"
        yield replace(blank, spans=_spans(question.suggestion, blank.text), annotator="suggestion", answer=answer)
    elif not question.responses:
        yield replace(blank, answer="not annotated")


def _token_records(row: Row, blank: Record, options: ReaderOptions) -> Iterator[Record]:
    """Read a token classification of Argilla 1 and Rubrix: one annotation and one prediction for each text."""
    blank = replace(blank, text=passage_text(row.get("text")), meta=_meta(row))
    annotation, prediction = row.get("annotation"), row.get("prediction")
    status = str(row.get("status"))
    answer = TOKEN_STATUSES.get(status, "accepted" if annotation is not None else "not annotated")
    if annotation is not None or status in TOKEN_STATUSES:
        annotator = str(row.get("annotation_agent") or "")
        yield replace(blank, spans=_spans(annotation or [], blank.text), annotator=annotator, answer=answer)
    elif prediction is None:
        yield replace(blank, answer=answer)
    if prediction is not None:
        use = options.predictions and annotation is None and status not in TOKEN_STATUSES
        agent = str(row.get("prediction_agent") or "prediction")
        spans = _spans(prediction, blank.text)
        yield replace(blank, spans=spans, annotator=agent, answer="accepted" if use else "prediction")


def _blank(log: FileLog) -> Record:
    # No version says whether its offsets count code points or UTF-16 units.
    return Record(text="", spans=(), file=log.file, unit=None)


def _spans(value: Any, text: str) -> tuple[SourceSpan, ...]:
    """Read the spans of an answer: a list of objects, of (label, start, end), or columns, as `datasets` writes it."""
    if value is None:
        return ()
    if not isinstance(value, list) and not (isinstance(value, Mapping) and isinstance(value.get("start"), list)):
        raise RowError(f"the answer is {short(value)}; expected a list of spans with start, end and label")
    return tuple(_span(entry, text) for entry in spans_in(value))


def _span(entry: Any, text: str) -> SourceSpan:
    if isinstance(entry, list) and len(entry) >= 3:
        entry = {"label": entry[0], "start": entry[1], "end": entry[2]}
    if not isinstance(entry, Mapping):
        fault = f"{short(entry)}: expected a span with start, end and label"
        return SourceSpan(None, None, None, text=str(entry), fault=fault)
    words = entry.get("text")
    return SourceSpan(
        entry.get("start"), entry.get("end"), entry.get("label"), text=words if isinstance(words, str) else None
    )


def _document(row: Row) -> str:
    return str(next((row[key] for key in ("id", "external_id") if row.get(key) not in (None, "")), ""))


def _meta(row: Row) -> Mapping[str, Any]:
    metadata = row.get("metadata")
    flattened = {key.removeprefix("metadata."): value for key, value in row.items() if key.startswith("metadata.")}
    return dict(metadata) if isinstance(metadata, Mapping) else flattened


def _is_record(row: Row) -> bool:
    if _is_token_record(row):
        return True
    if isinstance(row.get("fields"), Mapping):
        return "responses" in row or "suggestions" in row
    is_flattened = any(
        key.endswith((f"{RESPONSES}.status", f"{RESPONSES}.users", f"{SUGGESTION}.agent")) for key in row
    )
    return is_flattened or any(is_old_question(row, key) and f"{key}{OLD_SUGGESTION}" in row for key in row)


def _is_token_record(row: Row) -> bool:
    return {"text", "tokens", "annotation", "prediction"} <= row.keys() and "prediction_agent" in row
