"""Weights and activations as integers."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from domain_ner.optimizing.quantizing import MAX_WEIGHT, quantize, to_int8


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("highest", [127, MAX_WEIGHT])
def test_integers_times_scales_are_the_weights_to_half_a_step(axis, highest):
    weights = np.random.default_rng(0).normal(size=(50, 30)).astype("f")
    weights[:, 3] = weights[7] = 0
    integers, scales = to_int8(weights, axis=axis, highest=highest)
    steps = np.expand_dims(scales, axis)
    assert integers.dtype == np.int8 and np.abs(integers.astype(int)).max() == highest
    assert (np.abs(integers * steps - weights) <= steps * 0.501).all()


def test_two_products_fit_the_16_bits_of_a_processor_without_vnni():
    assert 2 * 255 * MAX_WEIGHT <= 2**15 - 1


def product(weights, *, gelu=False):
    """A graph of one matrix product, of the output of GELU if asked for."""
    given = [helper.make_node("Gelu", ["x"], ["a"], domain="com.microsoft")] if gelu else []
    node = helper.make_node("MatMul", ["a" if gelu else "x", "W"], ["y"])
    shape = ["rows", weights.shape[0]]
    graph = helper.make_graph(
        [*given, node],
        "product",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["rows", weights.shape[1]])],
        [numpy_helper.from_array(weights, "W")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def run(model, x):
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


@pytest.mark.parametrize("gelu", [False, True])
def test_each_row_has_its_own_scale(gelu):
    """Rows from tiny to huge are equally exact, and do not change with what is beside them."""
    generator = np.random.default_rng(1)
    weights = generator.normal(size=(64, 48)).astype("f")
    x = generator.normal(size=(5, 64)).astype("f") * np.array([[1e-3], [1], [10], [1000], [0]], dtype="f")
    plain = product(weights, gelu=gelu)
    quantized = quantize(plain)
    found, expected = run(quantized, x), run(plain, x)
    assert np.isfinite(found).all()
    assert np.abs(found[4]).max() < 1e-6
    # GELU's output has a fixed step for all rows below 1: a tiny row is not worth more.
    for row in range(1 if gelu else 0, 4):
        assert np.linalg.norm(found[row] - expected[row]) < 0.03 * np.linalg.norm(expected[row])
    assert np.array_equal(found, np.concatenate([run(quantized, x[n : n + 1]) for n in range(5)]))


def test_the_sum_of_the_largest_products_does_not_saturate():
    weights = np.full((256, 16), 0.5, dtype="f")
    found = run(quantize(product(weights)), np.ones((2, 256), dtype="f"))
    assert np.abs(found - 128).max() < 0.01
