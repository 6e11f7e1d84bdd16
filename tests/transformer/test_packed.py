"""The encoder's training step without padding: the vectors and gradients of the encoder itself."""

import math

import pytest
import torch
from tiny_encoders import SIZES
from transformers import (
    BertConfig,
    BertModel,
    CamembertConfig,
    CamembertModel,
    ElectraConfig,
    ElectraModel,
    MPNetConfig,
    MPNetModel,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from domain_ner.transformer import fixed_outputs, packed, row_attention
from domain_ner.transformer.batches import cut
from domain_ner.transformer.blocks import find_blocks
from domain_ner.transformer.fixed_outputs import FixedOutputs
from domain_ner.transformer.layers import freeze
from domain_ner.transformer.packed import PASS, begin_update

FAMILIES = {
    "bert": (BertConfig, BertModel),
    "roberta": (RobertaConfig, RobertaModel),
    "xlm-roberta": (XLMRobertaConfig, XLMRobertaModel),
    "camembert": (CamembertConfig, CamembertModel),
    "mpnet": (MPNetConfig, MPNetModel),
}
LENGTHS = [40, 3, 7, 90, 5, 60, 2]
ALL = 10_000


def build(family="bert", dropout=0.0, attention_dropout=0.0):
    torch.manual_seed(0)
    config, model = FAMILIES[family]
    dropouts = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": attention_dropout}
    return model(config(vocab_size=50, max_position_embeddings=128, **SIZES, **dropouts))


def rows_of(lengths, seed=0):
    torch.manual_seed(seed)
    return [torch.randint(4, 50, (length,)).tolist() for length in lengths]


def gradients_of(encoder):
    return {name: weights.grad for name, weights in encoder.named_parameters() if weights.grad is not None}


def by_encoder(encoder, rows, d_hidden):
    """Vectors and gradients by the encoder and autograd, row by row."""
    encoder.zero_grad()
    hidden = [encoder(torch.tensor([row])).last_hidden_state[0] for row in rows]
    for states, gradient in zip(hidden, d_hidden, strict=True):
        states.backward(gradient)
    return [states.detach() for states in hidden], gradients_of(encoder)


def by_step(encoder, rows, d_hidden, *, dtype=torch.float32, max_kept=ALL, seed=0, fixed=None):
    encoder.zero_grad()
    torch.manual_seed(seed)
    hidden, backprop = begin_update(encoder, find_blocks(encoder), rows, dtype, max_kept, fixed or FixedOutputs())
    backprop(d_hidden)
    return hidden, gradients_of(encoder)


def d_hidden_of(rows, seed=1):
    torch.manual_seed(seed)
    return [torch.randn(len(row), SIZES["hidden_size"]) for row in rows]


def assert_same(one, other, *, tolerance=1e-4):
    assert one.keys() == other.keys()
    largest = max((float(gradient.norm()) for gradient in other.values()), default=0.0)
    for name, gradient in other.items():
        error = float((one[name] - gradient).norm())
        assert error <= tolerance * max(float(gradient.norm()), 1e-3 * largest), name


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("most", [50, ALL])
def test_vectors_and_gradients_are_the_encoders(family, most, monkeypatch):
    monkeypatch.setattr(packed, "PASS", most)
    encoder, rows = build(family), rows_of(LENGTHS)
    d_hidden = d_hidden_of(rows)
    expected, expected_gradients = by_encoder(encoder, rows, d_hidden)
    hidden, gradients = by_step(encoder, rows, d_hidden)
    for states, same in zip(hidden, expected, strict=True):
        torch.testing.assert_close(states, same, rtol=1e-4, atol=1e-4)
    expected_gradients = {name: one for name, one in expected_gradients.items() if "pooler" not in name}
    assert_same(gradients, expected_gradients)
    assert any("relative_attention_bias" in name for name in gradients) is (family == "mpnet")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("attention_dropout", [0.0, 0.2])
def test_a_row_without_gradient_costs_nothing_and_changes_nothing(family, attention_dropout, monkeypatch):
    """The gradient of some rows is that of all rows, where the others have none."""
    encoder, rows = build(family, 0.1, attention_dropout), rows_of(LENGTHS)
    d_hidden = [states * (n % 2) for n, states in enumerate(d_hidden_of(rows))]
    _, gradients = by_step(encoder, rows, d_hidden)
    computed = []
    original = packed.backward
    monkeypatch.setattr(packed, "backward", lambda *given: computed.append(len(given[2])) or original(*given))
    monkeypatch.setattr(packed, "Step", EveryRow)
    _, expected = by_step(encoder, rows, d_hidden)
    assert computed == [sum(LENGTHS)] * 2
    computed.clear()
    monkeypatch.undo()
    monkeypatch.setattr(packed, "backward", lambda *given: computed.append(len(given[2])) or original(*given))
    by_step(encoder, rows, d_hidden)
    assert computed == [sum(LENGTHS[1::2])] * 2
    assert_same(gradients, expected)


class EveryRow(packed.Step):
    """A step whose rows all have a gradient, if a tiny one."""

    def forward(self, rows):
        output, backprop = super().forward(rows)
        return output, lambda d_rows: backprop([d_row + 1e-30 for d_row in d_rows])


def test_without_any_gradient_nothing_is_learned():
    encoder, rows = build(), rows_of(LENGTHS)
    assert by_step(encoder, rows, [torch.zeros(len(row), 32) for row in rows])[1] == {}


@pytest.mark.parametrize("attention_dropout", [0.0, 0.2])
def test_what_is_run_again_for_its_gradient_drops_out_the_same(attention_dropout, monkeypatch):
    monkeypatch.setattr(packed, "PASS", 100)
    encoder, rows = build("mpnet", 0.3, attention_dropout), rows_of(LENGTHS)
    d_hidden = d_hidden_of(rows)
    hidden, gradients = by_step(encoder, rows, d_hidden, max_kept=10)
    kept_hidden, kept_gradients = by_step(encoder, rows, d_hidden)
    assert all(torch.equal(states, same) for states, same in zip(hidden, kept_hidden, strict=True))
    assert_same(gradients, kept_gradients, tolerance=1e-5)
    other_hidden, _ = by_step(encoder, rows, d_hidden, seed=2)
    assert not torch.equal(hidden[0], other_hidden[0])  # there is dropout


def test_running_again_leaves_the_random_numbers_alone(monkeypatch):
    monkeypatch.setattr(packed, "PASS", 50)
    drawn = []
    for max_kept in (10, ALL):
        by_step(build(dropout=0.3), rows_of(LENGTHS), d_hidden_of(rows_of(LENGTHS)), max_kept=max_kept)
        drawn.append(float(torch.rand(1)))
    assert drawn[0] == drawn[1]


def test_in_bfloat16_gradients_are_near():
    encoder, rows = build(), rows_of(LENGTHS)
    d_hidden = d_hidden_of(rows)
    _, exact = by_step(encoder, rows, d_hidden)
    _, coarse = by_step(encoder, rows, d_hidden, dtype=torch.bfloat16)
    assert all(gradient.dtype == torch.float32 for gradient in coarse.values())
    assert_same(coarse, exact, tolerance=0.06)


@pytest.mark.parametrize(("n_layers", "embeddings"), [(0, True), (1, True), (1, False), (2, True)])
def test_what_is_frozen_has_no_gradient_and_the_rest_the_same(n_layers, embeddings):
    encoder, rows = build(), rows_of(LENGTHS)
    d_hidden = d_hidden_of(rows)
    _, whole = by_step(encoder, rows, d_hidden)
    freeze(encoder, n_layers=n_layers, embeddings=embeddings)
    _, gradients = by_step(encoder, rows, d_hidden)
    learned = {name for name, weights in encoder.named_parameters() if weights.requires_grad and "pooler" not in name}
    assert gradients.keys() == learned
    assert_same(gradients, {name: whole[name] for name in learned})


@pytest.fixture
def n_computed(monkeypatch):
    """A function that tells how many wordpieces went through a layer since it was asked last."""
    seen, original = [], packed.forward
    monkeypatch.setattr(packed, "forward", lambda *given: seen.append(len(given[1])) or original(*given))

    def ask():
        n_seen = sum(seen)
        seen.clear()
        return n_seen

    return ask


@pytest.mark.parametrize("family", ["bert", "roberta", "mpnet"])
def test_frozen_layers_have_no_dropout_and_their_outputs_are_kept(family, n_computed):
    encoder, rows, fixed = build(family, 0.3, 0.3), rows_of(LENGTHS), FixedOutputs()
    freeze(encoder, n_layers=1, embeddings=True)
    above = encoder.encoder.layer[1]
    for module in above.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    (above.attention.attn if family == "mpnet" else above.attention.self).dropout_prob = 0.0
    encoder.eval()
    expected, _ = by_encoder(encoder, rows, d_hidden_of(rows))
    for n_passes in (2, 1):
        n_computed()
        hidden, _ = by_step(encoder, rows, d_hidden_of(rows), fixed=fixed)
        assert n_computed() == n_passes * sum(LENGTHS)
        for states, same in zip(hidden, expected, strict=True):
            torch.testing.assert_close(states, same, rtol=1e-4, atol=1e-4)


WEIGHTS = ["embeddings.position_embeddings.weight", "encoder.layer.0.output.dense.weight"]


@pytest.mark.parametrize(
    ("family", "name"), [*(("bert", name) for name in WEIGHTS), ("mpnet", "encoder.relative_attention_bias.weight")]
)
def test_outputs_are_computed_anew_when_a_frozen_weight_changes_or_learns(family, name, n_computed):
    encoder, rows, fixed = build(family), rows_of(LENGTHS), FixedOutputs()
    freeze(encoder, n_layers=1, embeddings=True)
    by_step(encoder, rows, d_hidden_of(rows), fixed=fixed)
    with torch.no_grad():
        encoder.get_parameter(name).mul_(2.0)
    n_computed()
    hidden, _ = by_step(encoder, rows, d_hidden_of(rows), fixed=fixed)
    assert n_computed() == 2 * sum(LENGTHS)
    expected, _ = by_encoder(encoder, rows, d_hidden_of(rows))
    torch.testing.assert_close(hidden[0], expected[0], rtol=1e-4, atol=1e-4)
    freeze(encoder, n_layers=0, embeddings=True)
    by_step(encoder, rows, d_hidden_of(rows), fixed=fixed)
    assert n_computed() == 2 * sum(LENGTHS)


def test_only_rows_that_were_not_seen_are_computed(n_computed):
    encoder, rows, fixed = build(), rows_of(LENGTHS), FixedOutputs()
    freeze(encoder, n_layers=1, embeddings=True)
    by_step(encoder, rows[:3], d_hidden_of(rows[:3]), fixed=fixed)
    n_computed()
    by_step(encoder, rows, d_hidden_of(rows), fixed=fixed)
    assert n_computed() == sum(LENGTHS[3:]) + sum(LENGTHS)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_outputs_have_the_same_bits_whatever_they_were_computed_with(dtype):
    encoder, rows = build("mpnet", 0.3), rows_of(LENGTHS)
    freeze(encoder, n_layers=2, embeddings=True)
    together, _ = by_step(encoder, rows, d_hidden_of(rows), dtype=dtype)
    for states, row in zip(together, rows, strict=True):
        alone, _ = by_step(encoder, [row], d_hidden_of([row]), dtype=dtype)
        assert torch.equal(alone[0], states)


def test_memory_for_outputs_is_limited(monkeypatch, n_computed):
    monkeypatch.setattr(fixed_outputs, "MOST_BYTES", 45 * SIZES["hidden_size"] * 4)
    encoder, rows, fixed = build(), rows_of(LENGTHS), FixedOutputs()
    freeze(encoder, n_layers=1, embeddings=True)
    by_step(encoder, rows, d_hidden_of(rows), fixed=fixed)
    n_computed()
    by_step(encoder, rows, d_hidden_of(rows), fixed=fixed)
    assert n_computed() == sum(LENGTHS) + sum(LENGTHS) - (40 + 3 + 2)  # what fits is kept


def test_a_frozen_encoder_learns_nothing_and_fails_nowhere():
    encoder, rows = build("mpnet"), rows_of(LENGTHS)
    encoder.requires_grad_(False)
    assert by_step(encoder, rows, d_hidden_of(rows))[1] == {}


def test_passes_are_even_and_no_longer_than_need_be():
    rows = [range(300)] * 5
    assert cut(rows, PASS) == [[0, 1, 2], [3, 4]]
    assert cut([range(3000), range(10)], PASS) == [[0], [1]]
    assert cut([], PASS) == []
    many = [range(1 + 37 * n % 200) for n in range(60)]
    sizes = [sum(len(many[n]) for n in numbers) for numbers in cut(many, PASS)]
    assert len(sizes) == math.ceil(sum(sizes) / PASS) and max(sizes) < PASS + 200
    assert [n for numbers in cut(many, PASS) for n in numbers] == list(range(60))


def test_short_rows_share_a_product_and_long_ones_go_alone():
    like = torch.zeros(1)
    shared = row_attention.segments_of(LENGTHS, None, like, shared=True)
    assert [segment.lengths for segment in shared] == [[40, 3, 7], [90, 5], [60, 2]]
    assert all(segment.addend is not None for segment in shared)
    alone = row_attention.segments_of(LENGTHS, None, like, shared=False)
    assert [segment.lengths for segment in alone] == [[length] for length in LENGTHS]
    assert all(segment.addend is None for segment in alone)


def test_another_family_or_another_activation_is_left_to_the_encoder():
    assert len(find_blocks(build())) == SIZES["num_hidden_layers"]
    assert find_blocks(ElectraModel(ElectraConfig(vocab_size=50, embedding_size=32, **SIZES))) == []
    assert find_blocks(BertModel(BertConfig(vocab_size=50, hidden_act="relu", **SIZES))) == []
    relative = BertConfig(vocab_size=50, position_embedding_type="relative_key", **SIZES)
    assert find_blocks(BertModel(relative)) == []
