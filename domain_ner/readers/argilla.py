"""Reads Argilla's records: flattened (`question.responses`), nested (`Record.to_dict`), and those of Argilla 1.

A span question's answers are annotations where they were submitted; suggestions are predictions.
https://docs.argilla.io/latest/how_to_guides/import_export/
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from reprlib import repr as short
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.readers.jsonl import Row, RowError, passage_text, read_rows, sample_rows
from domain_ner.records import Answer, FileLog, ReaderOptions, Record, Sample, SourceSpan

NAME = "argilla"
TITLE = "Argilla records (JSON, JSONL)"
EXTENSIONS = (".json", ".jsonl")
RESPONSES, SUGGESTION = ".responses", ".suggestion"
OLD_SUGGESTION = "-suggestion"
ANSWERS: Mapping[str, Answer] = {"submitted": "accepted", "discarded": "ignored", "draft": "not annotated"}
TOKEN_STATUSES: Mapping[str, Answer] = {"Validated": "accepted", "Discarded": "ignored"}
# Keys of a flattened record that are no field of the text.
SYSTEM_KEYS = {"id", "_server_id", "status", "external_id", "metadata", "inserted_at", "updated_at"}


@dataclass(frozen=True)
class _Response:
    """An annotator's answer to a question. status: None where the export does not say; "" where it says none."""

    value: Any
    user: str
    status: str | None


@dataclass(frozen=True)
class _Question:
    """A question's answers and its suggestion. is_span: whether any of them holds spans."""

    responses: tuple[_Response, ...] = ()
    suggestion: Any = None

    @property
    def is_span(self) -> bool:
        return any(_holds_spans(value) for value in (*(one.value for one in self.responses), self.suggestion))


