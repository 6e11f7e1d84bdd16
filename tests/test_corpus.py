"""The shipped example: large enough, and annotated by its own boundary rules."""

import re
from collections import Counter

import pytest
from conftest import LABELS

MINIMUM_PASSAGES = 250
MINIMUM_MENTIONS = 60
TRAILING_NOUN = {"SERVICE": r" (service|API|app)\b", "TEAM": r" (team|squad|guild)\b"}


@pytest.fixture(scope="module")
def mentions(example_rows):
    """Every mention as (label, surface, what follows in the text)."""
    return [
        (span["label"], row["text"][span["start"] : span["end"]], row["text"][span["end"] : span["end"] + 12])
        for row in example_rows
        for span in row["spans"]
    ]


def test_there_are_enough_passages_and_mentions_of_each_type(example_rows, mentions):
    assert len(example_rows) >= MINIMUM_PASSAGES
    counts = Counter(label for label, _, _ in mentions)
    assert set(counts) == set(LABELS)
    assert min(counts.values()) >= MINIMUM_MENTIONS


def test_every_passage_says_which_organisation_and_genre_it_is(example_rows):
    assert all(row["meta"].keys() >= {"org", "source"} for row in example_rows)
    assert len({row["meta"]["org"] for row in example_rows}) >= 15


def test_no_span_holds_quotes_final_punctuation_a_possessive_or_an_article(mentions):
    bad = re.compile(r"^[\"'`(\s]|[\"'`.,;:!?\s]$|['’]s$|^(the|a|an) ", re.IGNORECASE)
    exceptions = {"The Things Stack"}  # a product whose name begins with the article
    assert not [surface for _, surface, _ in mentions if bad.search(surface) and surface not in exceptions]


def test_a_noun_that_belongs_to_the_name_is_inside_the_span(mentions):
    outside = [m for m in mentions if m[0] in TRAILING_NOUN and re.match(TRAILING_NOUN[m[0]], m[2])]
    assert not outside


def test_keys_have_no_value_and_paths_no_host_or_query(mentions):
    assert not [surface for label, surface, _ in mentions if label == "CONFIG" and "=" in surface]
    paths = [surface for label, surface, _ in mentions if label == "ENDPOINT"]
    assert all(path.startswith("/") and "?" not in path and "://" not in path for path in paths)


def test_tokens_and_spans_agree_as_in_a_real_export(example_rows):
    for row in example_rows:
        tokens = row["tokens"]
        assert "".join(token["text"] + " " * token["ws"] for token in tokens) == row["text"]
        for span in row["spans"]:
            assert tokens[span["token_start"]]["start"] == span["start"]
            assert tokens[span["token_end"]]["end"] == span["end"]
