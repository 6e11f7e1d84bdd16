"""The layers of a Hugging Face encoder: which weights belong to which, and which are trained."""

import re
from typing import Any

import torch

Encoder = Any
# In the names of weights that come before the first layer, or that all layers share (MPNet's bias by distance).
BELOW = ("embeddings", "relative_attention_bias")
_NUMBER = re.compile(r"\.(\d+)\.")


def stack(encoder: Encoder) -> tuple[str, Any]:
    """The encoder's layers, the lowest first, after their name. An encoder that repeats one layer has none."""
    n_layers = encoder.config.num_hidden_layers
    for name, module in encoder.named_modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == n_layers:
            return name, module
    return "", ()


def freeze(encoder: Encoder, *, embeddings: bool, n_layers: int) -> None:
    """Leave the wordpiece embeddings (or not) and the lowest `n_layers` layers as they are; all else is trained."""
    _, layers = stack(encoder)
    encoder.requires_grad_(True)
    encoder.get_input_embeddings().requires_grad_(not embeddings)
    for layer in layers[:n_layers]:
        layer.requires_grad_(False)


def depths(encoder: Encoder) -> dict[str, int]:
    """Of each weight how many layers lie above its own: 0 in the highest layer and above it, most in the embeddings.

    A weight that all layers share counts as one of the embeddings.
    """
    prefix, layers = stack(encoder)
    n_layers = len(layers)
    found = {}
    for name, _ in encoder.named_parameters():
        is_in_stack = bool(prefix) and name.startswith(f"{prefix}.")
        number = int(_NUMBER.search(name[len(prefix) :]).group(1)) if is_in_stack else n_layers - 1  # type: ignore[union-attr]
        found[name] = n_layers if any(part in name for part in BELOW) else n_layers - 1 - number
    return found
