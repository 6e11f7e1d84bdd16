"""The budget in calls, tokens and money, with several threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from asked import client_of, question
from hypothesis import given
from hypothesis import strategies as st
from llm_server import Behaviour, serving

from domain_ner.llm.budget import Budget, Limits, Prices, Tokens
from domain_ner.llm.failures import BUDGET, CallFailedError


def test_a_call_that_would_pass_a_limit_is_not_made():
    for limits in (Limits(calls=2), Limits(tokens=230), Limits(money=0.0023)):
        budget = Budget(limits, Prices(10.0, 10.0))
        assert budget.reserve(Tokens(100, 10)) and budget.reserve(Tokens(100, 10))
        assert budget.reserve(Tokens(100, 10), waits=False) is None
        assert budget.calls == 2


def test_what_a_call_did_not_use_is_free_again():
    budget = Budget(Limits(tokens=150))
    budget.settle(budget.reserve(Tokens(100, 20)), Tokens(40, 5))
    assert budget.spent == Tokens(40, 5)
    assert budget.reserve(Tokens(100, 20)) is None
    assert budget.reserve(Tokens(100, 5))


def test_a_call_of_unknown_use_is_spent_whole():
    budget = Budget(prices=Prices(1.0, 4.0))
    budget.settle(budget.reserve(Tokens(1000, 500)), None)
    assert budget.spent == Tokens(1000, 500) and budget.money == pytest.approx(0.003)


def test_a_server_that_counts_more_than_was_reserved_makes_later_reservations_larger():
    budget = Budget()
    budget.settle(budget.reserve(Tokens(100, 10)), Tokens(130, 12))
    assert budget.reserve(Tokens(100, 10)) == Tokens(130, 12)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.floats(0, 1), st.booleans()), max_size=40),
    st.integers(0, 300),
)
def test_whatever_is_used_no_limit_is_ever_passed(calls, limit):
    budget, open_calls = Budget(Limits(tokens=limit, money=limit / 1e6), Prices(1.0, 2.0)), []
    for prompt, answer, share, settles in calls:
        reserved = budget.reserve(Tokens(prompt, answer), waits=False)
        if reserved is not None:
            open_calls.append((reserved, Tokens(int(prompt * share), int(answer * share))))
        if settles and open_calls:
            budget.settle(*open_calls.pop())
        assert budget.spent.total <= limit and budget.money <= limit / 1e6 + 1e-12
    for reserved, used in open_calls:
        budget.settle(reserved, used)
    assert budget.spent.total <= limit


def test_eight_threads_pass_no_limit():
    """The server counts what it was asked: never more calls or tokens than allowed, whatever fails."""
    fails = {0: "status_500", 1: "truncated"}
    does = Behaviour({"Redis": "INFRA"}, lambda text, number: fails.get(number) if "3" in text else None)
    limits = Limits(calls=60, tokens=100_000)
    budget = Budget(limits)
    barrier = threading.Barrier(8)

    def ask(number):
        if number < 8:
            barrier.wait()
        try:
            return client.ask(str(number), question(f"Redis {number}")).content
        except CallFailedError as err:
            return err.reason

    with serving(does) as url, client_of(url, budget=budget) as client, ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(ask, range(100)))
    assert does.n_calls == budget.calls == 60 and outcomes.count(BUDGET) > 30
    assert does.tokens <= budget.spent.total <= limits.tokens


def test_tokens_and_money_are_not_passed_by_calls_at_once():
    does = Behaviour({"Redis": "INFRA"})
    worst = question("Redis").worst.total
    for limits in (Limits(tokens=5 * worst), Limits(money=5 * worst / 1e6)):
        budget = Budget(limits, Prices(1.0, 1.0))

        def ask(number, budget=budget):
            try:
                client.ask(str(number), question("Redis"))
            except CallFailedError as err:
                assert err.reason == BUDGET

        with serving(does) as url, client_of(url, budget=budget) as client, ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(200)))
        assert 4 * worst < budget.spent.total <= 5 * worst
