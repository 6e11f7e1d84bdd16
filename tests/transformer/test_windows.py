"""Every wordpiece is taken from exactly one window, and a token from the one in which it stands further inside."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.transformer.windows import cut_windows


@st.composite
def documents(draw):
    """Token numbers of wordpieces, the size of a window and the overlap."""
    lengths = draw(st.lists(st.integers(1, 4) | st.integers(5, 60), max_size=40))
    size = draw(st.integers(3, 40))
    overlap = draw(st.integers(0, (size - 1) // 2))
    return np.repeat(np.arange(len(lengths)), lengths), size, overlap


@given(documents())
def test_each_wordpiece_is_taken_once_from_a_window_that_holds_it(document):
    tokens, size, overlap = document
    windows = cut_windows(tokens, size=size, overlap=overlap)
    taken = [piece for window in windows for piece in range(window.first, window.last)]
    assert taken == list(range(len(tokens)))
    for window in windows:
        assert window.start <= window.first <= window.last <= window.end <= window.start + size
    for one, other in pairwise(windows):
        assert other.start == one.end - overlap
    assert windows[-1].end == len(tokens)


@given(documents())
def test_a_token_is_taken_from_the_window_where_it_stands_further_from_the_edge(document):
    tokens, size, overlap = document
    windows = cut_windows(tokens, size=size, overlap=overlap)
    for one, other in pairwise(windows):
        for token in set(tokens[other.start : one.end]):
            pieces = np.flatnonzero(tokens == token)
            if pieces[0] < other.start or pieces[-1] >= one.end:  # in one of the two only in part
                continue
            to_left_edge, to_right_edge = pieces[0] - other.start, one.end - 1 - pieces[-1]
            if to_right_edge > to_left_edge:
                assert pieces[-1] < one.last
            if to_left_edge > to_right_edge:
                assert pieces[0] >= other.first


def test_a_document_that_fits_is_one_window():
    assert cut_windows(np.arange(10), size=10, overlap=4) == [(0, 10, 0, 10)]


def test_an_empty_document_is_one_empty_window():
    assert cut_windows(np.arange(0), size=10, overlap=4) == [(0, 0, 0, 0)]


def test_a_token_longer_than_a_window_is_taken_in_parts():
    windows = cut_windows(np.zeros(25, dtype=int), size=10, overlap=4)
    assert [(window.first, window.last) for window in windows] == [(0, 8), (8, 14), (14, 20), (20, 25)]
