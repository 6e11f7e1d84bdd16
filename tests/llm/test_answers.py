"""Bodies of chat completions, whole and as streams, and the lists that models write in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.llm.answers import Answer, BrokenAnswerError, Named, read_answer, read_entities
from domain_ner.llm.budget import Tokens


def whole(content, **more):
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop", **more}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}).encode()


def stream(*pieces, finish="stop", done=True, newline="\n"):
    events = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    if finish:
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    lines = [f"data: {json.dumps(event)}" for event in events] + ["data: [DONE]"] * done
    return "".join(f": hi{newline}{line}{newline}{newline}" for line in lines).encode()


def test_one_json_is_read_with_its_usage():
    assert read_answer(whole("é 😀")) == Answer("é 😀", Tokens(5, 2))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("kind", ["text/event-stream; charset=utf-8", "application/json"])
def test_a_stream_is_joined_whatever_its_type_and_line_ends(newline, kind):
    assert read_answer(stream("a", "é", "c", newline=newline), kind) == Answer("aéc", None)


def test_a_stream_without_a_last_word_is_whole_if_it_gave_a_reason():
    assert read_answer(stream("a", done=False), "text/event-stream").content == "a"


def test_an_answer_that_reached_its_limit_says_so():
    assert read_answer(whole("a", finish_reason="length")).is_cut_off
    assert read_answer(stream("a", finish="length")).is_cut_off


def test_parts_of_text_are_joined_and_nothing_is_empty():
    assert (
        read_answer(whole([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}])).content
        == "ab"
    )
    assert read_answer(whole(None)).content == ""


@pytest.mark.parametrize("usage", [None, [], {"prompt_tokens": 5}, {"prompt_tokens": "5", "completion_tokens": 1},
                                   {"prompt_tokens": -5, "completion_tokens": 1}])  # fmt: skip
def test_usage_that_says_nothing_is_unknown(usage):
    body = json.dumps({"choices": [{"message": {"content": "a"}}], "usage": usage})
    assert read_answer(body.encode()).tokens is None


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"a"', b"\xff", b"<html>", b'{"choices": []}', b'{"choices": [{}]}', b'{"choices": 5}',
        b'{"choices": [{"message": {"content": 5}}]}', b'{"error": {}}', b"data: {", b"data: [DONE", b"[" * 100_000,
        stream("a", finish="", done=False), b'data: {"error": {"message": "x"}}\n\ndata: [DONE]\n\n', b"data: 5\n\n",
    ],
    ids=range(17),
)  # fmt: skip
def test_what_is_no_whole_answer_is_broken(body):
    with pytest.raises(BrokenAnswerError):
        read_answer(body)


@given(st.integers(min_value=1, max_value=400))
def test_a_stream_that_breaks_off_anywhere_is_broken(n_bytes):
    body = stream("aaaaaaa", "bbbbbbb", finish="")
    if n_bytes < len(body) - 1:
        with pytest.raises(BrokenAnswerError):
            read_answer(body[:n_bytes], "text/event-stream")


LISTED = [Named("Redis", "INFRA"), Named("Ops", "TEAM", 2)]
LIST = '[{"text": "Redis", "label": "INFRA"}, {"text": "Ops", "label": "TEAM", "occurrence": 2}]'


@pytest.mark.parametrize(
    "content",
    [
        LIST, f'{{"entities": {LIST}}}', f"```json\n{LIST}\n```", f"Here it is:\n```\n{LIST}\n```\nGood?",
        f"<think>[1, 2] is {{no}} list</think>\n{LIST}", f"In [the] text: {LIST}, that is all.",
        f'{{"note": "x", "result": {{"entities": {LIST}}}}}', f'{{"note": 5, "entities": {LIST}, "n": {{}}}}',
    ],
)  # fmt: skip
def test_a_list_is_found_in_what_is_around_it(content):
    assert read_entities(content) == LISTED


@pytest.mark.parametrize(
    "content", ["", "none", "{}", "[1]", '{"a": [], "b": []}', "[{", '"[]"'[:2], "5", "[" * 50_000]
)
def test_without_a_list_there_is_none(content):
    assert read_entities(content) is None


def test_an_empty_list_is_a_list():
    assert read_entities('{"entities": []}') == []


def test_entries_of_another_shape_are_kept_to_be_counted():
    assert read_entities('[{"label": "A"}, {"text": 5, "label": null, "occurrence": "2"}, {"occurrence": true}]') == [
        Named("", "A"), Named("", ""), Named("", "")
    ]  # fmt: skip


@given(st.text())
def test_no_text_of_a_model_is_too_odd(content):
    found = read_entities(content)
    assert found is None or all(isinstance(entity, Named) for entity in found)
