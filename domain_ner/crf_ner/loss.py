"""The negative log-likelihood of what is known of each document, and its gradient, exact.

What nobody annotated is summed over, so that it teaches nothing; a span that somebody rejected costs -log(1 - its
probability). The gradient is the difference of two sets of marginals: no graph is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from domain_ner.crf_ner.lattice import NEVER, Marginals, marginals, n_transitions, transition_index

# A rejected span that is all but certain still gives a finite gradient.
MAX_PROB = 1 - 1e-4


@dataclass(frozen=True)
class Known:
    """What is known of a document.

    tags: of each token the number of its tag, or None where nothing is known; the known ones are part of a legal path.
    rejected: (start, end exclusive, type) of spans that are no entities of that type, in tokens.
    """

    tags: Sequence[int | None]
    rejected: Sequence[tuple[int, int, int]] = field(default=())

    @property
    def is_complete(self) -> bool:
        """Whether every token has a tag."""
        return None not in self.tags


@dataclass(frozen=True)
class Loss:
    """losses: (n_docs,). d_scores: (n_docs, n_tokens, n_tags). d_transitions: (n_transitions,), summed over documents.
    All in float64.

    n_impossible: documents whose known tags make no legal path; they cost nothing and teach nothing.
    """

    losses: Tensor
    d_scores: Tensor
    d_transitions: Tensor
    n_impossible: int


@torch.no_grad()
def negative_log_likelihood(
    scores: Tensor, flat: Tensor, known: Sequence[Known], weights: Sequence[float] = ()
) -> Loss:
    """scores: (n_docs, n_tokens, n_tags), padded at the end; flat: transitions; known: of each document.

    weights: by type, at least 1. Softmax-margin (Gimpel & Smith 2010): whatever misses a token of an entity counts as
    that much more probable, so that the entity has to win by a margin.
    """
    with torch.autocast(scores.device.type, enabled=False):
        return _negative_log_likelihood(scores.double(), flat.double(), known, weights)


def _negative_log_likelihood(scores: Tensor, flat: Tensor, known: Sequence[Known], weights: Sequence[float]) -> Loss:
    if any(weight != 1 for weight in weights):
        scores = scores + margins(known, weights, scores.shape).to(scores.device)
    lengths = torch.tensor([len(one.tags) for one in known], device=scores.device)
    free = marginals(scores, flat, lengths)
    bound = _bound(scores, flat, lengths, known)
    possible = torch.isfinite(bound.log_z)
    losses = torch.where(possible, free.log_z - bound.log_z, 0.0)
    d_scores = torch.where(possible[:, None, None], free.emissions - bound.emissions, 0)
    d_uses = torch.where(possible[:, None], free.uses - bound.uses, 0)
    for number in range(max((len(one.rejected) for one in known), default=0)):
        _add_rejected(scores, flat, known, number, bound, losses, d_scores, d_uses)
    return Loss(losses, d_scores, d_uses.sum(0), int((~possible).sum()))


def margins(known: Sequence[Known], weights: Sequence[float], shape: Sequence[int]) -> Tensor:
    """`shape`; the log of the type's weight, for each tag of an entity's token but the right one."""
    tags = _tag_numbers(known, shape[1])
    is_entity = (tags > 0)[..., None]
    logs = torch.tensor(weights, dtype=torch.float64).log()[(tags - 1).clamp(min=0) % len(weights)]
    return torch.where(is_entity & ~_is_tag(tags, shape[2]), logs[..., None], 0.0)


def allowed_tags(known: Sequence[Known], n_tokens: int, n_tags: int) -> Tensor:
    """(n_docs, n_tokens, n_tags) whether a path may go through each tag."""
    tags = _tag_numbers(known, n_tokens)
    return (tags < 0)[..., None] | _is_tag(tags, n_tags)


def _tag_numbers(known: Sequence[Known], n_tokens: int) -> Tensor:
    """(n_docs, n_tokens) of each token the number of its tag, -1 where nothing is known and past the end."""
    tags = torch.full((len(known), n_tokens), -1)
    for doc, one in enumerate(known):
        tags[doc, : len(one.tags)] = torch.tensor([-1 if tag is None else tag for tag in one.tags], dtype=torch.long)
    return tags


def _is_tag(tags: Tensor, n_tags: int) -> Tensor:
    """(n_docs, n_tokens, n_tags) whether the tag is that of the token."""
    return tags[..., None] == torch.arange(n_tags)


def _bound(scores: Tensor, flat: Tensor, lengths: Tensor, known: Sequence[Known]) -> Marginals:
    """The marginals over the paths that agree with what is known; where all is known, these are of one path."""
    if all(one.is_complete for one in known):
        return _of_paths(scores, flat, known)
    allowed = allowed_tags(known, scores.shape[1], scores.shape[2]).to(scores.device)
    return marginals(scores.masked_fill(~allowed, NEVER), flat, lengths)


def _of_paths(scores: Tensor, flat: Tensor, known: Sequence[Known]) -> Marginals:
    """The score, tags and transitions of one path for each document; -inf for an illegal path."""
    n_docs, n_tokens, n_tags = scores.shape
    n_types = (n_tags - 1) // 4
    index = transition_index(n_types)
    tags = _tag_numbers(known, n_tokens)
    legal = torch.zeros(n_docs, dtype=torch.bool)
    uses = torch.zeros((n_docs, n_transitions(n_types)), dtype=torch.float64)
    for doc, one in enumerate(known):
        path = torch.nn.functional.pad(tags[doc, : len(one.tags)], (1, 1))
        used = index[path[:-1], path[1:]]
        legal[doc] = bool((used >= 0).all())
        uses[doc].index_add_(0, used[:-1].clamp(min=0), torch.ones(len(one.tags), dtype=torch.float64))
    emitted, uses = _is_tag(tags, n_tags).to(scores), uses.to(scores.device)
    totals = scores.masked_fill(emitted == 0, 0).sum((1, 2)) + uses @ flat
    log_z = torch.where(legal.to(scores.device), totals, NEVER)
    return Marginals(log_z, emitted, uses)


def _add_rejected(  # noqa: PLR0913, PLR0917
    scores: Tensor,
    flat: Tensor,
    known: Sequence[Known],
    number: int,
    bound: Marginals,
    losses: Tensor,
    d_scores: Tensor,
    d_uses: Tensor,
) -> None:
    """Add what the rejected span of that number costs in each document that has as many."""
    n_types = (scores.shape[2] - 1) // 4
    tried = {
        doc: _force(one, one.rejected[number], n_types) for doc, one in enumerate(known) if len(one.rejected) > number
    }
    docs = [doc for doc, one in tried.items() if one is not None]
    forced = [one for one in tried.values() if one is not None]
    if not docs:
        return
    lengths = torch.tensor([len(one.tags) for one in forced], device=scores.device)
    with_span = _bound(scores[docs], flat, lengths, forced)
    log_prob = with_span.log_z - bound.log_z[docs]
    prob = torch.where(torch.isfinite(log_prob), log_prob.exp(), 0).clamp(max=MAX_PROB)
    losses[docs] -= torch.log1p(-prob)
    weight = prob / (1 - prob)
    held = torch.isfinite(with_span.log_z)[:, None]
    difference = torch.where(held[..., None], with_span.emissions - bound.emissions[docs], 0)
    d_scores[docs] += weight[:, None, None] * difference
    d_uses[docs] += weight[:, None] * torch.where(held, with_span.uses - bound.uses[docs], 0)


def _force(known: Known, span: tuple[int, int, int], n_types: int) -> Known | None:
    """The same document with a span in it; None where its tokens are known to be something else."""
    start, end, label = span
    tags: list[int | None] = list(known.tags)
    for position, tag in zip(range(start, end), span_tags(end - start, label, n_types), strict=True):
        if tags[position] not in (None, tag):
            return None
        tags[position] = tag
    return Known(tags)


def span_tags(n_tokens: int, label: int, n_types: int) -> list[int]:
    """The tags of an entity: U, or B, I …, L."""
    begin, unit, inside, last = (1 + place * n_types + label for place in range(4))
    return [unit] if n_tokens == 1 else [begin, *[inside] * (n_tokens - 2), last]


def is_legal(tags: Sequence[int], n_types: int) -> bool:
    """Whether a path of tags may stand from start to end."""
    index = transition_index(n_types)
    path = [0, *tags, 0]
    return all(index[one, other] >= 0 for one, other in pairwise(path))
