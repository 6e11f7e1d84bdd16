"""Layer normalisation with an encoder's epsilon: as PyTorch computes it, forwards and backwards."""

import numpy as np
import pytest
import torch

from domain_ner.transformer.layer_norm import create_layer_norm


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_outputs_and_gradients_are_pytorchs(scale):
    rng = np.random.default_rng(0)
    vectors, weights = (rng.normal(size=(4, 6)).astype("f") for _ in range(2))
    model = create_layer_norm(6, 1e-5)
    model.initialize()
    reference = torch.nn.LayerNorm(6, eps=1e-5)
    for name, param in (("G", reference.weight), ("b", reference.bias)):
        values = rng.normal(size=6).astype("f")
        model.set_param(name, values)
        param.data = torch.from_numpy(values.copy())
    given = torch.from_numpy(scale * vectors).requires_grad_()
    output, backprop = model(scale * vectors, is_train=True)
    expected = reference(given)
    expected.backward(torch.from_numpy(weights))
    np.testing.assert_allclose(output, expected.detach(), atol=1e-5)
    np.testing.assert_allclose(backprop(weights), given.grad, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(model.get_grad("G"), reference.weight.grad, atol=1e-4)
    np.testing.assert_allclose(model.get_grad("b"), reference.bias.grad, atol=1e-5)
