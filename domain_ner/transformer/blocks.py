"""The layers of BERT-like encoders (Devlin et al. 2019), by their parts: whatever a family calls them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from domain_ner.transformer.layers import learns

Encoder = Any


@dataclass(frozen=True)
class Block:
    """A layer: attention and its output, added to the input and normalised; then the same with two linear layers.

    dropout, attention_dropout: shares in 0..1, of the outputs and of the attention's probabilities.
    """

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    output: nn.Linear
    norm: nn.LayerNorm
    inner: nn.Linear
    outer: nn.Linear
    last_norm: nn.LayerNorm
    n_heads: int
    dropout: float
    attention_dropout: float

    @property
    def parts(self) -> tuple[nn.Module, ...]:
        """All that has weights."""
        return (self.query, self.key, self.value, self.output, self.norm, self.inner, self.outer, self.last_norm)

    @property
    def is_frozen(self) -> bool:
        """Whether no weight learns."""
        return not any(map(learns, self.parts))


def find_blocks(encoder: Encoder) -> list[Block]:
    """List the layers of a BERT, RoBERTa, XLM-RoBERTa, CamemBERT or MPNet encoder, the lowest first.

    Nothing for another family, and for one of these with another activation than GELU or with relative positions of
    its own.
    """
    config, find = encoder.config, FAMILIES.get(type(encoder).__name__)
    is_plain = getattr(config, "position_embedding_type", "absolute") == "absolute"
    if find is None or not is_plain or config.hidden_act != "gelu":
        return []
    return [find(layer) for layer in encoder.encoder.layer]


def _bert(layer: Any) -> Block:
    own, out = layer.attention.self, layer.attention.output
    return _block(layer, own, [own.query, own.key, own.value, out.dense, out.LayerNorm])


def _mpnet(layer: Any) -> Block:
    own = layer.attention.attn
    return _block(layer, own, [own.q, own.k, own.v, own.o, layer.attention.LayerNorm])


def _block(layer: Any, own: Any, attention: list[Any]) -> Block:
    parts = [*attention, layer.intermediate.dense, layer.output.dense, layer.output.LayerNorm]
    attention_dropout = own.dropout_prob if hasattr(own, "dropout_prob") else own.dropout.p
    names = ("query", "key", "value", "output", "norm", "inner", "outer", "last_norm")
    return Block(
        **dict(zip(names, parts, strict=True)),
        n_heads=own.num_attention_heads,
        dropout=layer.output.dropout.p,
        attention_dropout=attention_dropout,
    )


FAMILIES: dict[str, Callable[[Any], Block]] = {
    "BertModel": _bert,
    "RobertaModel": _bert,
    "XLMRobertaModel": _bert,
    "CamembertModel": _bert,
    "MPNetModel": _mpnet,
}
