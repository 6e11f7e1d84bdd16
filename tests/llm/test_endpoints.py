"""Where the server is, which key it gets, and when a call is repeated."""

from datetime import UTC, datetime

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.llm.endpoints import chat_url, find_key, is_local, shown
from domain_ner.llm.retrying import Retries, is_retried, retry_after_s


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1/chat/completions"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1/chat/completions"),
        ("http://h/v1", "http://h/v1/chat/completions"),
        ("https://h/api/v1/", "https://h/api/v1/chat/completions"),
        ("https://h/v1/chat/completions", "https://h/v1/chat/completions"),
        ("https://h/v1/chat/completions/", "https://h/v1/chat/completions"),
        (" https://h/openai/x?api-version=2#top ", "https://h/openai/x/chat/completions?api-version=2"),
        ("http://[::1]:80", "http://[::1]:80/v1/chat/completions"),
    ],
)
def test_a_url_is_completed(given, expected):
    assert chat_url(given) == expected
    assert chat_url(expected) == expected


@pytest.mark.parametrize("given", ["", "localhost:8000", "ftp://h/v1", "http://", "http://h:99999", "http://[::1"])
def test_what_is_no_url_is_refused(given):
    with pytest.raises(DomainNerError, match="no URL of a server"):
        chat_url(given)


def test_a_url_with_a_password_is_refused_without_quoting_it():
    with pytest.raises(DomainNerError, match="user name or a password") as told:
        chat_url("https://user:secret@h/v1")
    assert "secret" not in str(told.value)


def test_a_query_which_may_hold_a_key_is_not_shown():
    assert shown("https://h/v1/chat/completions?key=secret") == "https://h/v1/chat/completions"


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("https://h/v1", {"DOMAIN_NER_LLM_KEY": "own", "OPENAI_API_KEY": "common"}, "own"),
        ("https://h/v1", {"OPENAI_API_KEY": "common\n"}, "common"),
        ("https://h/v1", {}, ""),
        ("http://127.0.0.1:8000/v1", {"OPENAI_API_KEY": "common"}, ""),
        ("http://localhost/v1", {"OPENAI_API_KEY": "common"}, ""),
        ("http://127.0.0.1:8000/v1", {"DOMAIN_NER_LLM_KEY": "own"}, "own"),
    ],
)
def test_the_key_is_that_of_the_environment_and_the_common_one_stays_off_this_machine(url, environment, expected):
    assert find_key(url, environment) == expected


@pytest.mark.parametrize("key", ["schlüssel", "a\nb: c"])
def test_a_key_that_no_header_can_hold_is_refused_without_quoting_it(key):
    with pytest.raises(DomainNerError, match="a header cannot") as told:
        find_key("https://h", {"DOMAIN_NER_LLM_KEY": key})
    assert key not in str(told.value)


def test_this_machine_is_known_by_name_and_address():
    assert all(map(is_local, ("http://localhost:1", "http://127.3.2.1", "http://[::1]:2", "http://a.localhost")))
    assert not any(map(is_local, ("http://localhost.example.org", "http://10.0.0.1", "http://127.example.org")))


def test_what_passes_is_repeated_and_what_does_not_is_not():
    assert all(map(is_retried, (408, 409, 425, 429, 500, 503, 529)))
    assert not any(map(is_retried, (200, 301, 400, 401, 403, 404, 413, 422)))


def test_pauses_double_up_to_the_longest_and_differ():
    retries = Retries(first_s=1.0, longest_s=8.0)
    for number, longest in enumerate((1.0, 2.0, 4.0, 8.0, 8.0)):
        pauses = {retries.pause_s(number) for _ in range(50)}
        assert longest / 2 <= min(pauses) and max(pauses) <= longest and len(pauses) > 40
    assert retries.pause_s(10**6) <= 8.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0), (" 0.5 ", 0.5), ("Mon, 30 Nov 2026 12:00:30 GMT", 30.0), ("Mon, 30 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 30 Nov 2026 13:00:10 +0100", 10.0), ("", 0.0), ("soon", 0.0), ("-5", 0.0), ("nan", 0.0), ("²", 0.0),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_and_as_a_date(value, seconds):
    assert retry_after_s(value, datetime(2026, 11, 30, 12, 0, tzinfo=UTC)) == seconds
