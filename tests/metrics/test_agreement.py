import random

import pytest

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.metrics.agreement import cohens_kappa, measure_agreement
from domain_ner.metrics.scores import Score

TEXT = "Payments uses Redis daily"
TEAM, INFRA = LabelledSpan(0, 8, "TEAM"), LabelledSpan(14, 19, "INFRA")


def test_kappa_of_the_textbook():
    """Cohen (1960): 45 of 100 both yes, 15 and 25 split, 15 both no gives 0.13."""
    pairs = [(1, 1)] * 45 + [(1, 0)] * 15 + [(0, 1)] * 25 + [(0, 0)] * 15
    assert cohens_kappa(pairs) == pytest.approx(0.1304, abs=1e-4)


def test_kappa_is_one_for_the_same_and_near_zero_for_chance():
    rng = random.Random(0)
    assert cohens_kappa([(1, 1), (0, 0)]) == 1.0
    assert abs(cohens_kappa([(rng.random() < 0.3, rng.random() < 0.6) for _ in range(20_000)])) < 0.02


@pytest.mark.parametrize("pairs", [[], [(0, 0)] * 5])
def test_kappa_where_nobody_ever_said_anything_else(pairs):
    assert cohens_kappa(pairs) == 1.0


def test_agreement_by_pair_and_type():
    texts = [(TEXT, {"ann": (TEAM, INFRA), "bob": (TEAM,)}), (TEXT + "!", {"ann": (TEAM,), "bob": (TEAM,)})]
    (pair,) = measure_agreement(texts)
    assert (pair.annotators, pair.n_texts) == (("ann", "bob"), 2)
    assert pair.f1 == {"INFRA": Score(0, 0, 1), "TEAM": Score(2, 2, 2)}
    assert pair.micro.f1 == pytest.approx(0.8)
    assert pair.kappa["TEAM"] == 1.0
    assert pair.kappa["INFRA"] == 0.0


def test_three_annotators_are_three_pairs():
    pairs = measure_agreement([(TEXT, {"a": (), "b": (TEAM,), "c": (TEAM,)})])
    assert [pair.annotators for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_a_text_with_one_annotator_is_no_pair():
    assert measure_agreement([(TEXT, {"a": (TEAM,)})]) == []