def recognises(sample: Sample) -> bool:
    """Whether the first rows of a JSON file are records of Argilla with a question that spans may answer."""
    if not sample.text.lstrip().startswith(("{", "[")):
        return False
    rows = sample_rows(sample)
    return bool(rows) and all(_is_record(row) for row in rows[:20])


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each annotator's answer, and one for each suggestion.

    Raises DomainNerError where several questions have spans as answers and `options.field` names none.
    """
    name = _question_name(path, options, log)
    for line, row in read_rows(path, log):
        try:
            yield from _records(row, name, replace(_blank(log), line=line, document=_document(row)), options, log)
        except RowError as err:
            log.problem(line, str(err))


def _records(row: Row, name: str, blank: Record, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    if _is_token_record(row):
        yield from _token_records(row, blank, options)
        return
    question = _questions(row).get(name, _Question())
    blank = replace(blank, text=_text(row, log), meta=_meta(row))
    for response in question.responses:
        if response.status is None:
            log.note("responses have no status: all are taken as submitted")
        answer: Answer = "accepted" if response.status is None else ANSWERS.get(response.status, "not annotated")
        yield replace(blank, spans=_spans(response.value, blank.text), annotator=response.user, answer=answer)
    is_answered = any(one.status in (None, "submitted") for one in question.responses)
    if question.suggestion is not None:
        use = options.predictions and not is_answered
        answer = "accepted" if use else "prediction"
        yield replace(blank, spans=_spans(question.suggestion, blank.text), annotator="suggestion", answer=answer)
    elif not question.responses:
        yield replace(blank, answer="not annotated")


def _token_records(row: Row, blank: Record, options: ReaderOptions) -> Iterator[Record]:
    """The records of a token classification of Argilla 1 and Rubrix: one annotation, and one prediction, a text."""
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
    # Neither version says whether its offsets count code points or UTF-16 units.
    return Record(text="", spans=(), file=log.file, unit=None)


def _spans(value: Any, text: str) -> tuple[SourceSpan, ...]:
    """The spans of an answer: a list of objects, of (label, start, end), or columns, as `datasets` writes it."""
    if value is None:
        return ()
    if isinstance(value, Mapping) and isinstance(value.get("start"), list):
        value = [dict(zip(value, cells, strict=False)) for cells in zip(*value.values(), strict=False)]
    if not isinstance(value, list):
        raise RowError(f"the answer is {short(value)}; expected a list of spans with start, end and label")
    return tuple(_span(one, text) for one in value)


def _span(one: Any, text: str) -> SourceSpan:
    if isinstance(one, list) and len(one) >= 3:
        one = {"label": one[0], "start": one[1], "end": one[2]}
    if not isinstance(one, Mapping):
        fault = f"{short(one)}: expected a span with start, end and label"
        return SourceSpan(None, None, None, text=str(one), fault=fault)
    said = one.get("text")
    return SourceSpan(one.get("start"), one.get("end"), one.get("label"), text=said if isinstance(said, str) else None)


def _question_name(path: Path, options: ReaderOptions, log: FileLog) -> str:
    """The span question, from all records: in the first ones it may have no answer yet."""
    found: dict[str, bool] = {}
    for _, row in read_rows(path, FileLog(log.file)):
        for name, question in _questions(row).items():
            found[name] = found.get(name, False) or question.is_span
    names = [name for name, is_span in found.items() if is_span] or list(found)
    if options.field in found:
        return options.field
    if len(names) > 1:
        raise DomainNerError(
            f"{path.name}: the questions {' and '.join(names)} may each hold the entities.",
            "Name the one to read in vars.reading (field=…).",
        )
    return names[0] if names else ""


def _questions(row: Row) -> dict[str, _Question]:
    """The questions of a record, by their names."""
    if isinstance(row.get("fields"), Mapping):
        return _nested_questions(row)
    responses = {key.removesuffix(RESPONSES): _flat_responses(row, key) for key in row if key.endswith(RESPONSES)} | {
        key: _old_responses(row[key]) for key in row if _is_old_question(row, key)
    }
    suggestions = {
        key.removesuffix(suffix): value
        for key, value in row.items()
        for suffix in (SUGGESTION, OLD_SUGGESTION)
        if key.endswith(suffix)
    }
    names = dict.fromkeys((*responses, *suggestions))
    return {name: _Question(tuple(responses.get(name, ())), suggestions.get(name)) for name in names}


def _flat_responses(row: Row, key: str) -> list[_Response]:
    values = row[key] if isinstance(row[key], list) else []
    users, statuses = (row.get(f"{key}.{what}") for what in ("users", "status"))
    return [
        _Response(value, _at(users, n), None if not isinstance(statuses, list) else _at(statuses, n))
        for n, value in enumerate(values)
    ]


def _nested_questions(row: Row) -> dict[str, _Question]:
    responses, suggestions = ((row.get(what) or {}) for what in ("responses", "suggestions"))
    if isinstance(responses, list) or isinstance(suggestions, list):
        return _listed_questions(responses, suggestions)
    names = dict.fromkeys((*responses, *suggestions))
    return {
        name: _Question(tuple(_old_responses(responses.get(name) or [])), _value(suggestions.get(name)))
        for name in names
    }


def _listed_questions(responses: Any, suggestions: Any) -> dict[str, _Question]:
    """Questions of records as Argilla 1 keeps them: a list of annotators, each with the values of all questions."""
    found: dict[str, _Question] = {}
    for one in (response for response in responses or () if isinstance(response, Mapping)):
        for name, value in (one.get("values") or {}).items():
            response = _Response(_value(value), str(one.get("user_id") or ""), str(one.get("status") or ""))
            found[name] = replace(
                found.get(name, _Question()), responses=(*found.get(name, _Question()).responses, response)
            )
    for one in (suggestion for suggestion in suggestions or () if isinstance(suggestion, Mapping)):
        name = str(one.get("question_name"))
        found[name] = replace(found.get(name, _Question()), suggestion=one.get("value"))
    return found


def _old_responses(values: Any) -> list[_Response]:
    """Answers that are objects with `value`, `user_id` and, in some versions, `status`."""
    return [
        _Response(
            one.get("value"), str(one.get("user_id") or ""), str(one["status"] or "") if "status" in one else None
        )
        for one in values
        if isinstance(one, Mapping)
    ]


def _is_old_question(row: Row, key: str) -> bool:
    value = row[key]
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, Mapping) and {"value", "user_id"} <= one.keys() for one in value)
    )


def _value(of: Any) -> Any:
    return of.get("value") if isinstance(of, Mapping) else of


def _at(values: Any, n: int) -> str:
    return str(values[n] or "") if isinstance(values, list) and n < len(values) else ""


def _text(row: Row, log: FileLog) -> str:
    """The field that was annotated: `text`, else the longest one. Raises RowError where a record has none."""
    fields = row["fields"] if isinstance(row.get("fields"), Mapping) else row
    texts = {
        key: value
        for key, value in fields.items()
        if isinstance(value, str) and key not in SYSTEM_KEYS and not key.startswith("metadata.")
        and SUGGESTION not in key and OLD_SUGGESTION not in key
    }  # fmt: skip
    name = "text" if texts.get("text") else max(texts, key=lambda key: len(texts[key]), default="")
    if len(texts) > 1 and name != "text":
        log.note(f"several fields of text: the spans are taken to be of {name}")
    return passage_text(texts.get(name))


def _document(row: Row) -> str:
    return str(row.get("id") or row.get("external_id") or "")


def _meta(row: Row) -> Mapping[str, Any]:
    metadata = row.get("metadata")
    flat = {key.removeprefix("metadata."): value for key, value in row.items() if key.startswith("metadata.")}
    return dict(metadata) if isinstance(metadata, Mapping) else flat


def _holds_spans(value: Any) -> bool:
    if isinstance(value, Mapping):
        return isinstance(value.get("start"), list) and "label" in value
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, Mapping) and {"start", "end", "label"} <= one.keys() for one in value)
    )


def _is_record(row: Row) -> bool:
    if _is_token_record(row):
        return True
    if isinstance(row.get("fields"), Mapping):
        return "responses" in row or "suggestions" in row
    flat = any(key.endswith((f"{RESPONSES}.status", f"{RESPONSES}.users", f"{SUGGESTION}.agent")) for key in row)
    return flat or any(_is_old_question(row, key) and f"{key}{OLD_SUGGESTION}" in row for key in row)


def _is_token_record(row: Row) -> bool:
    return {"text", "tokens", "annotation", "prediction"} <= row.keys() and "prediction_agent" in row
