"""F1 without labels, against simulated truth."""

import numpy as np
import pytest

from domain_ner.metrics.label_free import CONFIDENCE, CORRECT, EXPECTED, GOLD, N_KNOWN, PREDICTED, estimate_f1

LABELS = ["A", "B"]


def simulate(rng, n_docs, *, overconfident=0.0, sure=(5, 2)):
    """Documents whose entities have a probability; what is reported has more than 0.5. overconfident: added to it."""
    known = np.zeros((n_docs, 2, 5))
    for row in known:
        for of_type in row:
            for true in rng.beta(*sure, size=rng.poisson(1.5)):
                is_gold, told = rng.random() < true, min(1.0, true + overconfident)
                of_type[EXPECTED] += told
                of_type[GOLD] += is_gold
                if told > 0.5:
                    of_type[PREDICTED] += 1
                    of_type[CONFIDENCE] += told
                    of_type[CORRECT] += is_gold
    return known


def true_f1(known):
    sums = known.sum(axis=(0, 1))
    return 2 * sums[CORRECT] / (sums[PREDICTED] + sums[GOLD])


def estimate(baseline, window, seed=0):
    return estimate_f1(baseline, window.sum(axis=0)[:, :N_KNOWN], len(window), LABELS, seed=seed)


def test_the_estimate_is_near_the_truth_and_its_interval_holds():
    errors, n_within = [], 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        window = simulate(rng, 500)
        found = estimate(simulate(rng, 500), window)[""]
        errors.append(abs(found.value - true_f1(window)))
        n_within += found.low <= true_f1(window) <= found.high
    assert np.mean(errors) < 0.015 and n_within >= 12


def test_a_fall_of_calibrated_confidences_is_seen():
    rng = np.random.default_rng(0)
    window = simulate(rng, 800, sure=(3, 3))
    found = estimate(simulate(rng, 800), window)[""]
    assert found.high < found.baseline
    assert found.value == pytest.approx(true_f1(window), abs=0.04)


def test_what_confidences_overstate_on_labelled_documents_is_corrected():
    rng = np.random.default_rng(0)
    window = simulate(rng, 1000, overconfident=0.2)
    found = estimate(simulate(rng, 1000, overconfident=0.2), window)[""]
    assert found.value == pytest.approx(true_f1(window), abs=0.03)


def test_the_baseline_is_its_own_estimate():
    known = simulate(np.random.default_rng(0), 200)
    found = estimate(known, known)[""]
    assert found.value == pytest.approx(found.baseline, abs=1e-3) and found.baseline == pytest.approx(true_f1(known))
    assert found.n_predicted == known[..., PREDICTED].sum()
    assert found.expected == pytest.approx(known[..., GOLD].sum(), rel=1e-3)


def test_a_window_without_entities_and_a_type_without_any_are_estimated():
    known = simulate(np.random.default_rng(0), 50)
    known[:, 1] = 0
    found = estimate(known, known[:5] * 0)
    assert found[""].value == found["B"].value == 0.0 and found["B"].baseline == 0.0
