"""The probability of a span, given what a recogniser and a language model say."""

import pytest

from domain_ner.llm_fallback.joining import Trust, join, select


def test_probabilities_are_joined_by_the_rule_of_bayes():
    trust = Trust(named=0.8, misnamed=0.1, alone=0.3)
    assert trust.join(0.5, is_named=True) == pytest.approx(0.8 / 0.9)
    assert trust.join(0.5, is_named=False) == pytest.approx(0.2 / 1.1)
    assert trust.join(None, is_named=True) == 0.3
    likely = join({(0, 1, "A"): 0.5, (2, 3, "A"): 0.5}, [(0, 1, "A"), (4, 6, "A")], {"A": trust})
    assert likely == pytest.approx({(0, 1, "A"): 0.8 / 0.9, (2, 3, "A"): 0.2 / 1.1, (4, 6, "A"): 0.3})
    assert select({(0, 2, "A"): 0.9, (1, 3, "A"): 0.8, (3, 4, "A"): 0.4}, {"A": 0.5}) == [(0, 2, "A")]
