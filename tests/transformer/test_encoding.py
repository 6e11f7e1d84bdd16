"""The encoder in batches of a bounded size: the same vectors and gradients as in one batch."""

from contextlib import nullcontext

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertModel

from domain_ner.transformer import encoding
from domain_ner.transformer.encoding import Padding, PassLimits, batches, begin_update, encode

ROWS = [[2, 7, 9, 4, 3], [2, 8, 3], [2, 3], [2, 5, 6, 7, 8, 9, 3], [2, 4, 4, 3]]
WIDE, NARROW = 1000, 8
LENGTHS = st.lists(st.integers(1, 12), max_size=7)


def build(dropout):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    dropouts = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    return BertModel(BertConfig(vocab_size=12, **sizes, **dropouts))


@pytest.fixture
def encoder():
    return build(0.3)


def update(encoder, max_padded, seed=1):
    """The vectors of one update, and the gradients of every weight; those of the vectors are 1, 2, 3 … by row."""
    encoder.zero_grad()
    torch.manual_seed(seed)
    hidden, backprop = begin_update(
        encoder, ROWS, Padding(0, max_padded), autocast=nullcontext, scale=lambda gradients: gradients
    )
    backprop([torch.full_like(states, n + 1) for n, states in enumerate(hidden)])
    return hidden, [weights.grad.clone() for weights in encoder.parameters() if weights.grad is not None]


def takes(groups, lengths, cost):
    """What these batches take: their wordpieces, padding included, and the cost of each."""
    return sum(max(lengths[n] for n in group) * len(group) + cost for group in groups)


def ways(order, most, lengths):
    """Every way to cut `order` into batches that are not too large."""
    if not order:
        yield []
    for end in range(1, len(order) + 1):
        if end == 1 or max(lengths[n] for n in order[:end]) * end <= most:
            yield from ([order[:end], *rest] for rest in ways(order[end:], most, lengths))


@given(LENGTHS, st.integers(1, 40), st.integers(0, 40))
def test_no_other_batches_take_less(lengths, most, cost):
    groups = batches([range(n) for n in lengths], PassLimits(most, cost))
    assert sorted(number for group in groups for number in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or max(lengths[n] for n in group) * len(group) <= most
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    assert takes(groups, lengths, cost) == min(takes(way, lengths, cost) for way in ways(order, most, lengths))


def test_the_longest_go_first():
    assert batches(ROWS, PassLimits(10, 2)) == [[3], [0, 4], [1, 2]]


def test_no_rows_are_no_batches():
    assert batches([], PassLimits(NARROW, 0)) == []


def test_on_a_gpu_there_are_as_few_passes_as_can_be():
    encoder = type("Encoder", (), {"device": torch.device("cuda")})()
    one = Padding(0, 70).on(encoder, PassLimits(10, 1))
    assert one.max_padded == 70
    lengths = [60, 2, 2, 2, 2, 2, 2, 1, 1, 1]
    assert [[lengths[n] for n in group] for group in batches([range(n) for n in lengths], one)] == [[60], lengths[1:]]


def test_vectors_do_not_depend_on_the_batches(encoder):
    one, other = (encode(encoder, ROWS, Padding(0, size)) for size in (WIDE, NARROW))
    for row, states, same in zip(ROWS, one, other, strict=True):
        assert states.shape == (len(row), 16)
        torch.testing.assert_close(states, same)


def test_predicting_leaves_dropout_as_it_was(encoder):
    encoder.train()
    encode(encoder, ROWS, Padding(0, WIDE))
    assert encoder.training
    encoder.eval()
    one, other = (encode(encoder, ROWS, Padding(0, WIDE)) for _ in range(2))
    assert not encoder.training
    assert all((states == same).all() for states, same in zip(one, other, strict=True))


def test_gradients_do_not_depend_on_the_batches():
    encoder = build(0.0)
    (_, one), (_, other) = update(encoder, WIDE), update(encoder, NARROW)
    for gradient, same in zip(one, other, strict=True):
        torch.testing.assert_close(gradient, same, rtol=1e-4, atol=1e-5)


def test_what_is_run_again_for_its_gradient_drops_out_the_same(encoder, monkeypatch):
    hidden, gradients = update(encoder, NARROW)
    monkeypatch.setattr(encoding, "checkpoint", lambda run, *arguments, use_reentrant: run(*arguments))
    kept_hidden, kept_gradients = update(encoder, NARROW)
    for one, other in zip([*hidden, *gradients], [*kept_hidden, *kept_gradients], strict=True):
        torch.testing.assert_close(one, other)
    other_hidden, _ = update(encoder, NARROW, seed=2)
    assert not torch.equal(hidden[0], other_hidden[0])  # there is dropout


def test_a_frozen_encoder_learns_nothing_and_fails_nowhere(encoder):
    encoder.requires_grad_(False)
    for max_padded in (WIDE, NARROW):
        _, gradients = update(encoder, max_padded)
        assert not gradients


def test_on_a_cpu_no_more_goes_through_at_a_time_than_its_caches_hold(encoder, monkeypatch):
    monkeypatch.setattr(encoding, "CPU_PREDICTING", PassLimits(16, 16))
    monkeypatch.setattr(encoding, "CPU_TRAINING", PassLimits(8, 8))
    padded = []
    encoder.register_forward_pre_hook(lambda _, __, given: padded.append(given["input_ids"].numel()), with_kwargs=True)
    encode(encoder, ROWS, Padding(0, WIDE))
    assert len(padded) == 2 and max(padded) <= 16
    padded.clear()
    update(encoder, WIDE)
    assert len(padded) == 4 and max(padded) <= 8  # nothing is run again: WIDE is what memory allows


def test_gradients_do_not_depend_on_what_goes_through_at_a_time(monkeypatch):
    encoder = build(0.0)
    _, one = update(encoder, WIDE)
    monkeypatch.setattr(encoding, "CPU_TRAINING", PassLimits(8, 0))
    _, other = update(encoder, WIDE)
    for gradient, same in zip(one, other, strict=True):
        torch.testing.assert_close(gradient, same, rtol=1e-4, atol=1e-5)
