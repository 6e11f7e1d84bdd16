"""Runs an encoder over any number of wordpiece sequences of any length, in padded batches of limited size."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from domain_ner.transformer.batches import PassLimits, Rows, batches
from domain_ner.transformer.cpu_training import CpuTraining
from domain_ner.transformer.layers import set_training

Backprop = Callable[[Sequence[Tensor]], None]
Encoder = Any


# On a CPU, batches that fit its caches are faster, and a pass costs little.
CPU_PREDICTING, CPU_TRAINING = PassLimits(512, 16), PassLimits(1024, 128)


class Padding(NamedTuple):
    """piece: the id that pads sequences. max_padded: maximum of wordpieces in one pass through the encoder."""

    piece: int
    max_padded: int

    def on(self, encoder: Encoder, cpu: PassLimits) -> PassLimits:
        """Return the limits on the encoder's device: few large passes on a GPU.

        cpu: the limits on a CPU, at most.
        """
        if encoder.device.type != "cpu":
            return PassLimits(self.max_padded, self.max_padded)
        return cpu._replace(max_padded=min(self.max_padded, cpu.max_padded))


def encode(encoder: Encoder, rows: Rows, padding: Padding) -> list[Tensor]:
    """Compute the last hidden states, without gradients and without dropout.

    encoder: a Hugging Face model. rows: wordpiece ids of each sequence.
    Returns (length, width) for each row, float32.
    """
    was_training = encoder.training
    encoder.eval()
    hidden: list[Any] = [None] * len(rows)
    with torch.no_grad():
        for batch in batches(rows, padding.on(encoder, CPU_PREDICTING)):
            for number, states in zip(
                batch, _run(encoder, *pad_rows(encoder, rows, batch, padding.piece)), strict=True
            ):
                hidden[number] = states[: len(rows[number])]
    encoder.train(was_training)
    return hidden


def begin_update(
    encoder: Encoder,
    rows: Rows,
    padding: Padding,
    *,
    autocast: Callable[[], AbstractContextManager[Any]],
    scale: Callable[[list[Tensor]], list[Tensor]],
) -> tuple[list[Tensor], Backprop]:
    """As `encode`, with dropout; also returns a function that adds to the gradients of the encoder's parameters.

    autocast: makes the context to run in. scale: of the gradients, against underflow in half precision.
    Activations within `max_padded` are kept for the backward pass. Of several batches only the outputs are kept; each
    is recomputed for its gradient, so the memory is that of one batch.
    """
    set_training(encoder)
    groups = batches(rows, padding.on(encoder, CPU_TRAINING))
    fits = sum(len(rows[batch[0]]) * len(batch) for batch in groups) <= padding.max_padded
    outputs = []
    hidden: list[Any] = [None] * len(rows)
    for batch in groups:
        ids, mask = pad_rows(encoder, rows, batch, padding.piece)
        with autocast():
            if fits or len(groups) == 1:
                output = _run_training(encoder, ids, mask)
            else:
                output = checkpoint(_run_training, encoder, ids, mask, use_reentrant=False)
        outputs.append(output)
        for number, states in zip(batch, output.detach(), strict=True):
            hidden[number] = states[: len(rows[number])]

    def backprop(d_hidden: Sequence[Tensor]) -> None:
        learned, gradients = [], []
        for batch, output in zip(groups, outputs, strict=True):
            if not output.requires_grad:  # the encoder is frozen
                continue
            d_output = torch.zeros_like(output)
            for n, number in enumerate(batch):
                d_output[n, : len(rows[number])] = d_hidden[number]
            learned.append(output)
            gradients.append(d_output)
        if learned:
            torch.autograd.backward(learned, scale(gradients))

    return hidden, backprop


def pad_rows(encoder: Encoder, rows: Rows, batch: Sequence[int], pad: int) -> tuple[Tensor, Tensor]:
    """Pad some of the rows, by number, to the longest: ids and attention mask, on the encoder's device."""
    lengths = torch.tensor([len(rows[n]) for n in batch])
    longest = int(lengths.max())
    ids = torch.tensor([[*rows[n], *[pad] * (longest - len(rows[n]))] for n in batch], dtype=torch.long)
    mask = torch.arange(longest) < lengths[:, None]
    return ids.to(encoder.device), mask.long().to(encoder.device)


def _run_training(encoder: Encoder, ids: Tensor, mask: Tensor) -> Tensor:
    with CpuTraining() if ids.device.type == "cpu" else nullcontext():
        return _run(encoder, ids, mask)


def _run(encoder: Encoder, ids: Tensor, mask: Tensor) -> Tensor:
    states: Tensor = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    return states.float()  # numpy has no bfloat16
