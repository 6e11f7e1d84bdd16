"""Union-find: the smallest key of each component, in time that does not depend on the order of the pairs."""

import time

from hypothesis import given
from hypothesis import strategies as st

from domain_ner.corpus.connected import Components, connected

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12)


def walked(n, pairs):
    """The smallest number that each is connected with, by walking from number to number."""
    found = []
    for number in range(n):
        seen, todo = {number}, [number]
        while todo:
            at = todo.pop()
            new = {b for a, b in [*pairs, *((b, a) for a, b in pairs)] if a == at} - seen
            seen |= new
            todo += new
        found.append(min(seen))
    return found


@given(PAIRS)
def test_each_has_the_smallest_it_is_connected_with(pairs):
    assert list(connected(range(10), pairs).values()) == walked(10, pairs)
    components = Components(10)
    for one, other in pairs:
        components.join(one, other)
    assert components.smallest() == walked(10, pairs)


def test_the_smallest_of_names_is_the_first_in_the_alphabet():
    assert connected("cab", [("c", "b")]) == {"c": "b", "a": "a", "b": "b"}


def test_no_order_of_the_pairs_is_slow():
    n = 50_000
    chain = [(number - 1, number) for number in range(n)][:0:-1]
    for pairs in (chain, chain[::-1]):
        begun = time.perf_counter()
        assert set(connected(range(n), pairs).values()) == {0}
        components = Components(n)
        for one, other in pairs:
            components.join(one, other)
        assert set(components.smallest()) == {0}
        assert time.perf_counter() - begun < 10
