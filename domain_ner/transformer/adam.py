"""thinc's Adam for the encoder's weights, computed by PyTorch's fused kernel: in all threads, and once over memory.

The moments stay in thinc's optimizer, in the same memory, so that checkpoints and schedules are as for all weights.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from thinc.api import Optimizer, torch2xp, xp2torch
from thinc.backends import get_array_ops
from torch import Tensor, nn

Key = tuple[int, str]


class Moments(NamedTuple):
    """arrays: the optimizer's, flat. mean, mean_square: tensors on their memory, in the shape of the weights."""

    arrays: tuple[Any, Any]
    mean: Tensor
    mean_square: Tensor


def can_fuse(optimizer: Any) -> bool:
    """Whether the optimizer does what the kernel does: Adam, its decay apart from the gradient (AdamW)."""
    is_adam = isinstance(optimizer, Optimizer) and not optimizer.use_radam and optimizer.b1 > 0 and optimizer.b2 > 0
    return is_adam and (not optimizer.L2 or optimizer.L2_is_weight_decay)


class FusedAdam:
    """Updates weights that have a gradient, as `optimizer(key, weights, gradient, lr_scale=…)` would do for each.

    The difference is rounding, and that weights decay before the step and not after it.
    """

    def __init__(self) -> None:
        self._moments: dict[Key, Moments] = {}

    def __call__(self, optimizer: Optimizer, named: Mapping[Key, nn.Parameter], scale: Callable[[Key], float]) -> None:
        """Update all. scale: of the learning rate, by key. Gradients are set to None."""
        learned = {key: weights for key, weights in named.items() if weights.grad is not None}
        if not learned:
            return
        if optimizer.grad_clip:
            _clip([weights.grad for weights in learned.values()], optimizer.grad_clip)
        by_rate: dict[float, list[nn.Parameter]] = {}
        states = {}
        for key, weights in learned.items():
            by_rate.setdefault(optimizer.learn_rate * scale(key), []).append(weights)
            _, mean, mean_square = self._moments_of(optimizer, key, weights)
            step = torch.tensor(float(optimizer.nr_update[key]), device=weights.device)
            states[weights] = {"step": step, "exp_avg": mean, "exp_avg_sq": mean_square}
        adam = torch.optim.AdamW(
            [{"params": group, "lr": rate} for rate, group in by_rate.items()],
            betas=(optimizer.b1, optimizer.b2),
            eps=optimizer.eps,
            weight_decay=optimizer.L2,
            fused=True,
        )
        adam.state.update(states)
        adam.step()
        for key, weights in learned.items():
            weights.grad = None
            optimizer.nr_update[key] += 1
            if optimizer.averages is not None:
                _average(optimizer, key, weights)

    def _moments_of(self, optimizer: Optimizer, key: Key, weights: nn.Parameter) -> Moments:
        for moments in (optimizer.mom1, optimizer.mom2):
            if key not in moments:
                moments[key] = get_array_ops(torch2xp(weights.data)).alloc1f(weights.numel())
        arrays = (optimizer.mom1[key], optimizer.mom2[key])
        known = self._moments.get(key)
        if known is None or any(mine is not its for mine, its in zip(known.arrays, arrays, strict=True)):
            known = Moments(arrays, *(xp2torch(array, device=weights.device).view_as(weights) for array in arrays))
            self._moments[key] = known
        return known


def _clip(gradients: Sequence[Any], most: float) -> None:
    """Scale each gradient down to the norm `most`, if it is larger."""
    norms = torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]).tolist()
    for gradient, norm in zip(gradients, norms, strict=True):
        if norm > most:
            gradient.mul_(most / norm)


def _average(optimizer: Optimizer, key: Key, weights: nn.Parameter) -> None:
    array = torch2xp(weights.data)
    ops, averages = get_array_ops(array), optimizer.averages
    if key not in averages:
        averages[key] = ops.alloc(array.shape, dtype="float32")
    ops.update_averages(averages[key], array, optimizer.nr_update[key])
