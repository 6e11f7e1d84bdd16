import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.training.batching import configure_batch_by_length, count_batches

LENGTHS = st.lists(st.integers(0, 60), max_size=80)


def batches(lengths, *, size=4, max_padded=100, buffer=3, seed=0):
    items = [range(n, 2 * n) for n in lengths]
    return list(configure_batch_by_length(size, max_padded, buffer, seed)(items))


@given(LENGTHS)
def test_nothing_is_discarded_and_nothing_comes_twice(lengths):
    assert sorted(len(item) for batch in batches(lengths) for item in batch) == sorted(lengths)


@given(LENGTHS)
def test_no_batch_is_too_large_unless_it_is_one_long_example(lengths):
    for batch in batches(lengths):
        assert 1 <= len(batch) <= 4
        assert len(batch) == 1 or max(map(len, batch)) * len(batch) <= 100


@pytest.mark.parametrize("length", [64, 100, 200, 250, 500, 1000, 5000])
def test_equal_lengths_are_all_kept(length):
    """The lengths at which `spacy.batch_by_padded.v1` with discard_oversize drops most of an epoch."""
    kept = batches([length] * 200, size=16, max_padded=2000, buffer=16)
    assert sum(map(len, kept)) == 200


def test_examples_of_a_batch_are_of_similar_length():
    lengths = random.Random(0).choices(range(1, 50), k=120)
    padding = sum(max(map(len, batch)) * len(batch) for batch in batches(lengths, max_padded=1000, buffer=30)) - sum(
        lengths
    )
    assert padding < 0.1 * sum(lengths)


def test_batches_do_not_come_from_short_to_long():
    found = [len(batch[0]) for batch in batches(range(1, 60), buffer=20)]
    assert found != sorted(found)


def test_one_seed_gives_one_order():
    assert batches(range(1, 60), seed=7) == batches(range(1, 60), seed=7)
    assert batches(range(1, 60), seed=7, buffer=20) != batches(range(1, 60), seed=8, buffer=20)


def test_an_endless_stream_is_batched_as_it_comes():
    stream = configure_batch_by_length(4, 100, 3, 0)(range(2) for _ in itertools.count())
    assert len(next(stream)) == 4


def test_with_a_buffer_of_one_a_batch_is_what_comes_next():
    lengths = random.Random(0).choices(range(1, 20), k=12)
    found = [sorted(map(len, batch)) for batch in batches(lengths, buffer=1)]
    assert found == [sorted(lengths[at : at + 4]) for at in (0, 4, 8)]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60), st.integers(1, 3))
def test_the_plan_counts_the_batches_exactly_where_no_order_changes_their_number(lengths, buffer):
    planned = count_batches(lengths, size=4, max_padded=100, buffer=buffer)
    assert -(-len(lengths) // 4) <= planned <= len(lengths)
    if max(lengths) * 4 <= 100 or buffer * 4 >= len(lengths):
        assert planned == len(batches(lengths, buffer=buffer))
