"""Estimates from stratified samples, against exact results and simulated populations."""

from math import comb

import numpy as np
import pytest

from domain_ner.metrics.design_based import Estimator
from domain_ner.metrics.stratified import Population, Reviewed, cells, draw, estimate


def population(*strata):
    """strata: (passages, passages with predictions, predictions) of each."""
    return Population(*np.array(strata).T)


def reviewed(*rows):
    """rows: (stratum, correct, predicted, gold)."""
    table = np.array(rows)
    return Reviewed(table[:, 0], table[:, 1:])


def test_a_census_is_exact():
    rows = [(0, 1, 2, 1), (0, 0, 0, 1), (1, 1, 1, 1), (1, 0, 0, 0)]
    of_cells = cells(population((2, 1, 2), (2, 1, 1)), reviewed(*rows))
    assert estimate(of_cells).tolist() == [2, 1, 1]
    assert (draw(of_cells, np.random.default_rng(0), 50) == [2, 1, 1]).all()


def test_strata_weigh_as_much_as_they_represent():
    """All 10 passages of the first stratum are wrong, all 90 of the second right; five of each are reviewed."""
    rows = [(0, 0, 1, 0)] * 5 + [(1, 1, 1, 1)] * 5
    found = Estimator(population((10, 10, 10), (90, 90, 90)), reviewed(*rows)).estimates()
    assert found["precision"].value == pytest.approx(0.9)
    assert found["recall"].value == 1


def test_the_known_number_of_predictions_corrects_a_sample_with_too_few_of_them():
    """Half of the passages have a prediction, though only a fourth of the sample has one."""
    rows = [(0, 1, 1, 1)] * 5 + [(0, 0, 0, 0)] * 14 + [(0, 0, 0, 1)]
    correct, spurious, missed = estimate(cells(population((100, 50, 60)), reviewed(*rows)))
    assert (correct, spurious) == (60, 0)
    assert missed == pytest.approx(50 / 15)


def test_predictions_of_a_stratum_without_reviewed_ones_are_estimated_by_the_others():
    rows = [(0, 1, 1, 1)] * 6 + [(0, 0, 1, 0)] * 2 + [(0, 0, 0, 0)] * 4 + [(1, 0, 0, 0)] * 4
    correct, spurious, _ = estimate(cells(population((20, 10, 10), (20, 10, 10)), reviewed(*rows)))
    assert correct + spurious == pytest.approx(20)
    assert correct == pytest.approx(15)


@pytest.mark.parametrize(("n_all", "n"), [(100, 20), (1000, 60), (40, 30)])
def test_without_any_error_the_bound_is_at_least_as_careful_as_the_exact_one(n_all, n):
    """Of the hypergeometric distribution: with more errors than this, a sample without one has less than 5 %."""
    exact = next(k for k in range(n_all) if comb(n_all - k - 1, n) / comb(n_all, n) < 0.05)
    estimator = Estimator(population((n_all, n_all, n_all)), reviewed(*[(0, 1, 1, 1)] * n))
    bound = estimator.lower_bound("precision", 0.95)
    assert 1 - exact / n_all - 0.05 < bound <= 1 - exact / n_all + 0.01


def test_a_sample_without_a_missed_entity_does_not_prove_that_none_is_missed():
    rows = [(0, 1, 1, 1)] * 10 + [(1, 0, 0, 0)] * 30
    found = Estimator(population((10, 10, 10), (1000, 0, 0)), reviewed(*rows)).estimates()["recall"]
    assert (found.value, found.interval.high) == (1, 1)
    assert found.interval.low < 0.15


def test_what_nobody_predicted_has_no_precision():
    found = Estimator(population((50, 0, 0)), reviewed(*[(0, 0, 0, 1)] * 4 + [(0, 0, 0, 0)] * 6)).estimates()
    assert found["precision"].value is None
    assert found["recall"].value == 0
    empty = Estimator(population((50, 0, 0)), reviewed(*[(0, 0, 0, 0)] * 6))
    assert empty.estimates()["recall"].value is None
    assert empty.lower_bound("recall", 0.95) == 0


