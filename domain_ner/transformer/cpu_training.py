"""Faster attention and dropout for training small encoders on a CPU, where PyTorch (2.13) is slow.

Attention in bfloat16: the fused kernel's backward pass takes four to six times as long as two plain matrix products, up
to some 200 wordpieces. Dropout: drawing a random number for each element takes longer than a layer's matrix products.
Other cases and the computed function are unchanged.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

# From this sequence length on, in wordpieces, the fused kernel is faster and needs less memory.
LONG = 200
LEVELS = 1 << 16


class CpuTraining(TorchFunctionMode):  # type: ignore[misc]
    """A context in which PyTorch uses the functions below for attention and dropout."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """PyTorch calls this instead of each of its functions."""
        return REPLACEMENTS.get(func, func)(*args, **kwargs or {})


def attention(  # noqa: PLR0913, PLR0917 (PyTorch's own arguments)
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """As `torch.nn.functional.scaled_dot_product_attention`. query, key, value: (…, length, width)."""
    if is_causal or enable_gqa or query.dtype != torch.bfloat16 or key.shape[-2] > LONG:
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
    scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if attn_mask is not None:
        is_seen = attn_mask.dtype == torch.bool
        scores = scores.masked_fill(~attn_mask, float("-inf")) if is_seen else scores + attn_mask
    return dropout(scores.float().softmax(-1).to(value.dtype), dropout_p) @ value


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """As `torch.nn.functional.dropout`, with `p` rounded to the nearest 1/65536."""
    if not training or p == 0:
        return input
    scaled = input * drop_mask(input, p)
    return input.copy_(scaled) if inplace else scaled


def drop_mask(like: Tensor, p: float) -> Tensor:
    """Draw what dropout multiplies a tensor with: 0 with probability `p`, rounded to the nearest 1/65536; else more."""
    if p == 1:
        return torch.zeros_like(like)
    n_elements = like.numel()
    # One 64-bit random number gives four of 16 bits.
    drawn = torch.randint(-(1 << 63), (1 << 63) - 1, (n_elements // 4 + 1,), dtype=torch.int64).view(torch.int16)
    kept = drawn[:n_elements].view(like.shape) >= round(p * LEVELS) - LEVELS // 2
    return kept.to(like.dtype).mul_(1 / (1 - p))


REPLACEMENTS: dict[Any, Callable[..., Any]] = {
    functional.scaled_dot_product_attention: attention,
    functional.dropout: dropout,
}
