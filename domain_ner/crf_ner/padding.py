"""Documents of similar length, padded to go through the lattice together."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from thinc.api import xp2torch
from thinc.types import Floats1d, Floats2d
from torch import Tensor

# Scores (of a tag of a token) that go through the lattice together, padding included: some 200 MB, however many types
# there are. A document with more goes alone.
MAX_SCORES = 1 << 22
# As many tokens are worth no second pass, however much of them is padding.
FEW_PADDED = 1 << 12


class Group(NamedTuple):
    """numbers: of the documents. scores: (n_docs, n_tokens, n_tags), padded at the end. flat: transitions.
    lengths: (n_docs,). Scores and transitions are in float64, whatever autocast says.
    """

    numbers: list[int]
    scores: Tensor
    flat: Tensor
    lengths: Tensor


def padded_groups(scores: Sequence[Floats2d], transitions: Floats1d, temperature: float = 1.0) -> Iterator[Group]:
    """Scores and transitions, divided by the temperature, of all documents.

    scores: (n_tokens, n_tags) for each document. transitions: as one vector.
    """
    flat = xp2torch(transitions).detach().double() / temperature
    n_tags = len(transitions) // 2
    for numbers in length_groups([len(array) for array in scores], n_tags):
        tensors = [xp2torch(scores[n]).double() / temperature for n in numbers]
        lengths = torch.tensor([len(tensor) for tensor in tensors], device=flat.device)
        with torch.no_grad():
            yield Group(numbers, torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True), flat, lengths)


def length_groups(lengths: Sequence[int], n_tags: int) -> Iterator[list[int]]:
    """Numbers of documents that go through the lattice together: half of what is padded, at most, is padding."""
    max_padded = MAX_SCORES // n_tags
    group: list[int] = []
    n_tokens = 0
    for n in sorted(range(len(lengths)), key=lambda n: lengths[n], reverse=True):
        padded = lengths[group[0]] * (len(group) + 1) if group else 0
        if padded > max_padded or padded > max(FEW_PADDED, 2 * (n_tokens + lengths[n])):
            yield group
            group, n_tokens = [], 0
        group.append(n)
        n_tokens += lengths[n]
    if group:
        yield group
