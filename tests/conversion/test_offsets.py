"""Spans are located by their offsets and words, in whatever unit and text a tool counted."""

import re

import pytest
from offset_records import ACCENT, FAMILY, record

from domain_ner.annotations.records import Record, SourceSpan
from domain_ner.conversion import offsets
from domain_ner.conversion.offsets import LF_TO_CRLF, Reading, differs_by_unit, locate, readings, vote


def find(text, words):
    """The span of the first occurrence, in code points."""
    return text.index(words), text.index(words) + len(words)


def located(text, *spans, unit=None, **fields):
    return [(at.start, at.end) for at in locate(record(text, *spans, **fields), unit)]


def test_correct_offsets_into_plain_text_try_no_other_reading(monkeypatch):
    monkeypatch.setattr(offsets, "readings", None)
    monkeypatch.setattr(Reading, "boundaries", None)
    assert located("Redis runs", SourceSpan(0, 5, "X", "Redis"), SourceSpan(6, 10, "X")) == [(0, 5), (6, 10)]


@pytest.mark.parametrize(
    ("text", "start", "how"),
    [
        ("🔥 Redis", 2, ""),
        ("🔥 Redis", 3, "offsets in utf16"),
        ("🔥 Redis", 5, "offsets in byte"),
        (f"{FAMILY} Redis", 2, "offsets in grapheme"),
        ("a\r\n\r\nRedis", 3, r"offsets in codepoint after \r\n became \n"),
        ("a\n\nRedis", 5, r"offsets in codepoint after \n became \r\n"),
        ("  Redis", 0, "offsets in codepoint after the white space at the start was cut"),
        (
            "\n\n🔥🔥\n Redis",
            7,
            r"offsets in utf16 after \n became \r\n and the white space at the start was cut",
        ),
    ],
)
def test_a_repair_names_the_reading(text, start, how):
    (at,) = locate(record(text, SourceSpan(start, start + 5, "X", "Redis")), None)
    assert (text[at.start : at.end], at.repair) == ("Redis", how)


def test_spans_without_words_use_the_reading_of_spans_with_words():
    text = "🔥 Redis and Kafka"
    assert located(text, SourceSpan(3, 8, "X", "Redis"), SourceSpan(13, 18, "X")) == [(2, 7), (12, 17)]


def test_one_document_can_mix_two_units():
    text = "🔥 Redis and Kafka and Flink"
    right, drifted = SourceSpan(2, 7, "X", "Redis"), SourceSpan(13, 18, "X", "Kafka")
    assert located(text, right, drifted) == [(2, 7), (12, 17)]
    assert located(text, right, drifted, SourceSpan(23, 28, "X", "Flink")) == [(2, 7), (12, 17), (22, 27)]


def test_words_found_at_two_places_by_two_readings_are_reported():
    text = "\n🔥 gogo Redis"  # 4-6 is the first "go" in UTF-16, the second where the line end at the start was cut
    assert located(text, SourceSpan(8, 13, "X", "Redis"), SourceSpan(4, 6, "X", "go")) == [(8, 13), (None, None)]


def test_white_space_in_the_words_decides_between_readings():
    assert located(" Redis  x", SourceSpan(0, 6, "X", "Redis ")) == [(1, 7)]


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("Redis", ["codepoint"]),
        ("Zürich", ["codepoint", "grapheme", "byte"]),
        ("🔥", ["codepoint", "utf16", "grapheme", "byte"]),
    ],
)
def test_only_readings_that_can_differ_are_tried(text, units):
    assert list(readings(text)) == [Reading(unit) for unit in units]
    assert Reading("grapheme", LF_TO_CRLF) not in set(readings(f"{text}\n"))
    assert len(set(readings(f"{text}\n"))) == 2 * len(units) - ("grapheme" in units)
    assert list(readings(f" {text}"))[len(units) :] == [Reading(unit, trimmed=True) for unit in units]


@pytest.mark.parametrize(
    ("words", "said"),
    [("Berlin,  Germany", "Berlin, Germany"), ("New\nYork", r"New\nYork"), ("New\r\nYork", "New York")],
)
def test_white_space_that_the_tool_changed_is_ignored(words, said):
    text = f"In {words} it is."
    (at,) = locate(record(text, SourceSpan(*find(text, words), "X", said)), None)
    assert (text[at.start : at.end], at.repair) == (words, "")


@pytest.mark.parametrize(("words", "said"), [("Gbeloch", "Gbe"), ("simple text", "ple tex"), ("Bonn", "in Bonn")])
def test_offsets_win_over_words_from_before_a_correction(words, said):
    text = f"Some {words} with explanations in Bonn"
    (at,) = locate(record(text, SourceSpan(*find(text, words), "X", said)), None)
    assert text[at.start : at.end] == words
    assert at.repair == f"the tool's words differ, offsets used: {said!r} / {words!r}"


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [(4, 9, "Redis"), (6, 11, "Redis"), (5, 9, "Redis"), (5, 10, "R"), (5, 10, " "), (0, 10, "Kafka")],
)
def test_words_that_are_elsewhere_or_incomplete_are_reported(start, end, said):
    (at,) = locate(record("Some Redis here", SourceSpan(start, end, "X", said)), None)
    assert (at.start, at.end) == (None, None)
    assert repr(said) in at.fault


