"""The fused optimizer: what thinc's Adam would do, with thinc's moments."""

import numpy as np
import pytest
import torch
from thinc.api import Adam, RAdam

from domain_ner.transformer.adam import FusedAdam, can_fuse

SHAPES = [(20, 30), (30,), (1,)]
SETTINGS = {"L2": 0.01, "grad_clip": 1.0, "use_averages": True, "L2_is_weight_decay": True}


def scale(key):
    return 1.0 if key[1] == "0" else 0.5


def train(fused, n_steps, seed=0):
    """Weights and optimizer after some steps: by thinc, or by PyTorch's kernel."""
    torch.manual_seed(seed)
    optimizer = Adam(0.01, **SETTINGS)
    weights = [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    update = FusedAdam()
    for step in range(n_steps):
        for n, one in enumerate(weights):
            one.grad = torch.randn(SHAPES[n]) * (3.0 if step % 2 else 0.01)
        if step == 2:
            weights[1].grad = None  # nothing of it was learned
        if fused:
            update(optimizer, {(7, str(n)): one for n, one in enumerate(weights)}, scale)
            continue
        for n, one in enumerate(weights):
            if one.grad is not None:
                key = (7, str(n))
                updated, _ = optimizer(key, one.detach().numpy(), one.grad.numpy(), lr_scale=scale(key))
                one.data = torch.from_numpy(updated)
    return [one.detach().numpy() for one in weights], optimizer


@pytest.mark.parametrize("n_steps", [1, 12])
def test_weights_moments_and_averages_are_those_of_thinc(n_steps):
    (weights, optimizer), (expected, other) = train(True, n_steps), train(False, n_steps)
    for n, (one, same) in enumerate(zip(weights, expected, strict=True)):
        key = (7, str(n))
        np.testing.assert_allclose(one, same, rtol=2e-3, atol=2e-4)
        for moments in ("mom1", "mom2"):
            np.testing.assert_allclose(
                getattr(optimizer, moments)[key], getattr(other, moments)[key], rtol=1e-4, atol=1e-7
            )
        np.testing.assert_allclose(optimizer.averages[key], other.averages[key], rtol=2e-3, atol=2e-4)
        assert optimizer.nr_update[key] == other.nr_update[key]


def test_gradients_are_gone_after_the_update():
    weights = torch.nn.Parameter(torch.ones(3))
    weights.grad = torch.ones(3)
    FusedAdam()(Adam(0.01, **SETTINGS), {(0, "w"): weights}, lambda key: 1.0)
    assert weights.grad is None


def test_moments_that_a_checkpoint_brings_are_used():
    """Restoring replaces the optimizer's arrays."""
    weights, optimizer, update = torch.nn.Parameter(torch.ones(3)), Adam(0.01, **SETTINGS), FusedAdam()
    for _ in range(2):
        weights.grad = torch.ones(3)
        update(optimizer, {(0, "w"): weights}, lambda key: 1.0)
    optimizer.mom1[0, "w"] = np.full(3, -5.0, dtype="float32")
    before = weights.detach().clone()
    weights.grad = torch.zeros(3)
    update(optimizer, {(0, "w"): weights}, lambda key: 1.0)
    assert (weights > before).all()
    np.testing.assert_allclose(optimizer.mom1[0, "w"], -4.5, rtol=1e-5)


def test_what_the_kernel_does_not_do_is_left_to_thinc():
    assert can_fuse(Adam(0.01, **SETTINGS))
    assert can_fuse(Adam(0.01, L2=0.0, L2_is_weight_decay=False))
    assert not can_fuse(RAdam(0.01))
    assert not can_fuse(Adam(0.01, L2=0.01, L2_is_weight_decay=False))
    assert not can_fuse(lambda key, weights, gradient: (weights, gradient))
