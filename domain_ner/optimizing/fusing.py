"""Joins the operations of an exported encoder to those that onnxruntime computes fast on a CPU.

onnxruntime's own optimiser joins attention, GELU and layer normalisation. Two of its joined operations are slower than
others, and are replaced: layer normalisation with the addition before it (5 times), and attention with its matrix
products, which could not be quantised by row.
"""

import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions

MICROSOFT = "com.microsoft"


def fuse(model: onnx.ModelProto, config: Any) -> onnx.ModelProto:
    """Return a faster model that computes the same. config: of the encoder, as in transformers."""
    options = FusionOptions("bert")
    options.enable_embed_layer_norm = False  # its table could not be int8
    logging.getLogger("onnxruntime.transformers").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.onnx"
        onnx.save(model, path)
        fused = optimizer.optimize_model(
            str(path),
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            optimization_options=options,
            opt_level=0,
        ).model
    _replace_nodes(fused)
    joined: onnx.ModelProto = fused
    return joined


def _replace_nodes(model: onnx.ModelProto) -> None:
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type == "SkipLayerNormalization":
            nodes += _plain_normalization(node)
        elif node.op_type == "Attention" and node.domain == MICROSOFT and node.input[1] in weights:
            nodes += _plain_attention(node, numpy_helper.to_array(weights[node.input[1]]), graph)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    remove_unused(graph)


def _plain_normalization(node: NodeProto) -> list[NodeProto]:
    """Addition and layer normalisation: 5 times as fast as one operation (onnxruntime 1.32)."""
    given, skipped, gamma, beta, *bias = node.input
    name = node.output[0]
    epsilon = attribute(node, "epsilon")
    added = [helper.make_node("Add", [given, bias[0]], [f"{name}_biased"])] if bias and bias[0] else []
    first = added[0].output[0] if added else given
    summed = node.output[3] if len(node.output) > 3 else f"{name}_sum"
    total = helper.make_node("Add", [first, skipped], [summed])
    normalized = helper.make_node(
        "LayerNormalization", [total.output[0], gamma, beta], [name], axis=-1, epsilon=epsilon
    )
    return [*added, total, normalized]


def _plain_attention(node: NodeProto, weights: "np.ndarray[Any, Any]", graph: onnx.GraphProto) -> list[NodeProto]:
    """Three matrix products, then the attention without them."""
    name, given = node.output[0], node.input[0]
    nodes, parts = [], []
    for part, array in zip(("query", "key", "value"), np.split(weights, 3, axis=1), strict=True):
        weight = f"{name}_{part}_weight"
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), weight))
        nodes.append(helper.make_node("MatMul", [given, weight], [f"{name}_{part}"]))
        parts.append(f"{name}_{part}")
    mask = node.input[3] if len(node.input) > 3 else ""
    attention = helper.make_node(
        "MultiHeadAttention",
        [*parts, node.input[2], mask],
        [name],
        domain=MICROSOFT,
        num_heads=attribute(node, "num_heads"),
    )
    return [*nodes, attention]


def attribute(node: NodeProto, name: str) -> Any:
    """The value of a node's attribute, None if it has none of that name."""
    return next((helper.get_attribute_value(given) for given in node.attribute if given.name == name), None)


def remove_unused(graph: onnx.GraphProto) -> None:
    """Remove the weights that no node uses."""
    used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
