"""The intervals hold the truth as often as they say, and what is false is not proven, over many samples.

`benchmark-review` draws 1,000 samples of more populations; here `SAMPLES=1000` does.
"""

import os
import sys
from math import sqrt

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "benchmarks"))

from _review.coverage import cover
from _review.populations import make_truth

SAMPLES = int(os.environ.get("SAMPLES", "300"))
# Three standard errors of a share of 5 %, and what small samples miss: benchmark-review found 92.6 % for one measure.
ERROR = 0.005 + 3 * sqrt(0.05 * 0.95 / SAMPLES)


@pytest.fixture(scope="module")
def coverage():
    return cover(make_truth(5000, 1), 400, SAMPLES, seed=1, on_sample=lambda: None)


@pytest.mark.slow
def test_95_percent_of_the_intervals_hold_the_truth_or_more_where_hardly_any_error_is_seen(coverage):
    held = {(one.label, one.measure): 1 - (one.n_below + one.n_above) / SAMPLES for one in coverage}
    assert all(share > 0.95 - ERROR for share in held.values()), held
    assert sum(share < 0.95 + ERROR for share in held.values()) > len(held) / 2, held


@pytest.mark.slow
def test_a_false_contract_is_proven_in_at_most_5_percent(coverage):
    proven = {(one.label, one.measure): one.n_false / SAMPLES for one in coverage}
    assert all(share < 0.05 + ERROR for share in proven.values()), proven
