"""Groups documents of similar length and pads them to one batch for the lattice: PyTorch's tensors, to learn."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from thinc.api import xp2torch
from thinc.types import Floats1d, Floats2d
from torch import Tensor

from domain_ner.crf_ner.padding import length_groups


class TensorGroup(NamedTuple):
    """numbers: of the documents. scores: (n_docs, n_tokens, n_tags), padded at the end. transitions: as one vector.
    lengths: (n_docs,). Scores and transitions are float64, regardless of autocast.
    """

    numbers: list[int]
    scores: Tensor
    transitions: Tensor
    lengths: Tensor


def tensor_groups(scores: Sequence[Floats2d], transitions: Floats1d, temperature: float = 1.0) -> Iterator[TensorGroup]:
    """As `padded_groups`, on the device of the scores."""
    scaled_transitions = xp2torch(transitions).detach().double() / temperature
    n_tags = len(transitions) // 2
    for numbers in length_groups([len(array) for array in scores], n_tags):
        tensors = [xp2torch(scores[n]).double() / temperature for n in numbers]
        lengths = torch.tensor([len(tensor) for tensor in tensors], device=scaled_transitions.device)
        with torch.no_grad():
            padded = torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True)
            yield TensorGroup(numbers, padded, scaled_transitions, lengths)
