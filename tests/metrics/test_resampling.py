"""Intervals that cover the truth, p-values that are uniform where nothing differs, and the edges."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.metrics.resampling import (
    Counts,
    _student,
    between_groups,
    compare,
    count,
    holm,
    intervals,
    precision_recall_f1,
)
from domain_ner.metrics.scores import score_entities

LABELS = ("A", "B", "C")


def draw(rng, n_docs, quality=(6, 2)):
    """Counts of documents as a recogniser leaves them whose recall differs from document to document."""
    values = np.zeros((n_docs, 3, 3))
    gold = rng.poisson([1.5, 0.5, 0.2], size=(n_docs, 3))
    correct = rng.binomial(gold, rng.beta(*quality, size=(n_docs, 1)))
    values[:, 0], values[:, 2] = correct, gold
    values[:, 1] = correct + rng.poisson([0.4, 0.1, 0.05], size=(n_docs, 3))
    return values


def test_counts_and_figures_are_those_of_the_scores():
    pairs = [([(0, 1, "A"), (2, 3, "B")], [(0, 1, "A"), (2, 3, "C")]), ([(4, 5, "A")], [])]
    counts, scores = count(pairs, LABELS), score_entities(pairs)
    by_type = precision_recall_f1(counts.values.sum(axis=0).T)
    for n, label in enumerate(LABELS):
        one = scores.by_type[label]
        assert np.nan_to_num(by_type[n]).tolist() == pytest.approx([one.precision, one.recall, one.f1])


@pytest.mark.slow
@pytest.mark.parametrize("n_docs", [100, 400])
def test_intervals_cover_the_truth_in_95_of_100_cases(n_docs):
    """93 to 97 % of 800 draws, with what chance adds to a count of 800: 1.5 points, two standard errors."""
    rng = np.random.default_rng(5)
    truth = precision_recall_f1(draw(rng, 1_000_000).sum(axis=(0, 2)))[2]
    n_draws, n_covered = 800, 0
    for seed in range(n_draws):
        found = intervals(Counts(LABELS, draw(rng, n_docs)), n_resamples=400, seed=seed).micro["f1"]
        n_covered += found.low <= truth <= found.high
    assert 0.93 - 0.015 <= n_covered / n_draws <= 0.97 + 0.015


def test_p_values_are_uniform_where_the_systems_are_equally_good():
    """Kolmogorov's test of 300 p-values against the uniform distribution, by type and over all."""
    rng, found = np.random.default_rng(7), {"": [], "A": []}
    for seed in range(300):
        first, second = draw(rng, 150), draw(rng, 150)
        second[:, 2] = first[:, 2]
        second[:, 0] = rng.binomial(first[:, 2].astype(int), rng.beta(6, 2, size=(150, 1)))
        second[:, 1] = second[:, 0] + rng.poisson([0.4, 0.1, 0.05], size=(150, 3))
        differences = compare(Counts(LABELS, first), Counts(LABELS, second), n_permutations=199, seed=seed)
        for label, p_values in found.items():
            p_values.append(differences[label].p)
    for p_values in found.values():
        ranked = np.sort(p_values)
        distance = np.abs(ranked - (np.arange(300) + 0.5) / 300).max()
        assert distance < 1.63 / math.sqrt(300) + 1 / 199  # 1 % level


def test_a_real_difference_is_found_and_told_with_its_sign():
    rng = np.random.default_rng(3)
    first = draw(rng, 300, quality=(4, 4))
    second = first.copy()
    second[:, 0] = np.minimum(first[:, 2], first[:, 0] + rng.binomial(1, 0.5, size=(300, 3)))
    second[:, 1] = second[:, 0] + first[:, 1] - first[:, 0]
    one = compare(Counts(LABELS, first), Counts(LABELS, second))[""]
    assert one.value > 0.05 and one.p < 0.01 and 0 < one.interval.low < one.value < one.interval.high
    other = compare(Counts(LABELS, second), Counts(LABELS, first))[""]
    assert other.value == pytest.approx(-one.value)
    assert other.p == pytest.approx(one.p, abs=0.01)


def test_a_real_loss_in_one_of_300_types_is_found():
    """The second finds one type in two of three documents only, and all the others as the first does."""
    n_docs, labels = 300, tuple(f"T{n}" for n in range(300))
    values = np.zeros((n_docs, 3, 300))
    for n in range(n_docs):
        values[n, :, [n, (7 * n) % 300, 5]] = 1
    second = values.copy()
    second[:200, 0, 5] = second[:200, 1, 5] = 0
    found = compare(Counts(labels, values), Counts(labels, second))
    assert found["T5"].value < -0.4 and found["T5"].p_holm < 0.05 / 5
    assert found["T6"].p_holm == 1


