"""Sources of known quality, simulated: their error rates are found, and the probabilities are honest."""

import numpy as np
import pytest

from domain_ner.metrics.label_model import fit


def simulated(rng, n, named, misnamed, *, sharpness=2.0, share=0.4):
    """Spans that are an entity or not, with a calibrated prior, and the votes of sources. Two types, alike."""
    prior = rng.beta(share * sharpness, (1 - share) * sharpness, size=n)
    is_entity = rng.random(n) < prior
    rates = np.where(is_entity[:, None], named, misnamed)
    return is_entity, prior, (rng.random((n, len(named))) < rates).astype(float), rng.integers(0, 2, n)


def test_error_rates_are_found():
    named, misnamed = np.array([0.9, 0.6, 0.3]), np.array([0.05, 0.3, 0.02])
    _, prior, votes, labels = simulated(np.random.default_rng(0), 20_000, named, misnamed)
    found = fit(prior, votes, labels, 2)
    assert found.named == pytest.approx(np.tile(named, (2, 1)), abs=0.03)
    assert found.misnamed == pytest.approx(np.tile(misnamed, (2, 1)), abs=0.03)


def test_probabilities_are_calibrated_and_better_than_any_vote():
    rng = np.random.default_rng(1)
    is_entity, prior, votes, labels = simulated(rng, 20_000, np.array([0.8, 0.7]), np.array([0.1, 0.2]))
    probability = fit(prior, votes, labels, 2).probability
    for low in np.arange(0, 1, 0.2):
        inside = (probability >= low) & (probability < low + 0.2)
        assert is_entity[inside].mean() == pytest.approx(probability[inside].mean(), abs=0.03)
    wrong = ((probability > 0.5) != is_entity).mean()
    assert wrong < ((prior > 0.5) != is_entity).mean() - 0.03
    assert all(wrong < ((votes[:, n] == 1) != is_entity).mean() - 0.03 for n in (0, 1))


def test_a_source_that_guesses_changes_nothing():
    rng = np.random.default_rng(2)
    _, prior, votes, labels = simulated(rng, 20_000, np.array([0.5]), np.array([0.5]))
    assert fit(prior, votes, labels, 2).probability == pytest.approx(np.clip(prior, 1e-4, 1 - 1e-4), abs=0.05)


def test_a_source_is_judged_by_type():
    rng = np.random.default_rng(3)
    is_entity, prior, votes, labels = simulated(rng, 20_000, np.array([0.9]), np.array([0.1]))
    other = labels == 1
    votes[other, 0] = (rng.random(other.sum()) < 0.5).astype(float)
    found = fit(prior, votes, labels, 2)
    assert found.named[:, 0] == pytest.approx([0.9, 0.5], abs=0.03)
    assert found.misnamed[:, 0] == pytest.approx([0.1, 0.5], abs=0.03)
    assert is_entity.any()


def test_who_says_nothing_is_no_evidence():
    prior = np.array([0.3, 0.7])
    silent = np.full((2, 1), np.nan)
    assert fit(prior, silent, np.zeros(2, dtype=int), 1).probability == pytest.approx(prior)
    assert fit(np.zeros(0), np.zeros((0, 2)), np.zeros(0, dtype=int), 3).probability.shape == (0,)


def test_nothing_is_ever_quite_certain():
    prior, votes = np.array([0.0, 1.0]), np.array([[0.0], [1.0]])
    found = fit(prior, votes, np.zeros(2, dtype=int), 1)
    assert (found.probability > 0).all() and (found.probability < 1).all()
    assert np.isfinite(found.named).all() and np.isfinite(found.misnamed).all()