@pytest.mark.parametrize(
    ("start", "end", "fault"),
    [
        (5, 5, "it starts at 5 and ends at 5: expected start < end"),
        (7, 5, "it starts at 7 and ends at 5: expected start < end"),
        (-1, 5, "-1-5 is outside the text: it has 10 characters"),
        (5, 11, "5-11 is outside the text: it has 10 characters"),
        (None, 5, "its offsets are None and 5: expected two integers"),
        ("one", "5", "its offsets are 'one' and 5: expected two integers"),
        (1.5, 5, "its offsets are 1.5 and 5: expected two integers"),
        (False, 5, "its offsets are False and 5: expected two integers"),
    ],
)
@pytest.mark.parametrize("words", [None, "Redis"])
def test_invalid_offsets_are_reported(start, end, fault, words):
    (at,) = locate(record("Some Redis", SourceSpan(start, end, "X", words)), None)
    assert (at.start, at.end, at.fault) == (None, None, fault)


@pytest.mark.parametrize(("unit", "start", "end"), [("utf16", 1, 4), ("byte", 2, 6), ("utf16", 0, 1)])
def test_an_offset_inside_a_character_is_reported(unit, start, end):
    (at,) = locate(record("🔥 Redis", SourceSpan(start, end, "X"), unit=unit), None)
    assert at.fault == f"{start}-{end} splits a character"


def test_a_span_outside_a_text_that_looks_like_a_path_is_explained():
    (at,) = locate(record("/data/local/1.txt", SourceSpan(204, 215, "X", "Redis")), None)
    assert at.fault.endswith("(the text looks like a path or URL: export the text itself)")


def test_without_words_the_unit_of_the_record_is_used_or_else_the_given_one():
    text, span = f"{FAMILY} Redis", SourceSpan(2, 7, "X")
    assert located(text, span, unit="grapheme") == [(2, 7)]
    open_record = Record(text, (span,), "f", unit=None)
    (at,) = locate(open_record, "grapheme")
    assert (text[at.start : at.end], at.repair) == ("Redis", "offsets in grapheme")
    assert [(at.start, at.end) for at in locate(open_record, None)] == [(2, 7)]


def test_a_line_end_of_two_characters_is_one_grapheme():
    text = "A\r\nRedis"
    (at,) = locate(record(text, SourceSpan(2, 7, "X"), unit="grapheme"), None)
    assert text[at.start : at.end] == "Redis"


def voters(unit, texts=("The {} of Redis and Kafka.", "Use {}{} Flink, {} Spark!")):
    """Records whose spans are in the unit, with symbols that only some units count alike."""
    for symbol in ("🔥", FAMILY, ACCENT, "x"):
        for pattern in texts:
            text = pattern.replace("{}", symbol)
            bounds = Reading(unit).boundaries(text)
            words = [match.span() for match in re.finditer("Redis|Kafka|Flink|Spark", text)]
            yield record(text, *(SourceSpan(bounds[a], bounds[b], "X") for a, b in words), unit=None)


@pytest.mark.parametrize("unit", ["codepoint", "utf16", "grapheme"])
def test_vote_finds_the_unit_from_word_edges(unit):
    found, fits = vote(voters(unit))
    assert found == unit
    assert fits[unit] == 12  # of three symbols; where it is an x all units agree
    assert all(fits[other] < 12 for other in fits if other != unit)


@pytest.mark.parametrize("unit", ["codepoint", "utf16"])
def test_vote_decides_although_other_units_agree_on_every_span(unit):
    text = "🔥 Redis, 🔥🔥 Kafka"
    bounds = Reading(unit).boundaries(text)
    spans = [SourceSpan(bounds[a], bounds[b], "X") for a, b in (find(text, "Redis"), find(text, "Kafka"))]
    assert vote([record(text, *spans, unit=None)])[0] == unit


def test_white_space_at_the_edge_of_a_span_is_not_a_word_edge():
    assert vote([record("🔥 (C) Redis", SourceSpan(3, 6, "X"))])[0] == "utf16"


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record("Redis runs", SourceSpan(0, 5, "X"))],
        [record("Redis 🔥", SourceSpan(0, 5, "X"))],
        [record("🔥 京都市内観光", SourceSpan(3, 5, "X"))],
        [record("🔥 Redis", SourceSpan(2, 7, "X")), record("🔥 Redis", SourceSpan(3, 8, "X"))],
        [record("🔥 Redis", SourceSpan(2, 7, "X"))] * 3 + [record("🔥 Redis", SourceSpan(3, 8, "X"))] * 2,
        [record("🔥 Redis", SourceSpan(None, "7", "X"))],
    ],
    ids=["nothing", "plain text", "before the symbol", "no word edges", "one by one", "three by two", "no offsets"],
)
def test_vote_does_not_guess(records):
    assert vote(records)[0] is None


@pytest.mark.parametrize(
    ("text", "start", "end", "differs"),
    [
        ("🔥 Redis", 2, 7, True),
        ("Redis 🔥", 0, 5, False),
        (f"caf{ACCENT} Redis", 6, 11, True),
        ("Café Redis", 5, 10, False),
        ("A\r\nRedis", 3, 8, True),
        ("Redis", 0, 5, False),
        ("🔥 Redis", None, 7, False),
    ],
)
def test_differs_by_unit_depends_on_where_the_spans_are(text, start, end, differs):
    assert differs_by_unit(record(text, SourceSpan(start, end, "X"))) is differs


def test_lone_surrogates_do_not_stop_the_search():
    text = "\ud83d broken 🔥 Redis"
    assert located(text, SourceSpan(12, 17, "X", "Redis")) == [find(text, "Redis")]
