"""Gradients that are left out at random: their mean stays, and the large ones are always there."""

import pytest
import torch

from domain_ner.errors import DomainNerError
from domain_ner.transformer.architectures import create_transformer_model
from domain_ner.transformer.sampling import sample


def docs(*norms):
    """Gradients of these norms, each of another shape."""
    return [torch.full((1, n + 1, 2), norm / (2 * (n + 1)) ** 0.5) for n, norm in enumerate(norms)]


def test_the_expected_gradient_is_the_gradient():
    torch.manual_seed(0)
    given = docs(0.1, 1.0, 4.0, 0.0)
    n_draws = 4000
    totals = [torch.zeros_like(one) for one in given]
    n_kept = [0] * len(given)
    for _ in range(n_draws):
        for number, one in enumerate(sample(given, 1.0)):
            totals[number] += one
            n_kept[number] += bool(one.any())
    mean = 5.1 / 4
    assert n_kept[2] == n_draws and n_kept[3] == 0
    for n, norm in ((0, 0.1), (1, 1.0)):
        assert abs(n_kept[n] / n_draws - norm / mean) < 0.03
    for total, one in zip(totals, given, strict=True):
        torch.testing.assert_close(total / n_draws, one, rtol=0.15, atol=1e-6)


def test_what_is_kept_of_a_small_gradient_has_the_norm_of_the_mean():
    torch.manual_seed(0)
    for _ in range(50):
        kept = sample(docs(0.5, 1.0, 4.5), 1.0)
        norms = [float(one.norm()) for one in kept]
        assert all(norm == 0 or abs(norm - expected) < 1e-4 for norm, expected in zip(norms, (2, 2, 4.5), strict=True))


def test_equal_gradients_are_all_kept():
    given = docs(1.0, 1.0, 1.0)
    assert all(torch.allclose(one, same) for one, same in zip(sample(given, 1.0), given, strict=True))


def test_with_strength_0_all_are_kept_and_no_number_is_drawn():
    given, state = docs(0.1, 4.0), torch.get_rng_state()
    assert all(one is same for one, same in zip(sample(given, 0.0), given, strict=True))
    assert torch.equal(torch.get_rng_state(), state)


def test_without_a_gradient_there_is_none():
    assert sample([], 1.0) == []
    assert not any(bool(one.any()) for one in sample(docs(0.0, 0.0), 1.0))


def test_less_than_nothing_is_an_error():
    given = {name: {} for name in ("tokenizer_config", "transformer_config", "grad_scaler_config")}
    switches = dict.fromkeys(("mixed_precision", "freeze_embeddings", "cpu_bfloat16"), False)
    numbers = dict.fromkeys(("learn_rate_factor", "freeze_layers", "layer_decay", "mask_share", "window", "overlap"), 0)
    with pytest.raises(DomainNerError, match=r"gradient_sampling is -1 in .*expected 0 or more"):
        create_transformer_model("x", **given, **switches, **numbers, max_batch_items=1, gradient_sampling=-1)
