"""Each rule speaks where its figures say so, and is silent where they do not."""

import pytest

from domain_ner.metrics.advice import (
    BOUNDARIES,
    FALLBACK,
    GUIDE,
    HYBRID,
    LOOK,
    MORE,
    RELABEL,
    TEST_MORE,
    VARIED,
    Hybrid,
    TypeFacts,
    advise,
)
from domain_ner.metrics.scores import Score

EMPTY = Score(0, 0, 0)
WEAK, GOOD = Score(60, 80, 100), Score(95, 100, 100)


def rules(score=WEAK, **given):
    facts = {
        "seen": EMPTY, "unseen": EMPTY, "n_trained": 300, "n_surfaces": 200, "mistakes": {}, "confused": {},
    } | given  # fmt: skip
    found = advise(TypeFacts("A", score, **facts), target=0.85, floor=0.80)
    assert all(one.what.endswith(".") and one.why.endswith(".") for one in found)
    return [one.rule for one in found]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"n_trained": 150}, [MORE]),
        ({"n_trained": 0}, [MORE]),
        ({"n_trained": None}, []),
        ({"n_trained": 600}, [FALLBACK]),
        ({"n_trained": 600, "score": Score(81, 100, 100)}, []),
        ({"n_trained": 100, "score": GOOD}, []),
        ({"seen": Score(45, 45, 50), "unseen": Score(15, 20, 50)}, [VARIED]),
        ({"seen": Score(45, 45, 50), "unseen": Score(42, 45, 50)}, []),
        ({"seen": Score(5, 5, 5), "unseen": Score(15, 20, 95)}, []),
        ({"confused": {"B": 10, "C": 4}, "mistakes": {"wrong type": 14}}, [GUIDE]),
        ({"confused": {"B": 10, "C": 20}, "mistakes": {"wrong type": 30}}, [GUIDE, GUIDE]),
        ({"mistakes": {"too long": 6, "split": 4, "missing": 10}}, [BOUNDARIES]),
        ({"mistakes": {"too long": 6, "missing": 40}}, [LOOK]),
        ({"mistakes": {"too long": 4}}, [LOOK]),
        ({"mistakes": {"spurious": 20, "missing": 30}}, [RELABEL]),
        ({"mistakes": {"spurious": 20, "missing": 30}, "score": Score(60, 65, 100)}, [LOOK]),
        ({"hybrid": Hybrid("m", 0.75, 0.2, None), "n_trained": 600}, [HYBRID, FALLBACK]),
        ({"hybrid": Hybrid("m", 0.67, 0.2, 1.5)}, []),
        ({"score": Score(1, 1, 3)}, [TEST_MORE]),
        ({"score": Score(0, 4, 0)}, [TEST_MORE]),
    ],
)
def test_rules(given, expected):
    assert rules(**given) == expected


def test_a_language_model_that_was_measured_is_not_advised_once_more():
    measured = TypeFacts("A", WEAK, EMPTY, EMPTY, 600, 500, {}, {}, Hybrid("m", 0.75, 0.2, 1.5))
    hybrid, other = advise(measured, target=0.85, floor=0.80)
    assert "Ask the model m" in hybrid.what and "language model" not in other.what
    [alone] = advise(TypeFacts("A", WEAK, EMPTY, EMPTY, 600, 500, {}, {}), target=0.85, floor=0.80)
    assert "a language model (add-fallback" in alone.what


def test_an_advice_names_its_figures_and_its_mistakes():
    facts = TypeFacts("A", WEAK, EMPTY, EMPTY, 120, 90, {"wrong type": 10}, {"B": 10})
    few, guide = advise(facts, target=0.85, floor=0.80)
    assert "80 more" in few.what and "recall 60.0" in few.why and "120 mentions" in few.why
    assert (guide.other, guide.kinds) == ("B", ("wrong type",)) and "10 entities of A and B" in guide.why


def test_a_type_below_the_target_is_never_left_without_advice():
    near = Score(85, 100, 101)  # F1 84.6
    assert rules(near, mistakes={"missing": 16, "spurious": 0, "wrong type": 3}) == [LOOK]
    [one] = advise(TypeFacts("A", near, EMPTY, EMPTY, None, None, {"missing": 16}, {}), target=0.85, floor=0.80)
    assert "F1 84.6, target 85.0; missing 16." in one.why and one.kinds == ("missing",)


def test_a_figure_that_is_shown_as_the_target_is_at_the_target():
    assert rules(Score(1699, 2000, 1999), mistakes={"missing": 300}) == []  # 84.97
