"""Calibration errors, temperatures and thresholds against what can be worked out by hand."""

import math
import random
import statistics

import pytest

from domain_ner.metrics.calibration import (
    MIN_SCORED,
    REPORT_NOTHING,
    ScoredSpan,
    calibration_error,
    chance_error,
    f1_score,
    fit_temperature,
    fit_type_temperatures,
    highest_guaranteed_precision,
    lower_bound,
    measure,
    needed_entities,
    reliability,
    threshold_for_precision,
    thresholds,
)


def judged(*pairs, label="A"):
    return [ScoredSpan(label, confidence, bool(right)) for confidence, right in pairs]


def sigmoid(odds):
    return 1 / (1 + math.exp(-odds))


def overconfident(n, factor, seed=0, label="A"):
    """Log-odds that are `factor` times too large, and whether each came true."""
    rng = random.Random(seed)
    true = [rng.uniform(-1, 4) for _ in range(n)]
    right = [rng.random() < sigmoid(odds) for odds in true]
    odds = [factor * one for one in true]
    return odds, [ScoredSpan(label, sigmoid(one), is_right) for one, is_right in zip(odds, right, strict=True)]


def test_the_error_is_the_mean_distance_of_confidence_and_precision():
    bins = judged((0.92, 1), (0.98, 1), (0.95, 0), (0.55, 1), (0.51, 0))
    high, low = 3 / 5 * abs(0.95 - 2 / 3), 2 / 5 * abs(0.53 - 0.5)
    assert calibration_error(bins) == pytest.approx(high + low)
    assert [(one.n, one.low) for one in reliability(bins)] == [(2, 0.5), (3, 0.9)]


def test_certainty_falls_into_the_last_bin_and_nothing_has_no_error():
    assert reliability(judged((1.0, 1)))[0].high == 1.0
    assert calibration_error([]) == 0.0
    assert reliability([]) == []


def test_confidences_without_fault_have_the_error_of_chance():
    rng = random.Random(0)
    for n in (30, 500):
        confidence = [rng.betavariate(2, 1) for _ in range(n)]
        draws = [calibration_error([ScoredSpan("A", c, rng.random() < c) for c in confidence]) for _ in range(400)]
        given = [ScoredSpan("A", c, True) for c in confidence]  # what was right does not matter
        assert chance_error(given) == pytest.approx(statistics.fmean(draws), rel=0.06)
    assert chance_error([]) == 0.0


def test_the_temperature_has_the_least_loss():
    assert fit_temperature(lambda t: (math.log(t) - math.log(2.5)) ** 2) == pytest.approx(2.5, rel=1e-2)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_a_temperature_undoes_odds_that_are_too_large_or_too_small(factor):
    odds, found = overconfident(6000, factor)
    temperature = fit_type_temperatures(odds, found)["A"]
    assert temperature == pytest.approx(factor, rel=0.15)
    mended = [ScoredSpan("A", sigmoid(one / temperature), was.is_correct) for one, was in zip(odds, found, strict=True)]
    assert calibration_error(mended) < 0.03


def test_a_type_with_few_predictions_has_the_temperature_of_all():
    odds, found = overconfident(2000, 3.0)
    few_odds, few = overconfident(MIN_SCORED - 1, 0.5, seed=1, label="B")
    fitted = fit_type_temperatures(odds + few_odds, found + few)
    assert fitted["B"] == pytest.approx(fitted["A"], rel=0.1)


def test_too_few_predictions_fit_nothing():
    assert fit_type_temperatures(*overconfident(MIN_SCORED - 1, 3.0)) == {}


def test_a_type_that_is_always_right_has_the_temperature_of_all():
    odds, found = overconfident(2000, 3.0)
    sure = judged(*[(0.9, 1)] * 50, label="B")
    assert fit_type_temperatures([*odds, *[2.2] * 50], found + sure)["B"] == pytest.approx(3.0, rel=0.2)


def test_wilsons_bound():
    """With z = 1.2816: centre and width written out."""
    z2 = 1.2816**2
    share, n = 0.9, 100
    expected = (share + z2 / 200 - 1.2816 * math.sqrt(share * 0.1 / n + z2 / (4 * n * n))) / (1 + z2 / n)
    assert lower_bound(90, 100) == pytest.approx(expected)
    assert lower_bound(0, 5) == pytest.approx(0, abs=1e-9)
    assert lower_bound(5, 5) < 1


