"""How a sample is divided among strata."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_ner.metrics.allocation import allocate, shares


def test_the_share_goes_with_size_times_deviation():
    """As Neyman: N_h S_h is 100 * 0.1, 100 * 0.3 and 300 * 0.2."""
    wanted = np.array([10, 30, 60]) / 100
    assert allocate(50, np.array([100, 100, 300]), wanted, [0, 0, 0]).tolist() == [5, 15, 30]


def test_small_strata_are_taken_whole_and_the_rest_goes_to_the_others():
    sizes = allocate(60, np.array([5, 100, 100]), np.array([0.5, 0.25, 0.25]), [8, 8, 8])
    assert sizes.tolist() == [5, 28, 27]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1)), min_size=1, max_size=8), st.integers(1, 300))
def test_all_are_given_out_within_the_limits(strata, n):
    sizes, weights = np.array([size for size, _ in strata]), np.array([weight + 1e-6 for _, weight in strata])
    least = np.minimum(sizes, 2)
    n = max(n, int(least.sum()))
    found = allocate(n, sizes, weights / weights.sum(), least)
    assert found.sum() == min(n, sizes.sum())
    assert ((found >= least) & (found <= sizes)).all()


def test_doubtful_predictions_draw_more_of_the_sample_and_rare_types_have_a_say():
    n_passages = np.array([100, 100, 100])
    n_predicted = np.array([[100, 0], [100, 0], [0, 10]])
    spurious = np.array([[20.0, 0], [1.0, 0], [0, 1.0]])
    found = shares(n_passages, n_predicted, spurious, np.zeros((3, 2)))
    assert found.sum() == pytest.approx(1)
    assert found[0] > 1.2 * found[1]
    assert found[2] > 0.3


def test_without_predictions_the_shares_are_those_of_the_passages():
    nothing = np.zeros((2, 1))
    assert shares(np.array([30, 10]), nothing.astype(int), nothing, nothing).tolist() == [0.75, 0.25]
