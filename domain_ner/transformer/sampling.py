"""Leaves out of the encoder's backward pass what has hardly a gradient, without a bias.

After a few epochs most documents are learned: their gradient is a small part of a batch's, and computing it through the
encoder costs as much as any other. Each is kept with a probability in proportion to its norm at the encoder's output,
and divided by it, so that the expected gradient is the same (Katharopoulos & Fleuret 2018, "Not all samples are created
equal", there for whole batches).
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def sample(d_docs: Sequence[Tensor], strength: float) -> list[Tensor]:
    """Keep some gradients, divided by the probability of it, and set the others to zero.

    d_docs: of each document, of any shape. strength: a document is always kept if the norm of its gradient is at least
    this many times the mean of all; 0 keeps all.
    """
    if not strength or not d_docs:
        return list(d_docs)
    norms = torch.stack([torch.linalg.vector_norm(d_doc) for d_doc in d_docs])
    probs = (norms / (strength * norms.mean()).clamp(min=torch.finfo(norms.dtype).tiny)).clamp(max=1.0)
    is_kept = torch.rand(len(norms), device=norms.device) < probs
    return [
        d_doc / prob if kept else torch.zeros_like(d_doc)
        for d_doc, prob, kept in zip(d_docs, probs, is_kept.tolist(), strict=True)
    ]
