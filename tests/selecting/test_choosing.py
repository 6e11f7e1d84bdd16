"""Which texts make a batch: much to learn from each, each once, none that is annotated."""

import pytest
from measured import REDIS, measured, with_errors

from domain_ner.corpus.assignments import digest
from domain_ner.errors import DomainNerError
from domain_ner.selecting.choosing import LEAST_POOL, choose
from domain_ner.selecting.strategies import STRATEGIES, describe, expected_errors, find_strategy, type_weights

LONG = "The Payments squad moved its queue to Kafka on Monday and nobody saw a fault afterwards"


def texts(chosen):
    return [choice.measured.text for choice in chosen.choices]


def test_the_texts_with_most_expected_errors_come_first():
    given = [with_errors(f"text {n}", errors, direction=n) for n, errors in enumerate([1, 5, 0, 3])]
    chosen = choose(given, 2, expected_errors)
    assert texts(chosen) == ["text 1", "text 3"] and chosen.n_seen == 4 and chosen.n_errors == 9


def test_of_texts_alike_one_is_enough_until_the_others_are_worth_more():
    alike = [with_errors(f"alike {n}", 5 + n, direction=0) for n in range(3)]
    others = [with_errors(f"other {n}", 1, direction=n) for n in (1, 2)]
    assert texts(choose([*alike, *others], 3, expected_errors)) == ["alike 2", "other 1", "other 2"]
    plain = choose([*alike, *others], 3, expected_errors, is_diverse=False)
    assert texts(plain) == ["alike 2", "alike 1", "alike 0"]


def test_a_text_is_chosen_once_and_none_that_is_annotated_or_nearly_so():
    given = [
        with_errors("Redis failed", 3),
        with_errors("Redis  failed", 3),
        with_errors(LONG, 2, direction=1),
        with_errors(f"{LONG}!", 9, direction=2),
        with_errors("known already", 9, direction=3),
        with_errors("with annotators", 9, direction=4),
        measured("", n_tokens=0),
    ]
    chosen = choose(
        given,
        9,
        expected_errors,
        annotated=["known already", f"{LONG} ."],
        given=frozenset([digest("with annotators")]),
    )
    assert texts(chosen) == ["Redis failed"]
    assert (chosen.n_annotated, chosen.n_given, chosen.n_alike, chosen.n_empty) == (3, 1, 1, 1)


def test_wanted_texts_come_first():
    given = [with_errors(f"text {n}", n, direction=n) for n in range(6)]
    chosen = choose(given, 3, expected_errors, is_wanted=lambda number: number in (0, 2))
    assert texts(chosen) == ["text 2", "text 0", "text 5"]
    assert [choice.is_wanted for choice in chosen.choices] == [True, True, False]


def test_memory_holds_only_the_best():
    given = (with_errors(f"text {n}", n % 1000, direction=n) for n in range(20 * LEAST_POOL))
    chosen = choose(given, 5, expected_errors)
    assert len(chosen.choices) == 5 and all(choice.score >= 900 for choice in chosen.choices)


def test_fewer_texts_than_asked_for_are_all_chosen():
    assert len(choose([with_errors("one", 1)], 50, expected_errors).choices) == 1
    assert choose([], 50, expected_errors).choices == []


def test_each_strategy_prefers_what_it_measures():
    sure = measured("sure", found=[REDIS], best=0.99, second=0.001, entropy=0.01, n_tokens=10)
    unsure = measured("not", wrong={"INFRA": 1.5}, best=0.3, second=0.29, entropy=2.5, n_tokens=10)
    for name, score in STRATEGIES.items():
        assert score(unsure, {}) > score(sure, {}), name
    short = measured("short", wrong={"INFRA": 1.0}, n_tokens=2)
    per_token = STRATEGIES["errors-per-token"]
    assert per_token(short, {}) > per_token(unsure, {}) and expected_errors(short, {}) < expected_errors(unsure, {})


def test_errors_in_types_below_the_target_weigh_more():
    weights = type_weights({"TEAM": 0.4, "INFRA": 0.9}, 0.85)
    assert weights["INFRA"] == 1 and 1 < weights["TEAM"] < 2.8
    team, infra = measured("a", missed={"TEAM": 1.0}), measured("b", missed={"INFRA": 1.0})
    assert expected_errors(team, weights) > expected_errors(infra, weights) == 1


def test_the_reasons_name_types_and_the_least_sure_entity():
    lines = describe(
        measured("Redis failed", found=[REDIS], wrong={"INFRA": 0.4, "TEAM": 0.0}, missed={"TEAM": 1.2, "INFRA": 0.1})
    )
    assert lines == [
        "TEAM: 1.2 errors expected (1.2 missed)",
        "INFRA: 0.5 errors expected (0.1 missed)",
        "least sure: 'Redis' INFRA 0.60",
    ]


def test_an_unknown_strategy_is_refused():
    with pytest.raises(DomainNerError, match="expected expected-errors"):
        find_strategy("entropi")
