"""Trains BERT-like encoders on a CPU: no padding, weights cast once a step, no gradient for rows that need none.

The wordpieces of all rows are one matrix; only attention goes row by row. The backward pass is written out, without an
autograd graph, so that it can leave out rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from domain_ner.transformer.batches import Rows, cut
from domain_ner.transformer.blocks import Block
from domain_ner.transformer.cpu_training import CpuTraining, drop_mask
from domain_ner.transformer.fixed_outputs import FixedOutputs
from domain_ner.transformer.layers import learns, set_training
from domain_ner.transformer.row_attention import Attended, Segment, attend, d_attend, masked, segments_of, select

Encoder = Any
Backprop = Callable[[Sequence[Tensor]], None]
aten = torch.ops.aten
# So many wordpieces go through the layers at a time: their vectors fit a CPU's caches.
PASS = 1024


@dataclass(frozen=True)
class Cast:
    """A layer's weights in the dtype of the matrix products. The scores' scale is in those of the queries."""

    block: Block
    qkv: Tensor
    qkv_bias: Tensor
    output: Tensor
    output_bias: Tensor
    inner: Tensor
    inner_bias: Tensor
    outer: Tensor
    outer_bias: Tensor

    @classmethod
    def of(cls, block: Block, dtype: torch.dtype) -> "Cast":
        """Cast the weights."""
        scale, query, others = head_width(block) ** -0.5, block.query, (block.key, block.value)
        qkv = torch.cat([(query.weight * scale).to(dtype), *(part.weight.to(dtype) for part in others)])
        qkv_bias = torch.cat([(query.bias * scale).to(dtype), *(part.bias.to(dtype) for part in others)])
        rest = (block.output, block.inner, block.outer)
        return cls(block, qkv, qkv_bias, *(each.to(dtype) for part in rest for each in (part.weight, part.bias)))


@dataclass(frozen=True)
class Kept:
    """What a layer's backward pass needs of its forward pass. Vectors: (n_wordpieces, …), of all rows.

    normed: the vectors between the two halves, with mean and 1 / standard deviation, (n_wordpieces, 1), of both norms.
    Masks are None without dropout.
    """

    attended: Attended
    x: Tensor
    context: Tensor
    summed: Tensor
    mean: Tensor
    rstd: Tensor
    normed: Tensor
    hidden: Tensor
    last_summed: Tensor
    last_mean: Tensor
    last_rstd: Tensor
    mask: Tensor | None
    last_mask: Tensor | None

    def select(self, rows: Sequence[int], wordpieces: Tensor, segments: list[Segment]) -> "Kept":
        """What of it belongs to some of the rows. wordpieces: their numbers; segments: the rows, for the attention."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "attended"}
        chosen = {name: None if array is None else array.index_select(0, wordpieces) for name, array in arrays.items()}
        return Kept(select(self.attended, rows, wordpieces, segments), **chosen)


def head_width(block: Block) -> int:
    """The width of an attention head."""
    return int(block.query.out_features) // block.n_heads


def begin_update(  # noqa: PLR0913, PLR0917
    encoder: Encoder, blocks: Sequence[Block], rows: Rows, dtype: torch.dtype, max_kept: int, fixed: FixedOutputs
) -> tuple[list[Tensor], Backprop]:
    """Compute the last hidden states in training, as `encoding.begin_update`.

    blocks: the encoder's layers. dtype: of the matrix products. max_kept: if there are more wordpieces, all but the
    outputs are computed once more for the gradient, so that memory stays bounded. fixed: of the lowest layers while
    they and all below are frozen.
    """
    set_training(encoder)
    step = Step(encoder, blocks, dtype, fixed)
    passes = cut(rows, PASS)
    is_kept = sum(map(len, rows)) <= max_kept or len(passes) == 1
    hidden: list[Any] = [None] * len(rows)
    backprops = []
    for numbers in passes:
        generator = torch.get_rng_state()
        own_rows = [rows[n] for n in numbers]
        output, backprop = step.forward(own_rows)
        for n, states in zip(numbers, output.float().split([len(row) for row in own_rows]), strict=True):
            hidden[n] = states
        backprops.append(backprop if is_kept else step.again(own_rows, generator))

    def backprop_all(d_hidden: Sequence[Tensor]) -> None:
        for numbers, backprop in zip(passes, backprops, strict=True):
            backprop([d_hidden[n] for n in numbers])

    return hidden, backprop_all