def test_equal_systems_do_not_differ():
    counts = Counts(LABELS, draw(np.random.default_rng(0), 50))
    for one in compare(counts, counts).values():
        assert (one.value, one.p, one.p_holm) == (0, 1, 1)


def test_the_same_seed_gives_the_same_figures():
    counts = Counts(LABELS, draw(np.random.default_rng(0), 50))
    assert intervals(counts) == intervals(counts)


@pytest.mark.parametrize("n_docs", [1, 2, 30])
@pytest.mark.parametrize("fill", ["nothing", "no gold", "nothing predicted", "all right", "all wrong"])
def test_no_figure_is_nan(n_docs, fill):
    values = np.zeros((n_docs, 3, 2))
    if fill not in ("nothing", "nothing predicted"):
        values[:, 1] = 1
    if fill not in ("nothing", "no gold"):
        values[:, 2] = 1
    if fill == "all right":
        values[:, 0] = 1
    counts = Counts(("A", "B"), values)
    sure, differences = intervals(counts), compare(counts, counts)
    plain = [one for some in (sure.micro, sure.macro, *sure.by_type.values()) for one in some.values() if one]
    plain += [one.interval for one in differences.values() if one.interval]
    json.dumps([(one.low, one.high) for one in plain], allow_nan=False)
    assert all(one.low <= one.high for one in plain)
    if fill == "all right" and n_docs > 1:  # so few say little: Wilson's bound
        assert sure.by_type["A"]["f1"].high == 1
        assert sure.by_type["A"]["f1"].low == pytest.approx(n_docs / (n_docs + 1.96**2), abs=1e-3)


def test_holms_correction():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_never_lowers_a_p_value(p_values):
    corrected = holm(p_values)
    assert all(one <= other <= 1 for one, other in zip(p_values, corrected, strict=True))
    ranked = sorted(range(len(p_values)), key=lambda n: p_values[n])
    assert [corrected[n] for n in ranked] == sorted(corrected)


def test_a_perfect_score_on_few_passages_says_little():
    """Each of 8 passages is wholly right with a probability of 0.9: Wilson's bound must count passages."""
    rng, n_within = np.random.default_rng(0), 0
    for _ in range(400):
        values = np.zeros((8, 3, 1))
        values[:, 1:] = 15
        values[:, 0, 0] = 15 * (rng.random(8) < 0.9)
        low_high = intervals(Counts(("A",), values), n_resamples=200).by_type["A"]["recall"]
        n_within += low_high is not None and low_high.low <= 0.9 <= low_high.high
    assert n_within / 400 > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [6, 10, 30])
def test_the_interval_of_other_groups_covers_the_truth_though_documents_of_a_group_resemble_each_other(n_groups):
    """91 to 98 % of 600 draws; the bootstrap over documents, for whom all are alike, covers far less."""
    rng, truth, n_draws = np.random.default_rng(2), None, 600
    everything = np.concatenate([draw(rng, 12, (60 * r, 60 * (1 - r))) for r in rng.beta(6, 2, size=20_000)])
    truth = precision_recall_f1(everything.sum(axis=(0, 2)))[2]
    n_covered = n_covered_by_documents = 0
    for _ in range(n_draws):
        values = np.concatenate([draw(rng, 12, (60 * r, 60 * (1 - r))) for r in rng.beta(6, 2, size=n_groups)])
        counts = Counts(LABELS, values)
        found = between_groups(counts, np.repeat(range(n_groups), 12).astype(str).tolist())
        n_covered += found.low <= truth <= found.high
        narrow = intervals(counts, n_resamples=100).micro["f1"]
        n_covered_by_documents += narrow.low <= truth <= narrow.high
    assert 0.91 <= n_covered / n_draws <= 0.98
    assert n_covered_by_documents / n_draws < 0.85


def test_too_few_groups_say_nothing():
    counts = Counts(LABELS, draw(np.random.default_rng(0), 10))
    assert between_groups(counts, ["a", "b", "c", "d", "e"] * 2) is None
    assert between_groups(Counts(LABELS, np.zeros((10, 3, 3))), list("abcdefghij")) is None


def test_students_quantile():
    assert [_student(n, 0.95) for n in (5, 9, 29)] == pytest.approx([2.571, 2.262, 2.045], abs=0.02)
