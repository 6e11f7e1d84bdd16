"""Documents of similar length, padded to go through the lattice together."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from thinc.api import xp2torch
from thinc.types import Floats1d, Floats2d
from torch import Tensor

# Tokens that go through the lattice together, padding included; a longer document goes alone.
MAX_PADDED = 1 << 18
# As many are worth no second pass, however much of them is padding.
FEW_PADDED = 1 << 12


class Group(NamedTuple):
    """numbers: of the documents. scores: (n_docs, n_tokens, n_tags), padded at the end. flat: transitions.
    lengths: (n_docs,). All in float32, whatever autocast says.
    """

    numbers: list[int]
    scores: Tensor
    flat: Tensor
    lengths: Tensor


def padded_groups(scores: Sequence[Floats2d], transitions: Floats1d, temperature: float = 1.0) -> Iterator[Group]:
    """Scores and transitions, divided by the temperature, of all documents.

    scores: (n_tokens, n_tags) for each document. transitions: as one vector.
    """
    flat = xp2torch(transitions).detach().float() / temperature
    for numbers in length_groups([len(array) for array in scores]):
        tensors = [xp2torch(scores[n]).float() / temperature for n in numbers]
        lengths = torch.tensor([len(tensor) for tensor in tensors], device=flat.device)
        with torch.no_grad():
            yield Group(numbers, torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True), flat, lengths)


def length_groups(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of documents that go through the lattice together: half of what is padded, at most, is padding."""
    group: list[int] = []
    n_tokens = 0
    for n in sorted(range(len(lengths)), key=lambda n: lengths[n], reverse=True):
        padded = lengths[group[0]] * (len(group) + 1) if group else 0
        if padded > MAX_PADDED or padded > max(FEW_PADDED, 2 * (n_tokens + lengths[n])):
            yield group
            group, n_tokens = [], 0
        group.append(n)
        n_tokens += lengths[n]
    if group:
        yield group