class Step:
    """One training step of an encoder, in any number of passes."""

    def __init__(self, encoder: Encoder, blocks: Sequence[Block], dtype: torch.dtype, fixed: FixedOutputs) -> None:
        self.encoder, self.dtype, self._fixed_outputs = encoder, dtype, fixed
        bias = getattr(encoder.encoder, "relative_attention_bias", None)
        self._below = [encoder.embeddings] if bias is None else [encoder.embeddings, bias]
        n_frozen = next((n for n, block in enumerate(blocks) if not block.is_frozen), len(blocks))
        n_fixed = 0 if any(map(learns, self._below)) else n_frozen
        self.fixed = [replace(block, dropout=0.0, attention_dropout=0.0) for block in blocks[:n_fixed]]
        with torch.no_grad():
            self.layers = [Cast.of(block, dtype) for block in blocks[n_fixed:]]

    def forward(self, rows: Rows) -> tuple[Tensor, Backprop]:
        """Return the output, (n_wordpieces, width), and what takes its gradient by row, (length, width) each."""
        lengths = [len(row) for row in rows]
        bias = self._position_bias(max(lengths))
        own_bias = None if bias is None else bias.detach().to(self.dtype)
        embedded = torch.cat(self._run_fixed(rows)) if self.fixed else self._embed(rows)
        with torch.no_grad():
            x = embedded.detach().to(self.dtype)
            # With dropout in the attention each row goes alone, so that its mask can be told apart.
            shared = not any(layer.block.attention_dropout for layer in self.layers)
            segments = segments_of(lengths, own_bias, x, shared=shared)
            kept = []
            for layer in self.layers:
                x, one = forward(layer, x, segments)
                kept.append(one)
        if not self.layers:  # the encoder is frozen
            return x, lambda d_rows: None

        def backprop(d_rows: Sequence[Tensor]) -> None:
            learned = [n for n, d_row in enumerate(d_rows) if bool(d_row.any())]
            if not learned:
                return
            starts = torch.tensor([0, *lengths]).cumsum(0)
            is_all = len(learned) == len(lengths)
            numbers = torch.cat([torch.arange(starts[n], starts[n + 1]) for n in learned])
            own_segments = segments_of([lengths[n] for n in learned], own_bias, x, shared=shared)
            d_bias = None if bias is None else torch.zeros_like(bias)
            with torch.no_grad():
                d_x = torch.cat([d_rows[n] for n in learned]).to(self.dtype)
                for layer, one in zip(reversed(self.layers), reversed(kept), strict=True):
                    own = one if is_all else one.select(learned, numbers, own_segments)
                    d_x = backward(layer, own, d_x, d_bias)
            if embedded.requires_grad:
                embedded.backward(torch.zeros_like(embedded).index_copy_(0, numbers, d_x.to(embedded.dtype)))
            if bias is not None and bias.requires_grad:
                bias.backward(d_bias)

        return x, backprop

    def again(self, rows: Rows, generator: Tensor) -> Backprop:
        """Return what computes these rows once more, with the same dropout, for their gradient."""

        def backprop(d_rows: Sequence[Tensor]) -> None:
            with torch.random.fork_rng(devices=[]):
                torch.set_rng_state(generator)
                _, backprop_rows = self.forward(rows)
            backprop_rows(d_rows)

        return backprop

    def _run_fixed(self, rows: Rows) -> list[Tensor]:
        """(length, width) of each row, from the lowest layers: without dropout, so the same each time."""
        parts = [*self._below, *(part for block in self.fixed for part in block.parts)]
        weights = [one for part in parts for one in part.parameters()]
        state = (self.dtype, *((one.data_ptr(), one._version) for one in weights))
        return self._fixed_outputs(state, rows, self._compute_fixed)

    @torch.no_grad()
    def _compute_fixed(self, rows: Rows) -> list[Tensor]:
        # Row by row: a product rounds by its shape, and a resumed training must get the bits of one that went on.
        layers, found = [Cast.of(block, self.dtype) for block in self.fixed], []
        for row in rows:
            bias, x = self._position_bias(len(row)), self._embed([row]).to(self.dtype)
            segments = segments_of([len(row)], None if bias is None else bias.to(self.dtype), x, shared=True)
            for layer in layers:
                x, _ = forward(layer, x, segments)
            found.append(x)
        return found

    def _embed(self, rows: Rows) -> Tensor:
        """(n_wordpieces, width) the embeddings, with positions from the start of each row."""
        ids = torch.tensor([piece for row in rows for piece in row])
        embeddings = self.encoder.embeddings
        first = getattr(embeddings, "padding_idx", -1) + 1  # RoBERTa counts positions from behind its padding
        positions = torch.cat([torch.arange(first, first + len(row)) for row in rows])
        types = {"token_type_ids": torch.zeros_like(ids)[None]} if hasattr(embeddings, "token_type_embeddings") else {}
        with CpuTraining():
            embedded: Tensor = embeddings(input_ids=ids[None], position_ids=positions[None], **types)[0]
        return embedded

    def _position_bias(self, longest: int) -> Tensor | None:
        """(n_heads, longest, longest) MPNet's addition to the scores by distance, the same in all layers."""
        compute = getattr(self.encoder.encoder, "compute_position_bias", None)
        return None if compute is None else compute(torch.empty((1, longest, 0)))[0]


