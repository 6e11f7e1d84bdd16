"""The client against a real server on loopback: repeated, refused, too slow; no key and no text in a message."""

import builtins
import json
import threading
import time
from email.utils import formatdate

import pytest
from asked import NAMES, QUICK, TEXT, client_of, question
from llm_server import Behaviour, serving, wait_for

from domain_ner.errors import DomainNerError
from domain_ner.llm import failures
from domain_ner.llm.budget import Budget, Tokens
from domain_ner.llm.failures import CallFailedError, StoppedError
from domain_ner.llm.retrying import Retries

KEY = "sk-secret-0123456789"


def first(failure, n=1):
    """A server that fails the first calls for a text."""
    return lambda text, number: failure if number < n else None


def refusal(status, **error):
    return lambda handler, body: handler.error(status, error)


def test_the_answer_comes_with_the_usage_and_from_the_cache_the_second_time(tmp_path):
    does, budget = Behaviour(NAMES), Budget()
    with serving(does) as url, client_of(url, cache=tmp_path, budget=budget) as client:
        asked = [client.ask("a", question()) for _ in range(2)]
    assert asked[0] == asked[1] and "Redis" in asked[0].content
    assert does.n_calls == budget.calls == client.counts.n_answered == client.counts.n_cached == 1
    assert budget.spent == asked[0].tokens and budget.spent.total == does.tokens


def test_without_a_count_of_the_server_the_worst_case_is_spent():
    does, budget = Behaviour(NAMES, usage=False), Budget()
    with serving(does) as url, client_of(url, budget=budget) as client:
        client.ask("a", question())
        assert budget.spent == question().worst and client.counts.n_uncounted == 1


def test_a_stream_is_read_where_the_server_sends_one():
    with serving(Behaviour(NAMES, streams=True)) as url, client_of(url) as client:
        assert "checkout-api" in client.ask("a", question()).content


@pytest.mark.parametrize(
    "failure",
    ["status_500", "status_429", "hang_up", "truncated", "broken_json", "broken_stream",
     *map(refusal, (408, 409, 425, 502, 503, 529))],
)  # fmt: skip
def test_what_may_pass_is_repeated(failure):
    does = Behaviour(NAMES, first(failure, 2))
    with serving(does) as url, client_of(url) as client:
        assert "Redis" in client.ask("a", question()).content
    assert does.n_calls == 3 and client.counts.repeated.total() == 2


@pytest.mark.parametrize(
    ("failure", "reason"),
    [("status_500", "HTTP status 500"), ("broken_json", failures.BROKEN), ("truncated", failures.BROKEN)],
)
def test_what_does_not_pass_fails_for_this_passage_after_the_last_repetition(failure, reason):
    does = Behaviour(NAMES, lambda text, number: failure if text == "bad" else None)
    with serving(does) as url, client_of(url) as client:
        with pytest.raises(CallFailedError) as told:
            client.ask("a", question("bad"))
        assert "Redis" in client.ask("b", question()).content
    assert told.value.reason == reason and does.calls["bad"] == QUICK.n + 1


@pytest.mark.parametrize("failure", ["hang", "drip_body", "drip_headers"])
def test_no_server_evades_the_deadline_of_a_call(failure):
    does, once = Behaviour(NAMES, lambda text, number: failure), Retries(n=0)
    with serving(does) as url, client_of(url, timeout_s=0.15, retries=once) as client:
        start = time.monotonic()
        with pytest.raises(CallFailedError, match=failures.TIMEOUT):
            client.ask("a", question())
        assert 0.1 < time.monotonic() - start < 2.0


def test_an_answer_without_an_end_is_cut_off_by_its_size(monkeypatch):
    monkeypatch.setattr("domain_ner.llm.transport.MAX_BODY_BYTES", 1000)
    does = Behaviour(NAMES, lambda text, number: lambda handler, body: handler.send(200, b" " * 100_000))
    once = Retries(n=0)
    with serving(does) as url, client_of(url, retries=once) as client, pytest.raises(CallFailedError) as told:
        client.ask("a", question())
    assert told.value.reason == failures.OVERSIZED


@pytest.mark.parametrize("value", ["0.2", "date"])
def test_the_server_s_pause_is_kept(value):
    def busy(handler, body):
        handler.error(
            429, {}, [("Retry-After", formatdate(time.time() + 2, usegmt=True) if value == "date" else value)]
        )

    with serving(Behaviour(NAMES, first(busy))) as url, client_of(url) as client:
        start = time.monotonic()
        client.ask("a", question())
        assert time.monotonic() - start >= (0.9 if value == "date" else 0.2)


@pytest.mark.parametrize("value", ["3600", formatdate(4e9, usegmt=True)])
def test_a_pause_that_is_too_long_fails_the_call_at_once(value):
    does = Behaviour(NAMES, first(lambda handler, body: handler.error(429, {}, [("Retry-After", value)])))
    with serving(does) as url, client_of(url) as client:
        start = time.monotonic()
        with pytest.raises(CallFailedError, match=failures.BUSY):
            client.ask("a", question())
        assert time.monotonic() - start < 1 and does.n_calls == 1