def test_errors_that_come_together_make_the_interval_wider():
    """Ten wrong of 100 in ten passages, or all in one."""
    spread = [(0, 1, 2, 1)] * 10 + [(0, 2, 2, 2)] * 40
    together = [(0, 0, 10, 0)] + [(0, 2, 2, 2)] * 45
    widths = []
    for rows in (spread, together):
        found = Estimator(population((5000, 5000, 10_000)), reviewed(*rows)).estimates()["precision"]
        widths.append(found.interval.high - found.interval.low)
    assert widths[1] > 1.5 * widths[0]


def test_a_larger_share_of_the_population_makes_the_interval_narrower():
    rows = [(0, 1, 1, 1)] * 40 + [(0, 0, 1, 0)] * 10
    widths = []
    for n_all in (5000, 100, 55):
        found = Estimator(population((n_all, n_all, n_all)), reviewed(*rows)).estimates()["precision"]
        widths.append(found.interval.high - found.interval.low)
    assert widths == sorted(widths, reverse=True)
    assert widths[2] < 0.06


def test_the_forecast_is_about_the_size_that_suffices():
    def sample(n):
        return Estimator(population((20_000, 20_000, 20_000)), reviewed(*[(0, 1, 1, 1)] * (9 * n) + [(0, 0, 1, 0)] * n))

    def width(estimator, factor=1.0):
        interval = estimator.estimates(factor=factor)["precision"].interval
        return interval.high - interval.low

    first = sample(10)
    n_more = first.n_more(lambda factor: width(first, factor) <= 0.06)
    assert width(sample((100 + n_more) // 10)) == pytest.approx(0.06, rel=0.1)
    assert first.n_more(lambda factor: width(first, factor) <= 0.5) == 0
    assert first.n_more(lambda factor: first.lower_bound("precision", 0.95, factor=factor) >= 0.95) is None


def test_the_seed_decides_the_interval():
    def interval(seed):
        rows = [(0, 1, 1, 1)] * 20 + [(0, 0, 1, 0)] * 5
        return Estimator(population((500, 500, 500)), reviewed(*rows), seed=seed).estimates()["f1"].interval

    assert interval(1) == interval(1) != interval(2)


@pytest.mark.slow
def test_95_percent_of_the_intervals_hold_the_truth():
    """400 samples of a stratified population with clusters; the binomial error of that share is 1.1 points."""
    rng = np.random.default_rng(3)
    strata = np.repeat([0, 1, 2], [200, 800, 1000])
    predicted = np.where(strata == 0, rng.integers(1, 4, 2000), np.where(strata == 1, rng.integers(0, 3, 2000), 0))
    ease = rng.beta(6, 1.5, 2000)
    correct = rng.binomial(predicted, ease)
    gold = correct + rng.binomial(1, np.where(strata == 2, 0.02, 0.15), 2000)
    counts = np.stack((correct, predicted, gold), axis=1)
    known = Population(
        *(np.bincount(strata, weights=values).astype(int) for values in (np.ones(2000), predicted > 0, predicted))
    )
    truth = {"precision": correct.sum() / predicted.sum(), "recall": correct.sum() / gold.sum()}
    held, false = dict.fromkeys(truth, 0), dict.fromkeys(truth, 0)
    for number in range(400):
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(strata == one), size, replace=False) for one, size in enumerate((40, 60, 60))]
        )
        estimator = Estimator(known, Reviewed(strata[rows], counts[rows]), seed=number, n_draws=1000)
        for measure, value in truth.items():
            interval = estimator.estimates()[measure].interval
            held[measure] += interval.low <= value <= interval.high
            false[measure] += estimator.lower_bound(measure, 0.95) > value
    assert all(0.92 < n / 400 < 0.985 for n in held.values()), held
    assert all(n / 400 < 0.07 for n in false.values()), false
