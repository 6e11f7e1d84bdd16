"""Power laws through scores: exact where the law is exact, and with intervals that hold what they promise."""

import numpy as np
import pytest

from domain_ner.metrics.learning_curve import TrainingScore, fit

SIZES = (100, 200, 400, 800)


def law(n, floor=0.1, scale=3.0, exponent=0.5):
    return 1 - floor - scale * n**-exponent


def simulated(rng, sizes, n_seeds, noise, **law_of):
    return [
        TrainingScore(n, float(law(n, **law_of) + rng.normal(0, noise * (sizes[-1] / n) ** 0.25)))
        for n in sizes
        for _ in range(n_seeds)
    ]


def test_a_law_without_noise_is_followed():
    curve = fit([TrainingScore(n, law(n)) for n in (50, 100, 200, 400, 800, 1600)] * 3)
    for n in (1600, 3200):
        expected = curve.expect(n)
        assert expected.low <= law(n) <= expected.high and expected.f1 == pytest.approx(law(n), abs=0.01)
    gain = curve.gain(1000)
    assert gain.f1 == pytest.approx(law(2600) - law(1600), abs=0.01)
    assert 0 <= gain.low <= gain.f1 <= gain.high


@pytest.mark.slow
@pytest.mark.parametrize("n_seeds", [1, 2, 3])
def test_the_interval_holds_what_is_measured_at_twice_the_data(n_seeds):
    """Laws as they are met with; 400 draws: 95 % give or take 2 points is luck."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        exponent, floor, noise = rng.lognormal(np.log(0.4), 0.5), rng.uniform(0, 0.2), rng.uniform(0.004, 0.02)
        law_of = {"floor": floor, "exponent": exponent, "scale": rng.uniform(0.05, 0.25) * 800**exponent}
        curve = fit(simulated(rng, SIZES, n_seeds, noise, **law_of))
        expected = curve.expect_measured(1600)
        measured = law(1600, **law_of) + rng.normal(0, noise / 2**0.25)
        inside += expected.low <= measured <= expected.high
    assert 0.93 <= inside / 400 <= 0.99


def test_the_interval_is_narrow_where_much_is_known():
    rng = np.random.default_rng(0)
    few, many = (fit(simulated(rng, SIZES, n, 0.01)).expect(1600) for n in (1, 12))
    assert many.high - many.low < 0.6 * (few.high - few.low) < 0.2


def test_when_a_score_is_reached():
    curve = fit([TrainingScore(n, law(n)) for n in (50, 100, 200, 400, 800, 1600)] * 3)
    when = curve.reaches(0.84, at_most=20_000)
    assert law(2500) == pytest.approx(0.84)
    assert 2000 < when.n_passages < 3200 and when.low <= when.n_passages <= when.high
    assert curve.reaches(0.97, at_most=20_000) == (None, None, None)
    assert curve.reaches(0.5, at_most=20_000).n_passages < 100


@pytest.mark.parametrize("f1", [0.0, 0.7, 1.0])
def test_scores_that_do_not_change_promise_little(f1):
    curve = fit([TrainingScore(n, f1) for n in SIZES for _ in range(2)])
    expected, gain = curve.expect(1600), curve.gain(800)
    assert expected.low <= f1 + 0.02 and expected.high >= f1 - 0.02
    assert gain.low < 0.01 and gain.f1 < 0.02
    assert np.isfinite([*expected, *gain]).all()


def test_scores_that_fall_promise_nothing():
    curve = fit([TrainingScore(n, f1) for n, f1 in zip(SIZES, (0.8, 0.75, 0.7, 0.65), strict=True) for _ in range(2)])
    assert curve.gain(800).f1 < 0.01 and curve.reaches(0.9, at_most=20_000).n_passages is None


def test_sizes_at_which_nothing_was_learned_say_nothing_of_the_law():
    known = [TrainingScore(n, law(n)) for n in SIZES] * 3
    assert fit([TrainingScore(10, 0.0), *known]).expect(1600) == fit(known).expect(1600)


def test_two_sizes_are_no_curve():
    assert fit([TrainingScore(100, 0.5), TrainingScore(200, 0.6), TrainingScore(200, 0.61)]) is None
    assert fit([]) is None
