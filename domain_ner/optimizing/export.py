"""Exports a Hugging Face encoder to one ONNX model, with free batch size and length."""

import copy
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.encoder import IDS, MASK, STATES
from domain_ner.onnx_encoder.sessions import start_session
from domain_ner.optimizing.fusing import fuse

# Of ONNX: the first with layer normalisation.
OPSET = 17
# Shapes to compare the export with PyTorch in: batch, length, padding of the second row.
SHAPES = [(1, 5, 0), (2, 9, 4), (3, 40, 17)]
# The largest difference of a hidden state, relative to their standard deviation.
TOLERANCE = 1e-3


def export_encoder(encoder: Any) -> bytes:
    """Export an encoder, and compare the result with it.

    encoder: a model of transformers, which is left as it is.
    Returns an ONNX model: `input_ids` and `attention_mask`, (n_rows, length) int64, to `last_hidden_state`,
    (n_rows, length, width) float32.
    Raises DomainNerError when PyTorch cannot export it, or the export computes something else.
    """
    copied = _copy(encoder)
    plain = _export(copied)
    copied.eval()  # the exporter leaves dropout on
    for model in (fuse(plain, copied.config), plain):
        if _difference(copied, model) < TOLERANCE:
            exported: bytes = model.SerializeToString()
            return exported
    raise DomainNerError(
        f"The ONNX export of {copied.config.model_type} computes other vectors than PyTorch.",
        "Please report it, with the name of the encoder; until then, use the torch pipeline.",
    )


def _copy(encoder: Any) -> Any:
    """A copy on the CPU whose attention is written as plain operations: its graph can be fused."""
    config = copy.deepcopy(encoder.config)
    config._attn_implementation = "eager"
    copied = type(encoder)(config)
    copied.load_state_dict(encoder.state_dict())
    return copied.cpu().float().requires_grad_(False).eval()


class _Encoder(nn.Module):  # type: ignore[misc]
    """The encoder with two inputs and one output."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return states


def _export(encoder: Any) -> onnx.ModelProto:
    ids = torch.full((2, 8), 5, dtype=torch.long)
    ids[:, 4:] = 7
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    axes = {0: "n_rows", 1: "length"}
    written = io.BytesIO()
    try:
        with _quiet():
            torch.onnx.export(
                _Encoder(encoder),
                (ids, mask),
                written,
                input_names=[IDS, MASK],
                output_names=[STATES],
                dynamic_axes={IDS: axes, MASK: axes, STATES: axes},
                opset_version=OPSET,
                dynamo=False,
            )
    except (RuntimeError, TypeError, ValueError, AttributeError) as err:
        raise DomainNerError(
            f"PyTorch cannot export {encoder.config.model_type} to ONNX: {str(err).splitlines()[0]}",
            "Use the torch pipeline, or another encoder.",
        ) from err
    return onnx.load_from_string(written.getvalue())


def _difference(encoder: Any, model: onnx.ModelProto) -> float:
    """The largest difference of the hidden states of real wordpieces, relative to their standard deviation."""
    session = start_session(model.SerializeToString(), 1)
    generator = torch.Generator().manual_seed(0)
    largest = 0.0
    for n_rows, length, n_padded in SHAPES:
        ids = torch.randint(5, encoder.config.vocab_size, (n_rows, length), generator=generator)
        mask = torch.ones_like(ids)
        if n_padded:
            mask[1, -n_padded:] = 0
        with torch.no_grad():
            expected = encoder(input_ids=ids, attention_mask=mask).last_hidden_state.numpy()
        states = session.run([STATES], {IDS: ids.numpy(), MASK: mask.numpy()})[0]
        is_real = mask.numpy() == 1
        largest = max(largest, float(np.abs(states - expected)[is_real].max() / expected[is_real].std()))
    return largest


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's warnings that shapes become constants: the result is compared at other shapes."""
    logger = logging.getLogger("onnxruntime.transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def versions() -> dict[str, Any]:
    """The versions that an export depends on."""
    return {"opset": OPSET, "onnxruntime": onnxruntime.__version__, "torch": torch.__version__}