def forward(layer: Cast, x: Tensor, segments: list[Segment]) -> tuple[Tensor, Kept]:
    """Run a layer. x: (n_wordpieces, width), of all rows."""
    block = layer.block
    qkv = torch.addmm(layer.qkv_bias, x, layer.qkv.t())
    context, attended = attend(qkv, segments, block.n_heads, block.attention_dropout)
    mask, last_mask = (drop_mask(x, block.dropout) if block.dropout else None for _ in range(2))
    summed = x + masked(torch.addmm(layer.output_bias, context, layer.output.t()), mask)
    normed, mean, rstd = normalise(block.norm, summed)
    hidden = torch.addmm(layer.inner_bias, normed, layer.inner.t())
    last = torch.addmm(layer.outer_bias, functional.gelu(hidden), layer.outer.t())
    last_summed = normed + masked(last, last_mask)
    output, last_mean, last_rstd = normalise(block.last_norm, last_summed)
    vectors = (x, context, summed, mean, rstd, normed, hidden, last_summed, last_mean, last_rstd)
    return output, Kept(attended, *vectors, mask, last_mask)


def backward(layer: Cast, kept: Kept, d_output: Tensor, d_bias: Tensor | None) -> Tensor:
    """Add to the gradients of a layer's weights and to `d_bias`; return that of its input, (n_wordpieces, width)."""
    block = layer.block
    d_last_summed = d_normalise(block.last_norm, d_output, kept.last_summed, kept.last_mean, kept.last_rstd)
    d_last = masked(d_last_summed, kept.last_mask)
    learn([block.outer], d_last, functional.gelu(kept.hidden))
    d_hidden = aten.gelu_backward(d_last @ layer.outer, kept.hidden)
    learn([block.inner], d_hidden, kept.normed)
    d_normed = torch.addmm(d_last_summed, d_hidden, layer.inner)
    d_summed = d_normalise(block.norm, d_normed, kept.summed, kept.mean, kept.rstd)
    d_attended = masked(d_summed, kept.mask)
    learn([block.output], d_attended, kept.context)
    d_qkv = d_attend(kept.attended, d_attended @ layer.output, d_bias)
    learn([block.query, block.key, block.value], d_qkv, kept.x, head_width(block) ** -0.5)
    return torch.addmm(d_summed, d_qkv, layer.qkv)


def normalise(norm: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Layer normalisation: the vectors, and mean and 1 / standard deviation of each."""
    done: tuple[Tensor, Tensor, Tensor] = aten.native_layer_norm(x, [x.shape[1]], norm.weight, norm.bias, norm.eps)
    return done


def d_normalise(norm: Any, d_output: Tensor, x: Tensor, mean: Tensor, rstd: Tensor) -> Tensor:
    """Add to the gradients of the gain and the bias; return that of the input."""
    learns = [True, norm.weight.requires_grad, norm.bias.requires_grad]
    d_x, d_gain, d_bias = aten.native_layer_norm_backward(
        d_output, x, [x.shape[1]], mean, rstd, norm.weight, norm.bias, learns
    )
    add_gradient(norm.weight, d_gain)
    add_gradient(norm.bias, d_bias)
    return d_x


def learn(parts: Sequence[Any], d_output: Tensor, x: Tensor, scale: float = 1.0) -> None:
    """Add to the gradients of linear layers of the same input, whose outputs lie beside each other.

    scale: of the first one's output.
    """
    if not any(weights.requires_grad for part in parts for weights in part.parameters()):
        return
    d_weight, d_bias = d_output.t() @ x, (x.new_ones((1, len(x))) @ d_output)[0]
    sizes = [part.out_features for part in parts]
    for number, (part, *gradients) in enumerate(zip(parts, d_weight.split(sizes), d_bias.split(sizes), strict=True)):
        for weights, gradient in zip((part.weight, part.bias), gradients, strict=True):
            add_gradient(weights, gradient * scale if scale != 1 and not number else gradient)


def add_gradient(weights: Any, gradient: Tensor) -> None:
    """Add to the gradient of some weights, unless they are frozen."""
    if not weights.requires_grad:
        return
    if weights.grad is None:
        weights.grad = gradient.to(weights.dtype)
    else:
        weights.grad.add_(gradient)
