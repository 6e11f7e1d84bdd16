"""Edges of words, and how often chance finds them."""

from math import exp

import pytest

from domain_ner.readers.text_choice.word_edges import log_rates, n_edges


@pytest.mark.parametrize(
    ("start", "end", "n"), [(0, 3, 2), (0, 2, 1), (1, 2, 0), (3, 5, 1), (4, 5, 0), (5, 8, 2), (5, 9, 0), (6, 6, 0)]
)
def test_a_span_has_two_edges_or_fewer(start, end, n):
    assert n_edges("Ada, Bob", start, end) == n


def test_every_place_is_an_edge_where_words_are_not_spaced():
    assert n_edges("数据库很快", 1, 3) == 2
    assert log_rates("数据库很快") == (0.0, 0.0)


def test_rates_are_those_of_a_random_place():
    starts, ends = log_rates("Ada wins in Oslo")
    assert (round(exp(starts), 9), round(exp(ends), 9)) == (0.25, 0.25)
