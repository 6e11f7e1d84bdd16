"""Quantises an exported encoder to int8: weights by output column, activations by row.

onnxruntime's `quantize_dynamic` takes one scale for the activations of a whole padded batch, so that a text's entities
depend on its neighbours. Here each wordpiece is divided by its own largest value first, and all share one fixed scale:
the same operations as fast, and nothing depends on another row.

For y = x W, with the row's largest value m and the columns' scales s: y = m * ((x / m / a) (W / s)) * a * s, where both
matrices are integers and a is the fixed scale of activations.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from domain_ner.optimizing.fusing import MICROSOFT, remove_unused

# The outputs of GELU are at least -0.17: their rows, divided by at least 1, lie in -0.17 … 1.
GELU_LEAST = -0.17
GELUS = ("BiasGelu", "Gelu", "FastGelu")
# The largest integer of a weight: with 127, two products of a row (255) and a weight would not fit the 16 bits in which
# processors without VNNI add them, and results would depend on the processor.
MAX_WEIGHT = 64
# A smaller embedding table is not worth it.
MIN_ROWS = 1000
# A row of zeros (padding that a layer has set to 0) is divided by this.
SMALLEST = 1e-12


def quantize(onnx_model: bytes) -> bytes:
    """Return the int8 model. onnx_model: of `export_encoder`."""
    model = onnx.load_from_string(onnx_model)
    _Quantizer(model.graph).run()
    if not any(given.domain == MICROSOFT for given in model.opset_import):
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    quantized: bytes = model.SerializeToString()
    return quantized


class _Quantizer:
    """Replaces matrix products with constant weights, and large embedding tables, in a graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._after_gelu = {name for node in graph.node if node.op_type in GELUS for name in node.output}
        self._nodes: list[NodeProto] = []
        self._rows: dict[str, tuple[str, str, str, str]] = {}
        self._matrices: dict[str, tuple[str, str, str]] = {}
        self._constants: set[str] = set()

    def run(self) -> None:
        for node in list(self._graph.node):
            if node.op_type == "MatMul" and self._is_matrix(node.input[1]):
                self._replace_product(node)
            elif node.op_type == "Gather" and self._is_table(node):
                self._replace_table(node)
            else:
                self._nodes.append(node)
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        remove_unused(self._graph)

    def _is_matrix(self, name: str) -> bool:
        return name in self._weights and len(self._weights[name].dims) == 2

    def _is_table(self, node: NodeProto) -> bool:
        name = node.input[0]
        return self._is_matrix(name) and self._weights[name].dims[0] >= MIN_ROWS and self._is_float(name)

    def _is_float(self, name: str) -> bool:
        return bool(self._weights[name].data_type == onnx.TensorProto.FLOAT)

    def _replace_product(self, node: NodeProto) -> None:
        rows, largest, scale, zero = self._quantized_rows(node.input[0])
        matrix, scales, zeros = self._quantized_matrix(node.input[1])
        output = node.output[0]
        inputs = [rows, matrix, scale, scales, zero, zeros]
        self._add("MatMulIntegerToFloat", inputs, f"{output}_unscaled", domain=MICROSOFT)
        self._add("Mul", [f"{output}_unscaled", largest], output)

    def _quantized_rows(self, name: str) -> tuple[str, str, str, str]:
        """The names of the rows as uint8, of each row's largest value, and of the fixed scale and zero."""
        if name in self._rows:
            return self._rows[name]
        if name in self._after_gelu:
            self._add("ReduceMax", [name], f"{name}_highest", axes=[-1], keepdims=1)
            self._add("Max", [f"{name}_highest", self._constant("one", np.float32(1))], f"{name}_largest")
            step = (1 - GELU_LEAST) / 255
            scale = self._constant("gelu_scale", np.float32(step))
            zero = self._constant("gelu_zero", np.uint8(round(-GELU_LEAST / step)))
        else:
            self._add("Abs", [name], f"{name}_absolute")
            self._add("ReduceMax", [f"{name}_absolute"], f"{name}_highest", axes=[-1], keepdims=1)
            self._add("Max", [f"{name}_highest", self._constant("least", np.float32(SMALLEST))], f"{name}_largest")
            scale = self._constant("row_scale", np.float32(1 / 127))
            zero = self._constant("row_zero", np.uint8(128))
        self._add("Div", [name, f"{name}_largest"], f"{name}_divided")
        self._add("QuantizeLinear", [f"{name}_divided", scale, zero], f"{name}_rows")
        self._rows[name] = f"{name}_rows", f"{name}_largest", scale, zero
        return self._rows[name]

    def _quantized_matrix(self, name: str) -> tuple[str, str, str]:
        """The names of the weights as int8, of the scale of each column, and of its zero."""
        if name not in self._matrices:
            weights, scales = to_int8(numpy_helper.to_array(self._weights[name]), axis=0, highest=MAX_WEIGHT)
            self._matrices[name] = (
                self._constant(f"{name}_int8", weights),
                self._constant(f"{name}_scales", scales),
                self._constant(f"zeros_{len(scales)}", np.zeros(len(scales), dtype=np.int8)),
            )
        return self._matrices[name]

    def _replace_table(self, node: NodeProto) -> None:
        name, ids, output = node.input[0], node.input[1], node.output[0]
        table, scales = to_int8(numpy_helper.to_array(self._weights[name]), axis=1)
        self._add("Gather", [self._constant(f"{name}_int8", table), ids], f"{output}_int8", axis=0)
        self._add("Gather", [self._constant(f"{name}_scales", scales[:, None]), ids], f"{output}_scales", axis=0)
        self._add("Cast", [f"{output}_int8"], f"{output}_float", to=onnx.TensorProto.FLOAT)
        self._add("Mul", [f"{output}_float", f"{output}_scales"], output)

    def _add(self, op_type: str, inputs: list[str], output: str, **settings: Any) -> None:
        self._nodes.append(helper.make_node(op_type, inputs, [output], **settings))

    def _constant(self, name: str, value: Any) -> str:
        name = f"quantized_{name}"
        if name not in self._constants:
            self._constants.add(name)
            self._graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name


def to_int8(
    weights: NDArray[np.float32], *, axis: int, highest: int = 127
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round weights to integers of at most `highest`, with one scale along the axis. weights: (n_rows, n_columns).

    Returns the integers, and the scales: weights = integers * scales.
    """
    largest = np.abs(weights).max(axis=axis)
    scales = np.where(largest > 0, largest / highest, 1).astype(np.float32)
    integers = np.round(weights / np.expand_dims(scales, axis)).astype(np.int8)
    return integers, scales
