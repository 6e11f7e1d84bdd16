"""Prodigy's tokens and spans: words and spaces, and which of offsets, token indices and text counts."""

from functools import partial

import pytest
from prodigy_exports import TEAM, TOKENS, read_row, read_rows, task


@pytest.fixture
def read(tmp_path):
    return partial(read_rows, tmp_path)


@pytest.fixture
def read_one(tmp_path):
    return partial(read_row, tmp_path)


def test_overlapping_spans_pass_through(read_one):
    spans = [TEAM, TEAM | {"end": 4}, TEAM]
    assert len(read_one(task(spans=spans, _view_id="spans_manual")).spans) == 3


def test_tokens_become_words_and_spaces(read_one):
    record = read_one(task(tokens=TOKENS))
    assert record.words == ("Payments", "uses", "Redis", ".")
    assert record.spaces == (True, True, False, False)


def test_tokens_without_ws_are_spaced_by_their_offsets(read_one):
    old = [{key: value for key, value in token.items() if key != "ws"} for token in TOKENS]
    assert read_one(task(tokens=old)).spaces == (True, True, False, False)


def test_a_space_after_the_last_token_that_the_text_lacks_is_left_out(read_one):
    assert read_one(task(tokens=[*TOKENS[:-1], TOKENS[-1] | {"ws": True}])).spaces == (True, True, False, False)


def test_tokens_that_do_not_make_up_the_text_are_not_used(read):
    (record,), log = read(task(tokens=TOKENS[:-1]))
    assert (record.words, record.spaces) == (None, None)
    assert log.notes == ["tokens that do not make up their text are not used"]


def at_tokens(first, last, **changes):
    return TEAM | {"token_start": first, "token_end": last} | changes


def test_stale_text_is_ignored_if_offsets_and_tokens_agree(read_one):
    (span,) = read_one(task(tokens=TOKENS, spans=[at_tokens(0, 0, text="Pay")])).spans
    assert (span.start, span.end, span.text) == (0, 8, None)
    assert span.repairs == ("stale text of the span ignored: 'Pay' / 'Payments'",)


def test_text_of_a_span_without_token_indices_is_passed_on(read_one):
    (span,) = read_one(task(spans=[TEAM | {"text": "Pay"}])).spans
    assert (span.text, span.repairs) == ("Pay", ())


def test_the_text_decides_between_offsets_and_tokens(read_one):
    (span,) = read_one(task(tokens=TOKENS, spans=[at_tokens(0, 1, text="Payments uses")])).spans
    assert (span.start, span.end) == (0, 13)
    assert span.repairs == ("token indices used where the offsets disagree: 0-13 instead of 0-8",)


@pytest.mark.parametrize("extra", [{}, {"text": "Payments"}])
def test_offsets_win_over_tokens_unless_the_text_confirms_the_tokens(read_one, extra):
    (span,) = read_one(task(tokens=TOKENS, spans=[at_tokens(0, 1, **extra)])).spans
    assert (span.start, span.end) == (0, 8)
    assert span.repairs == ("offsets used where the token indices disagree: the tokens are at 0-13",)


def test_a_span_of_tokens_alone_gets_its_offsets_from_them(read_one):
    (span,) = read_one(task(tokens=TOKENS, spans=[{"token_start": 2, "token_end": 3, "label": "INFRA"}])).spans
    assert (span.start, span.end) == (14, 20)


def test_invalid_offsets_are_left_to_the_conversion(read_one):
    spans = [TEAM | {"end": 99}, TEAM | {"start": "zero"}, {"label": "TEAM"}]
    assert [(span.start, span.end) for span in read_one(task(spans=spans)).spans] == [
        (0, 99),
        ("zero", 8),
        (None, None),
    ]


def test_a_span_that_is_not_an_object_is_kept_with_its_fault(read_one):
    (span,) = read_one(task(spans=["Payments"])).spans
    assert span.fault == "it is 'Payments': expected an object with start, end and label"
