"""Choosing spans that do not overlap, against trying all sets of them."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.crf_ner.selection import ProbableSpan, select_candidates, select_non_overlapping

SPANS = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3), st.integers(0, 1)), max_size=7, unique=True)


def overlap(one, other):
    return one.start < other.end and other.start < one.end


@given(SPANS, st.data())
def test_no_other_set_has_a_larger_sum(given_spans, data):
    spans = [ProbableSpan(start, start + length, label, 0.0) for start, length, label in given_spans]
    gains = [data.draw(st.integers(-4, 8)) / 8 for _ in spans]
    chosen = select_non_overlapping(spans, gains)
    assert not any(overlap(spans[one], spans[other]) for one, other in combinations(chosen, 2))
    assert [spans[n].start for n in chosen] == sorted(spans[n].start for n in chosen)
    legal = [
        numbers
        for size in range(len(spans) + 1)
        for numbers in combinations(range(len(spans)), size)
        if not any(overlap(spans[one], spans[other]) for one, other in combinations(numbers, 2))
    ]
    best = max(sum(gains[n] for n in numbers) for numbers in legal)
    assert sum(gains[n] for n in chosen) == pytest.approx(best)


def test_what_gains_nothing_is_not_chosen():
    assert select_non_overlapping([ProbableSpan(0, 1, 0, 0.0), ProbableSpan(1, 2, 0, 0.0)], [0.0, -0.1]) == []


def test_touching_spans_do_not_overlap():
    assert select_non_overlapping([ProbableSpan(1, 2, 0, 0.0), ProbableSpan(0, 1, 0, 0.0)], [0.1, 0.1]) == [1, 0]


def test_two_short_spans_can_beat_a_long_one():
    spans = [ProbableSpan(0, 2, 0, 0.0), ProbableSpan(0, 1, 0, 0.0), ProbableSpan(1, 2, 1, 0.0)]
    assert select_non_overlapping(spans, [0.5, 0.3, 0.3]) == [1, 2]
    assert select_non_overlapping(spans, [0.7, 0.3, 0.3]) == [0]


def test_candidates_are_the_most_probable_over_one_of_their_tokens():
    spans = [
        ProbableSpan(0, 1, 0, -0.1),
        ProbableSpan(0, 2, 0, -1.0),
        ProbableSpan(1, 2, 0, -2.0),
        ProbableSpan(0, 1, 1, -3.0),
    ]
    assert select_candidates(spans, {(0, 1, 0)}, 1) == [spans[1]]
    assert select_candidates(spans, {(0, 1, 0)}, 2) == spans[1:]
