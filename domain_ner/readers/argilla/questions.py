"""The questions of Argilla's records, however an export keeps them: flattened, nested, or as Argilla 1 did."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain_ner.readers.json_files.jsonl import Row

RESPONSES, SUGGESTION = ".responses", ".suggestion"
OLD_SUGGESTION = "-suggestion"


@dataclass(frozen=True)
class Response:
    """An annotator's answer to a question. status: None where the export does not say; "" where it says none."""

    value: Any
    user: str
    status: str | None


@dataclass(frozen=True)
class Question:
    """A question's answers and its suggestion. is_span: whether any of them holds spans."""

    responses: tuple[Response, ...] = ()
    suggestion: Any = None

    @property
    def is_span(self) -> bool:
        """Whether any answer, or the suggestion, holds spans."""
        return any(_holds_spans(value) for value in (*(one.value for one in self.responses), self.suggestion))


def questions_of(row: Row) -> dict[str, Question]:
    """The questions of a record, by their names."""
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
    found = (row.get(what) for what in ("responses", "suggestions"))
    responses, suggestions = (one if isinstance(one, Mapping | list) else {} for one in found)
    if isinstance(responses, list) or isinstance(suggestions, list):
        return _listed_questions(responses, suggestions)
    names = dict.fromkeys((*responses, *suggestions))
    return {name: Question(tuple(_old_responses(responses.get(name))), _value(suggestions.get(name))) for name in names}


def _listed_questions(responses: Any, suggestions: Any) -> dict[str, Question]:
    """Questions of records as Argilla 1 keeps them: a list of annotators, each with the values of all questions."""
    found: dict[str, Question] = {}
    for one in (response for response in responses or () if isinstance(response, Mapping)):
        values = one.get("values")
        for name, value in values.items() if isinstance(values, Mapping) else ():
            response = Response(_value(value), str(one.get("user_id") or ""), str(one.get("status") or ""))
            found[name] = replace(
                found.get(name, Question()), responses=(*found.get(name, Question()).responses, response)
            )
    for one in (suggestion for suggestion in suggestions or () if isinstance(suggestion, Mapping)):
        name = str(one.get("question_name"))
        found[name] = replace(found.get(name, Question()), suggestion=one.get("value"))
    return found


def _old_responses(values: Any) -> list[Response]:
    """Answers that are objects with `value`, `user_id` and, in some versions, `status`."""
    return [
        Response(one.get("value"), str(one.get("user_id") or ""), str(one["status"] or "") if "status" in one else None)
        for one in (values if isinstance(values, list) else ())
        if isinstance(one, Mapping)
    ]


def is_old_question(row: Row, key: str) -> bool:
    """Whether a key holds answers as Argilla 1 flattened them."""
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


def _holds_spans(value: Any) -> bool:
    if isinstance(value, Mapping):
        return isinstance(value.get("start"), list) and "label" in value
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, Mapping) and {"start", "end", "label"} <= one.keys() for one in value)
    )


def spans_in(value: Any) -> list[Any]:
    """The spans of an answer: a list of objects or of (label, start, end), or columns, as `datasets` writes it; none in
    an answer of another kind.
    """
    if isinstance(value, Mapping) and isinstance(value.get("start"), list):
        return [dict(zip(value, cells, strict=False)) for cells in zip(*value.values(), strict=False)]
    return value if isinstance(value, list) else []
