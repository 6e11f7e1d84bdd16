"""Permutation tests of many statistics: false alarms, power, limits, and what is behind a difference."""

import numpy as np
import pytest

from domain_ner.metrics.drift import (
    Distance,
    DriftSettings,
    Histogram,
    Ratio,
    compare_documents,
    compare_sums,
    contributions,
    psi,
)

# Columns: documents, tokens, entities of two types, a histogram of three bins, a vector of two numbers.
STATISTICS = [Ratio(2, 1), Ratio(3, 1), Ratio(1, 0), Histogram((4, 5, 6)), Distance((7, 8), 0)]
TESTING = DriftSettings(alpha=0.05, n_draws=199)


def documents(rng, n, *, rate=0.1, shift=0.0):
    tokens = rng.poisson(20, size=n) + 1
    # Entities of a document come together: a test that took them for independent would find too much.
    many = np.where(rng.random(n) < 0.1, 5.0, 0.5)
    entities = rng.poisson(rate * tokens * many)
    others = rng.poisson(0.05 * tokens)
    bins = rng.multinomial(1, [0.2, 0.3, 0.5], size=n) * entities[:, None]
    return np.column_stack([np.ones(n), tokens, entities, others, bins, rng.normal(shift, 1, size=(n, 2))])


def n_alarms(compare, n):
    found = 0
    for seed in range(n):
        rng = np.random.default_rng(seed)
        found += any(one.p_corrected <= TESTING.alpha for one in compare(documents(rng, 80), documents(rng, 60)))
    return found


def test_false_alarms_are_as_rare_as_promised():
    # 5 % of 200 windows: 10; more than 18 have a probability below 1 %.
    assert n_alarms(lambda before, now: compare_documents(before, now, STATISTICS, TESTING), 200) <= 18


def test_false_alarms_are_about_as_rare_where_only_sums_are_known():
    def compare(before, now):
        return compare_sums(before, now.sum(axis=0), len(now), STATISTICS, TESTING)

    assert n_alarms(compare, 200) <= 24


def test_a_shift_is_found_and_only_where_it_is():
    rng = np.random.default_rng(1)
    before, now = documents(rng, 400), documents(rng, 300, rate=0.3)
    found = compare_documents(before, now, STATISTICS, TESTING)
    assert [one.p_corrected <= 0.05 for one in found] == [True, False, False, False, False]
    assert found[0].window / found[0].reference == pytest.approx(3, rel=0.4)
    assert found[0].difference == pytest.approx(found[0].window - found[0].reference)
    moved = compare_documents(before, documents(rng, 300, shift=0.5), STATISTICS, TESTING)
    assert [one.p_corrected <= 0.05 for one in moved] == [False, False, False, False, True]
    assert moved[4].difference == pytest.approx(0.5 * 2**0.5, rel=0.3)


def test_a_shift_is_found_in_sums():
    rng = np.random.default_rng(1)
    now = documents(rng, 300, rate=0.3)
    found = compare_sums(documents(rng, 400), now.sum(axis=0), len(now), STATISTICS, TESTING)
    assert [one.p_corrected <= 0.05 for one in found] == [True, False, False, False, False]


def test_the_limit_of_the_largest_difference_agrees_with_its_p():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found = compare_documents(documents(rng, 80), documents(rng, 60, rate=0.15), STATISTICS, TESTING)
        first = min(found, key=lambda one: (one.p_corrected, one.p))
        assert (abs(first.difference) >= first.limit) == (first.p_corrected <= TESTING.alpha)


def test_corrected_p_are_never_below_those_of_a_statistic_alone():
    rng = np.random.default_rng(3)
    for one in compare_documents(documents(rng, 80), documents(rng, 60), STATISTICS, TESTING):
        assert 1 / 200 <= one.p <= one.p_corrected <= 1


def test_statistics_that_never_vary_are_no_finding():
    empty = np.zeros((10, 9))
    empty[:, 0] = 1
    assert all(one.p_corrected == 1 for one in compare_documents(empty, empty[:5], STATISTICS, TESTING))


def test_psi_is_the_sum_over_bins_and_an_empty_bin_is_no_infinite_difference():
    before, now = np.array([10.0, 20.0, 70.0]), np.array([20.0, 20.0, 60.0])
    shares = [(part + 0.5) / (part + 0.5).sum() for part in (before, now)]
    by_hand = sum((b - a) * np.log(b / a) for a, b in zip(*shares, strict=True))
    assert psi(before, now) == pytest.approx(by_hand)
    assert 0 < psi(np.array([0.0, 10.0]), np.array([10.0, 0.0])) < 10


@pytest.mark.parametrize("statistic", STATISTICS)
def test_the_documents_behind_a_difference_come_first(statistic):
    rng = np.random.default_rng(0)
    before, now = documents(rng, 300), documents(rng, 100)
    now[7, 1:] = [400, 90, 60, 85, 3, 2, 9, 9]  # long, full of entities of low confidence, far away
    added = contributions(now, (before.sum(axis=0), now.sum(axis=0)), statistic)
    assert added.shape == (100,) and added.argmax() == 7
