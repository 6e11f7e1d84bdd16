"""Trains a token classifier to give the probabilities of a pipeline's CRF, by itself (Hinton et al. 2015).

The encoder of a pipeline leaves to the CRF and the lexical features what they are good at. A classifier alone needs an
encoder that has learned that too.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from domain_ner.errors import DomainNerError
from domain_ner.huggingface.tagger import Tagger
from domain_ner.huggingface.targets import TargetWindow
from domain_ner.transformer.cpu_training import CpuTraining
from domain_ner.transformer.encoding import pad_rows
from domain_ner.transformer.model import has_cpu_bfloat16

WARMUP_SHARE = 0.1
MAX_NORM = 1.0
# The classifier's learning rate, relative to the encoder's.
HEAD_FACTOR = 5.0
# Batches are cut from windows of similar length, among this number of batches.
BUFFER = 16


@dataclass(frozen=True)
class DistillSettings:
    """epochs: passes over the windows. learning_rate: of the encoder, at its peak. batch_size: windows in a batch."""

    epochs: int
    learning_rate: float
    batch_size: int
    seed: int = 0

    def n_steps(self, n_windows: int) -> int:
        """Number of batches in all epochs."""
        return self.epochs * -(-n_windows // self.batch_size)


def settings_of(nlp: Any, *, epochs: int, seed: int) -> DistillSettings:
    """Settings as a pipeline was trained with. nlp: a pipeline with a `transformer`.

    Raises DomainNerError for a negative number of epochs.
    """
    if epochs < 0:
        raise DomainNerError(f"epochs is {epochs}; expected 0 (the encoder stays as it is) or more.")
    training = nlp.config.get("training", {})
    rate = training.get("optimizer", {}).get("learn_rate", 0.0)
    peak = rate.get("initial_rate", 0.0) if isinstance(rate, dict) else rate
    learning_rate = float(peak) * nlp.get_pipe("transformer").model.attrs.get("learn_rate_factor", 1.0)
    size = training.get("batcher", {}).get("size", 0)
    return DistillSettings(epochs, learning_rate or 3e-5, size if isinstance(size, int) and size > 0 else 16, seed)


def distill(
    tagger: Tagger, windows: Sequence[TargetWindow], settings: DistillSettings, *, pad: int, on_step: Callable[[], None]
) -> None:
    """Train encoder and classifier, except for the wordpiece embeddings. pad: the id that pads rows."""
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        tagger.encoder.get_input_embeddings().requires_grad_(False)
        optimizer, schedule = _optimizer(tagger, settings, settings.n_steps(len(windows)))
        tagger.model.train()
        shuffler = random.Random(settings.seed)
        for _ in range(settings.epochs):
            for batch in _batches(windows, settings.batch_size, shuffler):
                optimizer.zero_grad()
                _loss(tagger.model, batch, pad).backward()
                nn.utils.clip_grad_norm_(tagger.model.parameters(), MAX_NORM)
                optimizer.step()
                schedule.step()
                on_step()
        tagger.model.eval().requires_grad_(True)


def _loss(model: Any, batch: Sequence[TargetWindow], pad: int) -> Tensor:
    """Mean cross-entropy of the wordpieces with a target."""
    rows = [window.row for window in batch]
    ids, mask = pad_rows(model, rows, range(len(rows)), pad)
    on_cpu = ids.device.type == "cpu"
    half = torch.autocast("cpu", torch.bfloat16, enabled=on_cpu and has_cpu_bfloat16())
    with half, CpuTraining() if on_cpu else nullcontext():
        logits = model(input_ids=ids, attention_mask=mask).logits.float()
    chosen = torch.cat([logits[n, torch.from_numpy(window.positions)] for n, window in enumerate(batch)])
    probs = torch.cat([torch.from_numpy(window.probs) for window in batch]).to(chosen.device)
    return -(probs * chosen.log_softmax(1)).sum(1).mean()


def _optimizer(tagger: Tagger, settings: DistillSettings, n_steps: int) -> tuple[Any, Any]:
    head = list(tagger.classifier.parameters())
    own = {id(weights) for weights in head}
    others = [weights for weights in tagger.model.parameters() if id(weights) not in own and weights.requires_grad]
    groups = [
        {"params": others, "lr": settings.learning_rate},
        {"params": head, "lr": HEAD_FACTOR * settings.learning_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    n_warmup = max(1, round(WARMUP_SHARE * n_steps))

    def share(step: int) -> float:
        return min((step + 1) / n_warmup, (n_steps - step) / max(1, n_steps - n_warmup))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, share)


def _batches(windows: Sequence[TargetWindow], size: int, shuffler: random.Random) -> list[list[TargetWindow]]:
    """All windows in random order, sorted by length within some batches, which are then shuffled."""
    order = list(windows)
    shuffler.shuffle(order)
    stretch = BUFFER * size
    groups = []
    for start in range(0, len(order), stretch):
        part = sorted(order[start : start + stretch], key=lambda window: len(window.row))
        groups += [part[n : n + size] for n in range(0, len(part), size)]
    shuffler.shuffle(groups)
    return groups