def test_equal_confidences_are_reported_together():
    found = thresholds(judged((0.9, 1), (0.9, 0), (0.5, 1)), n_gold=4)
    assert [(one.confidence, one.precision, one.recall) for one in found] == [(0.9, 0.5, 0.25), (0.5, 2 / 3, 0.5)]


def test_the_precise_threshold_is_the_lowest_whose_bound_holds():
    sure = judged(*[(0.9, 1)] * 200)
    unsure = judged(*[(0.6, 1)] * 30, *[(0.6, 0)] * 30)
    found = threshold_for_precision(sure + unsure, n_gold=260, precision=0.95)
    assert (found.confidence, found.precision, found.is_reached) == (0.9, 1.0, True)
    assert found.precision_bound >= 0.95
    assert threshold_for_precision(sure + unsure, n_gold=260, precision=0.8).confidence == 0.6


@pytest.mark.parametrize("is_flat", [True, False])
@pytest.mark.parametrize(("true", "asked"), [(0.89, 0.9), (0.75, 0.8)])
@pytest.mark.parametrize("n", [100, 1000])
def test_a_promised_precision_is_missed_once_in_ten_times_at_most(is_flat, true, asked, n):
    """Also where confidences do not rank what is right and what is wrong, so that some threshold is good by luck."""
    rng, n_wrong = random.Random(0), 0
    for _ in range(200):
        confidences = [rng.random() if is_flat else rng.betavariate(6 * true, 6 * (1 - true)) for _ in range(n)]
        chances = [true if is_flat else confidence for confidence in confidences]
        drawn = [(confidence, rng.random() < p) for confidence, p in zip(confidences, chances, strict=True)]
        found = threshold_for_precision(judged(*drawn), n, asked)
        kept = [p for confidence, p in zip(confidences, chances, strict=True) if confidence >= found.confidence]
        n_wrong += found.is_reached and statistics.fmean(kept) < asked
    assert n_wrong <= 20


def test_a_precision_out_of_reach_reports_nothing():
    found = threshold_for_precision(judged((0.9, 1), (0.8, 0)), n_gold=2, precision=0.95)
    assert (found.confidence, found.is_reached) == (1.0, False)
    assert (found.precision, found.recall, found.n) == (0.5, 0.5, 2)
    assert found.precision_bound == lower_bound(1, 2)
    assert threshold_for_precision([], n_gold=2, precision=0.95) == REPORT_NOTHING


def test_the_highest_promise_is_kept_and_one_more_per_cent_is_not():
    given = judged(*[(0.9, 1)] * 40, *[(0.6, 1)] * 30, *[(0.6, 0)] * 30)
    most = highest_guaranteed_precision(given, 100)
    assert (
        threshold_for_precision(given, 100, most).is_reached
        and not threshold_for_precision(given, 100, most + 0.01).is_reached
    )
    assert highest_guaranteed_precision([], 5) == highest_guaranteed_precision(judged((0.9, 0)), 5) == 0


def test_needed_entities_are_as_many_as_fulfil_the_promise():
    given = judged(*[(0.9, 1)] * 18, *[(0.9, 0)], *[(0.5, 1)] * 5, *[(0.5, 0)] * 5)
    needed = needed_entities(given, n_gold=30, precision=0.85)
    assert needed > 30 and not threshold_for_precision(given, 30, 0.85).is_reached
    more = -(-needed // 30)
    assert threshold_for_precision(given * more, 30 * more, 0.85).is_reached
    assert needed_entities(judged(*[(0.9, 0)] * 9), 30, 0.8) is needed_entities([], 30, 0.8) is None


def test_measured_is_what_was_reported():
    found = measure(judged((0.9, 1), (0.4, 1), (0.3, 0)), n_gold=4, confidence=0.3)
    assert (found.confidence, found.precision, found.recall) == (0.3, pytest.approx(2 / 3), 0.5)
    assert found.precision_bound == lower_bound(2, 3)
    assert measure([], n_gold=4, confidence=0.3).recall == 0


def test_f1_of_nothing_is_zero():
    assert f1_score(0, 0, 0) == 0
    assert f1_score(2, 3, 5) == 0.5
