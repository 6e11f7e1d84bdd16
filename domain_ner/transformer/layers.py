"""Assigns the weights of a Hugging Face encoder to its layers, and freezes some of them."""

import re
from typing import Any

import torch

Encoder = Any
# In the names of weights that come before the first layer, or that all layers share (MPNet's bias by distance).
BELOW = ("embeddings", "relative_attention_bias")
_NUMBER = re.compile(r"\.(\d+)\.")


def find_layers(encoder: Encoder) -> tuple[str, Any]:
    """Find the encoder's layers, the lowest first, and their name. An encoder that reuses one layer has none."""
    n_layers = encoder.config.num_hidden_layers
    for name, module in encoder.named_modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == n_layers:
            return name, module
    return "", ()


def freeze(encoder: Encoder, *, embeddings: bool, n_layers: int) -> None:
    """Freeze the lowest `n_layers` layers and, with `embeddings`, the wordpiece embeddings; unfreeze all else.

    With both, all else that the lowest layers use is frozen too: positions, and what all layers share (MPNet's bias by
    distance), so that their outputs stay the same.
    """
    _, layers = find_layers(encoder)
    encoder.requires_grad_(True)
    encoder.get_input_embeddings().requires_grad_(not embeddings)
    for layer in layers[:n_layers]:
        layer.requires_grad_(False)
    if embeddings and layers[:n_layers]:
        for name, weights in encoder.named_parameters():
            if any(part in name for part in BELOW):
                weights.requires_grad_(False)


def learns(part: Any) -> bool:
    """Whether a module has a weight that is not frozen."""
    return any(weights.requires_grad for weights in part.parameters())


def set_training(encoder: Encoder) -> None:
    """Set an encoder to training, without dropout in the lowest layers, and below, while all of that is frozen."""
    encoder.train()
    _, layers = find_layers(encoder)
    below = getattr(encoder, "embeddings", None)
    if below is None or learns(below):
        return
    for number, layer in enumerate(layers):
        if learns(layer):
            return
        if not number:
            below.eval()
        layer.eval()


def layer_depths(encoder: Encoder) -> dict[str, int]:
    """Count for each weight the layers above its own: 0 in the highest layer and above it, most in the embeddings.

    A weight that all layers share counts as one of the embeddings.
    """
    prefix, layers = find_layers(encoder)
    n_layers = len(layers)
    depth_of = {}
    for name, _ in encoder.named_parameters():
        is_in_stack = bool(prefix) and name.startswith(f"{prefix}.")
        number = int(_NUMBER.search(name[len(prefix) :]).group(1)) if is_in_stack else n_layers - 1  # type: ignore[union-attr]
        depth_of[name] = n_layers if any(part in name for part in BELOW) else n_layers - 1 - number
    return depth_of
