"""Reads the questions of Argilla's records in all export forms: flattened, nested, or of Argilla 1."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain_ner.readers.json_files.jsonl import Row

RESPONSES, SUGGESTION = ".responses", ".suggestion"
OLD_SUGGESTION = "-suggestion"


@dataclass(frozen=True)
class Response:
    """An annotator's answer to a question. status: None if the export has no status; "" if this one is empty."""

    value: Any
    user: str
    status: str | None


@dataclass(frozen=True)
class Question:
    """A question's answers and its suggestion."""

    responses: tuple[Response, ...] = ()
    suggestion: Any = None

    @property
    def is_span(self) -> bool:
        """Whether any answer, or the suggestion, has spans."""
        return any(_holds_spans(value) for value in (*(response.value for response in self.responses), self.suggestion))


def questions_of(row: Row) -> dict[str, Question]:
    """Collect the questions of a record, by name."""
    if isinstance(row.get("fields"), Mapping):
        return _nested_questions(row)
    responses = {key.removesuffix(RESPONSES): _flat_responses(row, key) for key in row if key.endswith(RESPONSES)} | {
        key: _old_responses(row[key]) for key in row if is_old_question(row, key)
    }
    suggestions = {
        key.removesuffix(suffix): value
        for key, value in row.items()
        for suffix in (SUGGESTION, OLD_SUGGESTION)
        if key.endswith(suffix)
    }
    names = dict.fromkeys((*responses, *suggestions))
    return {name: Question(tuple(responses.get(name, ())), suggestions.get(name)) for name in names}


def _flat_responses(row: Row, key: str) -> list[Response]:
    values = row[key] if isinstance(row[key], list) else []
    users, statuses = (row.get(f"{key}.{what}") for what in ("users", "status"))
    return [
        Response(value, _at(users, n), None if not isinstance(statuses, list) else _at(statuses, n))
        for n, value in enumerate(values)
    ]


def _nested_questions(row: Row) -> dict[str, Question]:
    containers = (row.get(what) for what in ("responses", "suggestions"))
    responses, suggestions = (container if isinstance(container, Mapping | list) else {} for container in containers)
    if isinstance(responses, list) or isinstance(suggestions, list):
        return _listed_questions(responses, suggestions)
    names = dict.fromkeys((*responses, *suggestions))
    return {name: Question(tuple(_old_responses(responses.get(name))), _value(suggestions.get(name))) for name in names}


def _listed_questions(responses: Any, suggestions: Any) -> dict[str, Question]:
    """Collect questions of Argilla 1's records: a list of annotators, each with the values of all questions."""
    questions: dict[str, Question] = {}
    for item in (response for response in responses or () if isinstance(response, Mapping)):
        values = item.get("values")
        for name, value in values.items() if isinstance(values, Mapping) else ():
            response = Response(_value(value), str(item.get("user_id") or ""), str(item.get("status") or ""))
            questions[name] = replace(
                questions.get(name, Question()), responses=(*questions.get(name, Question()).responses, response)
            )
    for item in (suggestion for suggestion in suggestions or () if isinstance(suggestion, Mapping)):
        name = str(item.get("question_name"))
        questions[name] = replace(questions.get(name, Question()), suggestion=item.get("value"))
    return questions


def _old_responses(values: Any) -> list[Response]:
    """Read answers in the form of objects with `value`, `user_id` and, in some versions, `status`."""
    return [
        Response(
            answer.get("value"),
            str(answer.get("user_id") or ""),
            str(answer["status"] or "") if "status" in answer else None,
        )
        for answer in (values if isinstance(values, list) else ())
        if isinstance(answer, Mapping)
    ]


def is_old_question(row: Row, key: str) -> bool:
    """Whether a key holds answers in the flattened form of Argilla 1."""
    value = row[key]
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(entry, Mapping) and {"value", "user_id"} <= entry.keys() for entry in value)
    )


def _value(of: Any) -> Any:
    return of.get("value") if isinstance(of, Mapping) else of


def _at(values: Any, n: int) -> str:
    return str(values[n] or "") if isinstance(values, list) and n < len(values) else ""


def _holds_spans(value: Any) -> bool:
    if isinstance(value, Mapping):
        return isinstance(value.get("start"), list) and "label" in value
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(entry, Mapping) and {"start", "end", "label"} <= entry.keys() for entry in value)
    )


def spans_in(value: Any) -> list[Any]:
    """Return the spans of an answer: a list of objects or of (label, start, end), or columns, as `datasets` writes it.

    An answer of another kind has none.
    """
    if isinstance(value, Mapping) and isinstance(value.get("start"), list):
        return [dict(zip(value, cells, strict=False)) for cells in zip(*value.values(), strict=False)]
    return value if isinstance(value, list) else []
