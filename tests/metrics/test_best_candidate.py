"""The best of several candidates is taken for a gain beyond luck alone."""

import numpy as np
import pytest

from domain_ner.metrics.best_candidate import MIN_UNITS, choose, sum_by_group


def drawn(seed, *, n_docs=120, n_levels=20, right=0.4):
    """What is in use, with an F1 of some 80, and candidates that each predict a little more than the one before, right
    that often: with 0.4, half the F1, nothing is gained and nothing lost.
    """
    rng = np.random.default_rng(seed)
    gold = rng.poisson(7, n_docs) + 1
    correct = rng.binomial(gold, 0.8)
    in_use = np.stack([correct, correct + rng.poisson(1.4, n_docs), gold], axis=1).astype(float)
    more = rng.poisson(0.1, (n_levels, n_docs)).cumsum(axis=0)
    candidates = np.repeat(in_use[None], n_levels, axis=0)
    candidates[:, :, 1] += more
    candidates[:, :, 0] += rng.binomial(more, right)
    return in_use, candidates


def f1(counts):
    correct, predicted, gold = counts.sum(axis=0)
    return 2 * correct / (predicted + gold)


def test_candidates_that_are_no_better_are_hardly_ever_taken():
    """The best of them always has more F1 than what is in use, or nearly always: by luck."""
    drawn_cases = [drawn(seed) for seed in range(60)]
    n_above = sum(max(map(f1, candidates)) > f1(in_use) for in_use, candidates in drawn_cases)
    taken = sum(choose(*case, n_permutations=250).is_better for case in drawn_cases)
    assert n_above > 40 and taken <= 7


def test_a_real_gain_is_taken_and_told_by_documents_that_did_not_choose():
    in_use, candidates = drawn(0, right=0.7)
    found = choose(in_use, candidates)
    assert found.is_better and found.p < 0.01
    assert found.value == pytest.approx(max(map(f1, candidates)))
    assert found.interval.low > 0 and found.interval.low < found.gain < found.interval.high
    assert found.gain <= found.value - f1(in_use) + 1e-9


def test_what_is_equal_or_worse_is_not_taken():
    in_use, candidates = drawn(1, right=0.0)
    assert not choose(in_use, candidates).is_better
    same = choose(in_use, in_use[None])
    assert (same.is_better, same.gain, same.p, same.interval) == (False, 0, 1, None)


def test_one_seed_gives_one_choice():
    in_use, candidates = drawn(2, right=0.5)
    assert choose(in_use, candidates, seed=3) == choose(in_use, candidates, seed=3)


@pytest.mark.parametrize("n_docs", [1, 2, 5])
def test_of_too_few_documents_no_gain_is_more_than_luck(n_docs):
    in_use = np.array([[0.0, 1.0, 1.0]] * n_docs)
    candidates = np.array([[[1.0, 1.0, 1.0]] * n_docs])
    assert choose(in_use, candidates).is_better == (2.0**-n_docs < 0.05)


def test_documents_of_a_group_count_together_where_there_are_groups_enough():
    counts = np.arange(24, dtype=float).reshape(1, 8, 3)
    groups = ["a", "b", "a", "c", "d", "e", "f", "f"]
    together = sum_by_group(counts, groups)
    assert together.shape == (1, MIN_UNITS, 3)
    assert together[0, 0].tolist() == (counts[0, 0] + counts[0, 2]).tolist()
    assert together.sum() == counts.sum()
    assert sum_by_group(counts, ["a", "b"] * 4) is counts
    assert sum_by_group(counts, [""] * 8).tolist() == counts.tolist()
