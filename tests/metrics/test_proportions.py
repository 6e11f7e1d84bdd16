"""The interval of a share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.metrics.proportions import wilson_interval


@pytest.mark.parametrize(
    ("n_correct", "n", "interval"),
    [(8, 10, (0.4902, 0.9433)), (1, 2, (0.0945, 0.9055)), (0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0))],
)
def test_wilsons_interval_is_that_of_the_books(n_correct, n, interval):
    assert wilson_interval(n_correct, n) == pytest.approx(interval, abs=5e-4)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_holds_the_share_and_stays_within_0_and_1(of):
    n_correct, n = of
    low, high = wilson_interval(n_correct, n)
    assert 0 <= low <= n_correct / n <= high <= 1
    assert low < high
