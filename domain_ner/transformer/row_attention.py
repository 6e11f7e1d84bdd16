"""Attention within each of many rows that lie behind each other in one matrix, forward and backward (Vaswani et al.
2017). Short rows share a product, in which no wordpiece sees another row's: a product has a fixed cost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from domain_ner.transformer.cpu_training import drop_mask

# Rows share a product up to this number of wordpieces.
SHARED = 128


@dataclass(frozen=True)
class Segment:
    """Rows that share a product. lengths: of the rows. addend: added to the scores, (length, length) or one for each
    head; None: nothing.
    """

    lengths: list[int]
    addend: Tensor | None

    @property
    def rows(self) -> Iterator[slice]:
        """Where each row lies in the segment."""
        return (slice(*ends) for ends in pairwise(accumulate(self.lengths, initial=0)))


@dataclass(frozen=True)
class Attended:
    """What the backward pass needs: of each segment (n_heads, length, length) probabilities, and dropout masks or None.

    qkv: (n_wordpieces, 3 * width) queries, keys and values beside each other, the scale of the scores in the queries.
    """

    segments: list[Segment]
    qkv: Tensor
    probs: list[Tensor]
    masks: list[Tensor | None]
    n_heads: int


def segments_of(lengths: Sequence[int], bias: Tensor | None, like: Tensor, *, shared: bool) -> list[Segment]:
    """Cut rows into segments. lengths: of the rows; bias: (n_heads, longest, longest), added to each row's scores.

    like: of the scores' dtype. shared: False: each row goes alone.
    """
    groups: list[list[int]] = []
    for length in lengths:
        if shared and groups and sum(groups[-1]) + length <= SHARED:
            groups[-1].append(length)
        else:
            groups.append([length])
    return [Segment(group, _addend(group, bias, like)) for group in groups]


def _addend(lengths: list[int], bias: Tensor | None, like: Tensor) -> Tensor | None:
    if len(lengths) == 1 and bias is None:
        return None
    addend = like.new_full((sum(lengths), sum(lengths)), float("-inf"))
    if bias is not None:
        addend = addend.repeat(len(bias), 1, 1)
    for row, length in zip(Segment(lengths, None).rows, lengths, strict=True):
        addend[..., row, row] = 0 if bias is None else bias[:, :length, :length]
    return addend


def attend(qkv: Tensor, segments: list[Segment], n_heads: int, dropout: float) -> tuple[Tensor, Attended]:
    """Return the attended values, (n_wordpieces, width), and what the backward pass needs."""
    context = qkv.new_empty((len(qkv), qkv.shape[1] // 3))
    done = Attended(segments, qkv, [], [], n_heads)
    for (_, _, value), (attended,), prob in zip(
        by_head(qkv, 3, segments, n_heads), by_head(context, 1, segments, n_heads), _probs(done), strict=True
    ):
        mask = drop_mask(prob, dropout) if dropout else None
        attended.copy_(torch.bmm(masked(prob, mask), value))
        done.probs.append(prob)
        done.masks.append(mask)
    return context, done


def _probs(attended: Attended) -> Iterator[Tensor]:
    for segment, (query, key, _) in zip(
        attended.segments, by_head(attended.qkv, 3, attended.segments, attended.n_heads), strict=True
    ):
        scores = torch.bmm(query, key.transpose(1, 2))
        if segment.addend is not None:
            scores += segment.addend
        yield scores.softmax(-1)


def select(attended: Attended, rows: Sequence[int], wordpieces: Tensor, segments: list[Segment]) -> Attended:
    """What belongs to some of the rows. wordpieces: their numbers. segments: the same rows, cut anew.

    Probabilities are computed once more. With dropout each row is a segment.
    """
    qkv = attended.qkv.index_select(0, wordpieces)
    is_dropped = any(mask is not None for mask in attended.masks)
    masks = [attended.masks[row] for row in rows] if is_dropped else [None] * len(segments)
    chosen = Attended(segments, qkv, [], masks, attended.n_heads)
    chosen.probs.extend([attended.probs[row] for row in rows] if is_dropped else _probs(chosen))
    return chosen


def d_attend(attended: Attended, d_context: Tensor, d_bias: Tensor | None) -> Tensor:
    """Return the gradient of `qkv`, and add to that of the bias."""
    d_qkv = torch.empty_like(attended.qkv)
    arrays: tuple[tuple[Tensor, int], ...] = ((attended.qkv, 3), (d_qkv, 3), (d_context, 1))
    views = [by_head(array, n_parts, attended.segments, attended.n_heads) for array, n_parts in arrays]
    for (query, key, value), (d_query, d_key, d_value), (d_own,), segment, prob, mask in zip(
        *views, attended.segments, attended.probs, attended.masks, strict=True
    ):
        d_value.copy_(torch.bmm(masked(prob, mask).transpose(1, 2), d_own))
        d_prob = masked(torch.bmm(d_own, value.transpose(1, 2)), mask)
        d_scores = torch.ops.aten._softmax_backward_data(d_prob, prob, -1, prob.dtype)
        if d_bias is not None:
            for row, length in zip(segment.rows, segment.lengths, strict=True):
                d_bias[:, :length, :length] += d_scores[:, row, row]
        d_query.copy_(torch.bmm(d_scores, key))
        d_key.copy_(torch.bmm(d_scores.transpose(1, 2), query))
    return d_qkv


def by_head(array: Tensor, n_parts: int, segments: Sequence[Segment], n_heads: int) -> list[tuple[Any, ...]]:
    """Views of each segment: for each of the parts beside each other in `array`, (n_heads, length, head width)."""
    shape = (n_parts, n_heads, array.shape[1] // n_parts // n_heads)
    parts = array.split([sum(segment.lengths) for segment in segments])
    return [part.view(len(part), *shape).permute(1, 2, 0, 3).unbind(0) for part in parts]


def masked(array: Tensor, mask: Tensor | None) -> Tensor:
    """Drop out what the mask says; None: nothing."""
    return array if mask is None else array * mask