@pytest.mark.parametrize(
    ("failure", "message", "fix"),
    [
        (refusal(400, code="invalid_value", message=KEY), "answered 400 (invalid_value)", "server's log"),
        (refusal(401, code="invalid_api_key", message=f"Incorrect: {KEY}"), "answered 401", "DOMAIN_NER_LLM_KEY"),
        (refusal(403, code=KEY), "answered 403", "DOMAIN_NER_LLM_KEY"),
        (refusal(404, code="model_not_found", message=TEXT), "'model-a'", "--model"),
        (refusal(429, code="insufficient_quota"), "no credit", "Add credit"),
        (refusal(307), "elsewhere", "--llm"),
        (refusal(402, message=TEXT), "answered 402", "--llm"),
    ],
)
def test_what_no_passage_would_pass_ends_the_run_and_quotes_neither_key_nor_text(failure, message, fix):
    does = Behaviour(NAMES, lambda text, number: failure)
    with serving(does) as url, client_of(url, key=KEY) as client:
        with pytest.raises(DomainNerError) as told:
            client.ask("a", question())
        with pytest.raises(DomainNerError):
            client.ask("b", question("other"))
    assert message in told.value.message and fix in told.value.fix and url in told.value.message
    assert KEY not in str(told.value) and TEXT not in str(told.value) and does.calls["other"] == 0


def test_the_key_is_sent_as_a_bearer_token_and_shown_nowhere():
    does = Behaviour(NAMES, key=KEY)
    with serving(does) as url:
        with client_of(url, key=KEY) as client:
            assert client.ask("a", question()) and KEY not in repr(client._endpoint)
        with client_of(url) as client, pytest.raises(DomainNerError, match="no key was given") as told:
            client.ask("a", question())
    assert KEY not in str(told.value)


def test_no_log_holds_the_key_the_text_or_the_query(caplog):
    """Also where all of it is logged."""
    does = Behaviour(NAMES, first("status_500", 2))
    with caplog.at_level("DEBUG"), serving(does) as url:
        with client_of(f"{url}/v1?token=hidden-1", key=KEY) as client:
            client.ask("a", question())
        for name in ("httpx", "httpcore"):
            caplog.set_level("DEBUG", name)
        with client_of(url, key=KEY) as client:
            client.ask("b", question())
    assert caplog.text and not any(word in caplog.text for word in (KEY, TEXT, "Redis", "hidden-1"))


def test_a_server_that_is_not_there_ends_the_run():
    with serving(Behaviour(NAMES)) as url:
        pass
    with client_of(url) as client, pytest.raises(DomainNerError, match="Cannot connect"):
        client.ask("a", question())
    assert client._budget.spent == Tokens()


@pytest.mark.parametrize(
    ("parameter", "given", "instead"),
    [
        ("response_format", "response_format", None),
        ("max_tokens", "max_tokens", "max_completion_tokens"),
        ("temperature", "temperature", None),
        (None, "response_format", None),
    ],
)
def test_what_the_server_does_not_take_is_left_out_of_all_later_calls(parameter, given, instead):
    def old(handler, body):
        error = {"param": parameter} if parameter else {}
        handler.error(400, error) if given in body else handler.say("[]", body)

    does = Behaviour(NAMES, lambda text, number: old)
    with serving(does) as url, client_of(url) as client:
        for key in "abc":
            client.ask(key, question())
    assert [given in body for body in does.bodies] == [True, False, False, False]
    assert instead is None or all(instead in body for body in does.bodies[1:])
    assert client._budget.calls == 4


def test_a_passage_too_long_for_the_model_costs_only_itself():
    messages = ("This model's maximum context length is 4096 tokens.", "the request exceeds the available context size")
    for error in ({"code": "context_length_exceeded"}, *({"message": message} for message in messages)):
        does = Behaviour(NAMES, lambda text, n, error=error: refusal(400, **error) if text == "long" else None)
        with serving(does) as url, client_of(url) as client:
            with pytest.raises(CallFailedError, match=failures.CONTEXT):
                client.ask("a", question("long"))
            assert client.ask("b", question()) and does.calls["long"] == 1 and client.dialect.is_structured


def test_closing_ends_calls_and_pauses_of_other_threads_at_once():
    does = Behaviour(NAMES, lambda text, number: "hang" if text == "slow" else "status_500")
    ends = []

    def ask(text):
        with pytest.raises(StoppedError):
            client.ask(text, question(text))
        ends.append(text)

    with serving(does) as url, client_of(url, timeout_s=60, retries=Retries(first_s=60, longest_s=60)) as client:
        threads = [threading.Thread(target=ask, args=(text,)) for text in ("slow", "paused")]
        for thread in threads:
            thread.start()
        wait_for(lambda: does.n_calls == 2 and client.counts.repeated)
        start = time.monotonic()
        client.close()
        for thread in threads:
            thread.join(10)
        assert sorted(ends) == ["paused", "slow"] and time.monotonic() - start < 5
        with pytest.raises(StoppedError):
            client.ask("c", question())


def test_half_a_surrogate_pair_is_sent_and_comes_back():
    with serving(Behaviour({"Redis": "INFRA"})) as url, client_of(url) as client:
        assert "Redis" in client.ask("a", question("Redis \ud83d")).content


def test_without_httpx_the_error_names_the_extra(monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments, **options):
        if name == "httpx":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(DomainNerError, match=r"domain-ner\[llm\]"), client_of("http://127.0.0.1:9"):
        pass


def test_requests_are_those_of_the_protocol():
    does = Behaviour(NAMES)
    with serving(does) as url, client_of(url) as client:
        client.ask("a", question())
    (body,) = does.bodies
    assert (body["model"], body["max_tokens"], body["stream"], body["temperature"]) == ("model-a", 100, False, 0.0)
    assert body["response_format"]["json_schema"]["strict"] is True and json.dumps(body["messages"])
    assert "Authorization" not in does.headers[0]
