"""Exports the convolutions of spaCy's `MaxoutWindowEncoder` to one ONNX model."""

from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper
from thinc.api import Model

from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.sessions import start_session
from domain_ner.onnx_encoder.tok2vec import ENCODED, VECTORS
from domain_ner.optimizing.export import OPSET, TOLERANCE

# What a layer consists of; dropout does nothing in prediction.
LAYER = "residual(expand_window>>maxout>>layernorm>>dropout)"
# Of thinc's layer normalisation.
EPSILON = 1e-8
# The format of ONNX files that onnxruntime 1.20 reads.
IR_VERSION = 9
END = np.iinfo(np.int64).max


def is_window_encoder(encoder: Model[Any, Any]) -> bool:
    """Whether this is spaCy's `MaxoutWindowEncoder`, trained."""
    layers = encoder.layers[0].layers if encoder.name.startswith("with_array") else []
    return bool(layers) and all(layer.name == LAYER and _part(layer, "maxout").has_param("W") for layer in layers)


def export_window_encoder(encoder: Model[Any, Any]) -> bytes:
    """Export the convolutions, and compare the result with them. encoder: see `is_window_encoder`.

    Returns an ONNX model: `vectors` to `encoded`, both (n_rows, width) float32.
    Raises DomainNerError when it computes something else.
    """
    layers = encoder.layers[0]
    width = _part(layers, "maxout").get_dim("nO")
    graph = _Graph()
    rows = VECTORS
    for number, layer in enumerate(layers.layers):
        rows = graph.add_layer(f"layer{number}", layer, rows)
    graph.add("Identity", [rows], ENCODED)
    exported: bytes = graph.model(width).SerializeToString()
    sample = np.random.default_rng(0).normal(size=(50, width)).astype(np.float32)
    expected = layers.predict(sample)
    (encoded,) = start_session(exported, 1).run([ENCODED], {VECTORS: sample})
    if np.abs(encoded - expected).max() > TOLERANCE * expected.std():
        raise DomainNerError(
            "The ONNX export of tok2vec computes other vectors than spaCy.",
            "Please report it, with the config of tok2vec; until then, use the torch pipeline.",
        )
    return exported


def _part(layer: Model[Any, Any], name: str) -> Model[Any, Any]:
    return next(node for node in layer.walk() if node.name == name)


class _Graph:
    """Collects the nodes and weights of an ONNX model."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self._whole_numbers: dict[int, str] = {}

    def add(self, op_type: str, inputs: list[str], *outputs: str, **settings: Any) -> str:
        self.nodes.append(helper.make_node(op_type, inputs, list(outputs), **settings))
        return outputs[0]

    def weight(self, name: str, value: Any) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def number(self, value: int) -> str:
        if value not in self._whole_numbers:
            self._whole_numbers[value] = self.weight(f"number_{value}", np.array([value], dtype=np.int64))
        return self._whole_numbers[value]

    def add_layer(self, name: str, layer: Model[Any, Any], rows: str) -> str:
        """Windows of tokens, maxout, layer normalisation, and what went in is added. Returns the output's name."""
        maxout, norm = _part(layer, "maxout"), _part(layer, "layernorm")
        weights, bias = maxout.get_param("W"), maxout.get_param("b")  # (width, pieces, window), (width, pieces)
        _, n_pieces, n_inputs = weights.shape
        windows = self._windows(name, rows, _part(layer, "expand_window").attrs["window_size"])
        by_piece = weights.transpose(2, 1, 0).reshape(n_inputs, -1)
        product = self.add("MatMul", [windows, self.weight(f"{name}_W", by_piece)], f"{name}_product")
        added = self.add("Add", [product, self.weight(f"{name}_b", bias.T.reshape(-1))], f"{name}_added")
        pieces = [f"{name}_piece{n}" for n in range(n_pieces)]
        self.add("Split", [added], *pieces, axis=1)
        highest = self.add("Max", pieces, f"{name}_highest")
        scales = [
            self.weight(f"{name}_G", norm.get_param("G")),
            self.weight(f"{name}_shift", norm.get_param("b")),
        ]
        normed = self.add("LayerNormalization", [highest, *scales], f"{name}_normed", axis=-1, epsilon=EPSILON)
        return self.add("Add", [rows, normed], f"{name}_out")

    def _windows(self, name: str, rows: str, size: int) -> str:
        """(n_rows, (2 * size + 1) * width): each row with its neighbours, zeros beyond the ends."""
        pads = self.weight(f"{name}_pads", np.array([size, 0, size, 0], dtype=np.int64))
        padded = self.add("Pad", [rows, pads], f"{name}_padded")
        shifted = []
        for shift in range(2 * size + 1):
            end = shift - 2 * size if shift < 2 * size else END
            bounds = [self.number(shift), self.number(end), self.number(0)]
            shifted.append(self.add("Slice", [padded, *bounds], f"{name}_shifted{shift}"))
        return self.add("Concat", shifted, f"{name}_windows", axis=1)

    def model(self, width: int) -> onnx.ModelProto:
        given, returned = (
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width]) for name in (VECTORS, ENCODED)
        )
        graph = helper.make_graph(self.nodes, "tok2vec", [given], [returned], self.weights)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="domain-ner"
        )
