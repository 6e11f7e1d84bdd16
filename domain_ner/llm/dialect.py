"""How servers of one protocol differ: what a request may name, and what their errors say."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from domain_ner.llm.questions import Question

# Codes are words of the server; anything else may quote the key or the text.
CODE = re.compile(r"[a-z][a-z0-9]*(?:[_.][a-z0-9]+){0,8}", re.IGNORECASE)
MAX_CODE = 48
# As OpenAI, vLLM, llama.cpp and others say that a text is too long.
CONTEXT_CODES = {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
CONTEXT = re.compile(
    r"context (?:length|window|size)|maximum (?:context|model|input|sequence) ?length|prompt is too long|"
    r"too many (?:input )?tokens|input is too long|reduce the length",
    re.IGNORECASE,
)
QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached"}
REFUSED_PARAMETERS = (400, 422)


@dataclass(frozen=True)
class Problem:
    """What the body of an error says. code: a word, or empty. parameter: that the server rejects, or empty."""

    code: str = ""
    parameter: str = ""
    is_context: bool = False
    is_quota: bool = False


def read_problem(body: bytes) -> Problem:
    """Read the body of an error, of which nothing but its code and the parameter's name may be shown."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = {"message": body[:2000].decode("utf8", "replace")}
    error = content.get("error", content) if isinstance(content, dict) else {}
    error = error if isinstance(error, dict) else {"message": str(error)}
    names = [_word(error.get("code")), _word(error.get("type"))]
    is_context = bool(CONTEXT_CODES & set(names)) or CONTEXT.search(str(error.get("message", ""))) is not None
    code = next(filter(None, names), "")
    return Problem(code, _word(error.get("param")), is_context, bool(QUOTA_CODES & set(names)))


def _word(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= MAX_CODE and CODE.fullmatch(value) else ""


@dataclass
class Dialect:
    """What the server takes, as far as its answers say.

    is_structured: `response_format` with a schema. limit: the name of the most tokens of an answer, which newer models
    call `max_completion_tokens`. has_temperature: some models have a fixed one.
    """

    is_structured: bool = True
    limit: str = "max_tokens"
    has_temperature: bool = True

    def copy(self) -> "Dialect":
        """What is known now: another thread may learn more in the meantime."""
        return replace(self)

    def body(self, model: str, question: Question) -> dict[str, Any]:
        """Make the body of a request (https://platform.openai.com/docs/api-reference/chat)."""
        body: dict[str, Any] = {"model": model, "messages": [dict(message) for message in question.messages]}
        body |= {self.limit: question.max_tokens, "stream": False}
        if self.has_temperature:
            body["temperature"] = question.temperature
        if self.is_structured and question.schema is not None:
            schema = {"name": "entities", "strict": True, "schema": question.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def adapt(self, status: int, problem: Problem, seen: "Dialect", question: Question) -> bool:
        """Leave out, for all later calls, what a call was refused for; returns whether the call is worth another try.

        seen: what the refused call was made with: if that has changed, the call is made again as it is now.
        """
        if status not in REFUSED_PARAMETERS:
            return False
        if seen != self:
            return True
        if problem.parameter == "max_tokens" and self.limit == "max_tokens":
            self.limit = "max_completion_tokens"
        elif problem.parameter == "temperature" and self.has_temperature:
            self.has_temperature = False
        elif self.is_structured and question.schema is not None:
            self.is_structured = False
        else:
            return False
        return True
