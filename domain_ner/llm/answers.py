"""Reads what a server answers: one JSON object or a stream of events; then the list that the model wrote in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from domain_ner.llm.budget import Tokens

THOUGHTS = re.compile(r"^.*?</think(?:ing)?>", re.DOTALL)
FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
LENGTH = "length"
# The key that the prompt asks for.
ENTITIES = "entities"
# Brackets at which a list may begin: more of them are the passage, quoted.
MAX_BRACKETS = 200
# Entities that are read of one answer: more than any passage has.
MAX_ENTITIES = 10_000


class BrokenAnswerError(ValueError):
    """A body that is no whole answer: broken off, or no JSON of the protocol."""


@dataclass(frozen=True)
class Answer:
    """What a model wrote. tokens: as the server counts them, None if it does not. is_cut_off: at the most tokens."""

    content: str
    tokens: Tokens | None
    is_cut_off: bool = False


@dataclass(frozen=True)
class Named:
    """An entity as a model names it. occurrence: which occurrence of the text in the passage, from 1; None: all."""

    text: str
    label: str
    occurrence: int | None = None


def read_answer(body: bytes, content_type: str = "") -> Answer:
    """Read the body of a chat completion: JSON, or server-sent events, also where the type does not say so.

    Raises BrokenAnswerError for anything else, and for a stream that ends before it says so.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise BrokenAnswerError from err
    is_stream = "event-stream" in content_type.lower() or re.match(r"\s*(?:data|event|id|retry)?:", text)
    try:
        return _streamed(text) if is_stream else _whole(_object(text))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as err:
        raise BrokenAnswerError from err


def _object(text: str) -> dict[str, Any]:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise BrokenAnswerError
    return content


def _whole(body: dict[str, Any]) -> Answer:
    choice = body["choices"][0]
    return Answer(_text(choice["message"].get("content")), _usage(body), choice.get("finish_reason") == LENGTH)


def _streamed(text: str) -> Answer:
    """Join the pieces of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    pieces: list[str] = []
    tokens, finish, is_whole = None, None, False
    for data in _events(text):
        if data.strip() == "[DONE]":
            is_whole = True
            break
        event = _object(data)
        if "error" in event:
            raise BrokenAnswerError
        tokens = _usage(event) or tokens
        for choice in event.get("choices") or ():
            if choice.get("index", 0) == 0:
                pieces.append(_text((choice.get("delta") or choice.get("message") or {}).get("content")))
                finish = choice.get("finish_reason") or finish
    if not is_whole and finish is None:
        raise BrokenAnswerError
    return Answer("".join(pieces), tokens, finish == LENGTH)


def _events(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in re.split(r"\r\n|\r|\n", text):
        name, _, value = line.partition(":")
        if not line and lines:
            yield "\n".join(lines)
            lines = []
        elif name == "data":
            lines.append(value.removeprefix(" "))
    # Lines that no empty line ends are no event: the stream broke off in it.


def _text(content: Any) -> str:
    """The text of a message: a string, or a list of parts of which some are text. None: the model wrote nothing."""
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise BrokenAnswerError
    return content


def _usage(body: dict[str, Any]) -> Tokens | None:
    usage = body.get("usage")
    counts = [usage.get(key) for key in ("prompt_tokens", "completion_tokens")] if isinstance(usage, dict) else []
    if not counts or not all(isinstance(count, int) and count >= 0 for count in counts):
        return None
    return Tokens(*(int(count or 0) for count in counts))


def read_entities(content: str) -> list[Named] | None:
    """Read the entities that a model listed: `[{"text": …, "label": …}]`, alone or under a key of an object.

    Thoughts before, a code fence around, and words beside the list are ignored. Entries of another shape come as
    entities with an empty label or text, so that they are counted.
    Returns None if there is no list.
    """
    text = THOUGHTS.sub("", content).strip()
    fenced = FENCE.search(text)
    for candidate in ([fenced[1]] if fenced else []) + [text]:
        found = _first_list(candidate)
        if found is not None:
            return [_named(entry) for entry in found[:MAX_ENTITIES]]
    return None


def _first_list(text: str) -> list[Any] | None:
    decoder = json.JSONDecoder()
    end = 0
    for start in islice(re.finditer(r"[\[{]", text), MAX_BRACKETS):
        if start.start() < end:
            continue
        try:
            value, end = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            continue
        found = _list_in(value)
        if found is not None:
            return found
    return None


def _list_in(value: Any) -> list[Any] | None:
    if isinstance(value, list):
        return value if all(isinstance(entry, dict) for entry in value) else None
    if not isinstance(value, dict):
        return None
    if isinstance(value.get(ENTITIES), list):
        return _list_in(value[ENTITIES])
    for kind in (list, dict):
        inner = [one for one in value.values() if isinstance(one, kind)]
        if inner:
            return _list_in(inner[0]) if len(inner) == 1 else None
    return None


def _named(entry: dict[str, Any]) -> Named:
    text, label, occurrence = entry.get("text"), entry.get("label"), entry.get("occurrence")
    is_number = isinstance(occurrence, int) and not isinstance(occurrence, bool)
    return Named(
        text if isinstance(text, str) else "",
        label if isinstance(label, str) else "",
        occurrence if is_number else None,
    )
