from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.near_duplicates import near_duplicates, word_ngrams

TEXTS = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9).map(" ".join), max_size=12)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 1.0])
@given(texts=TEXTS)
def test_equals_comparing_every_pair(texts, threshold):
    sets = [word_ngrams(text, 2) for text in texts]
    expected = {
        (a, b)
        for a, b in combinations(range(len(texts)), 2)
        if len(sets[a] & sets[b]) >= threshold * len(sets[a] | sets[b])
    }
    assert {(a, b) for a, b, _ in near_duplicates(texts, n=2, threshold=threshold)} == expected


def test_case_and_punctuation_do_not_matter():
    ((first, second, similarity),) = near_duplicates(["One two, three!", "other", "one TWO three"], n=2, threshold=0.5)
    assert (first, second, similarity) == (0, 2, 1.0)


def test_texts_without_words_are_like_nothing():
    assert list(near_duplicates(["...", "!!!", ""], n=5, threshold=0.5)) == []
