"""The exact negative log-likelihood of partially annotated documents, and its gradient.

The loss sums over unannotated tokens, so they have no effect; a rejected span costs -log(1 - its probability). A
document with another model's marginals costs the cross-entropy of all taggings, between the two models (Kim and Rush
2016, "Sequence-level knowledge distillation", here exact). The gradient is the difference of two sets of marginals,
without an autograd graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from domain_ner.crf_ner.lattice import KINDS, NEVER, Marginals, marginals, n_transitions, transition_index

# The maximum probability of a rejected span, so that its gradient stays finite.
MAX_PROB = 1 - 1e-4


@dataclass(frozen=True)
class KnownTags:
    """The annotation of a document, as far as it is known.

    tags: the index of each token's tag, or None if unknown; the known tags are part of a legal path.
    rejected: (start, end exclusive, type) of spans that are not entities of that type, in tokens.
    weight: of the document's loss.
    """

    tags: Sequence[int | None]
    rejected: Sequence[tuple[int, int, int]] = field(default=())
    weight: float = 1.0

    @property
    def is_complete(self) -> bool:
        """Whether every token has a tag."""
        return None not in self.tags


@dataclass(frozen=True)
class SoftTags:
    """What another model thinks of a document: its distribution over all taggings, by its expected counts.

    emissions: (n_tokens, n_tags) probability of each tag. uses: (n_transitions,) expected count of each transition.
    weight: of the document's loss.
    """

    emissions: Tensor
    uses: Tensor
    weight: float = 1.0

    @property
    def tags(self) -> Sequence[None]:
        """No token's tag is known."""
        return [None] * len(self.emissions)

    @property
    def rejected(self) -> Sequence[tuple[int, int, int]]:
        """No span is rejected."""
        return ()


Known = KnownTags | SoftTags


@dataclass(frozen=True)
class Loss:
    """losses: (n_docs,). d_scores: (n_docs, n_tokens, n_tags). d_transitions: (n_transitions,), summed over documents.
    All in float64.

    n_impossible: documents whose known tags allow no legal path; they have no loss and no gradient.
    """

    losses: Tensor
    d_scores: Tensor
    d_transitions: Tensor
    n_impossible: int


@torch.no_grad()
def negative_log_likelihood(
    scores: Tensor, transitions: Tensor, known: Sequence[Known], weights: Sequence[float] = ()
) -> Loss:
    """Compute the loss. scores: (n_docs, n_tokens, n_tags), padded at the end; known: of each document.

    transitions: as one vector. weights: by type, at least 1. Softmax-margin (Gimpel & Smith 2010): paths that miss a
    token of an entity are weighted up, so that the entity has to win by a margin.
    """
    with torch.autocast(scores.device.type, enabled=False):
        return _negative_log_likelihood(scores.double(), transitions.double(), known, weights)


def _negative_log_likelihood(
    scores: Tensor, transitions: Tensor, known: Sequence[Known], weights: Sequence[float]
) -> Loss:
    if any(weight != 1 for weight in weights):
        scores = scores + margins(known, weights, scores.shape).to(scores.device)
    lengths = torch.tensor([len(doc_tags.tags) for doc_tags in known], device=scores.device)
    free = marginals(scores, transitions, lengths)
    bound = _bound(scores, transitions, lengths, known)
    possible = torch.isfinite(bound.log_z)
    losses = torch.where(possible, free.log_z - bound.log_z, 0.0)
    d_scores = torch.where(possible[:, None, None], free.emissions - bound.emissions, 0)
    d_uses = torch.where(possible[:, None], free.uses - bound.uses, 0)
    for number in range(max((len(doc_tags.rejected) for doc_tags in known), default=0)):
        _add_rejected(scores, transitions, known, number, bound, losses, d_scores, d_uses)
    of_docs = torch.tensor([one.weight for one in known], dtype=torch.float64, device=scores.device)
    if (of_docs != 1).any():
        losses, d_scores, d_uses = losses * of_docs, d_scores * of_docs[:, None, None], d_uses * of_docs[:, None]
    return Loss(losses, d_scores, d_uses.sum(0), int((~possible).sum()))


def margins(known: Sequence[Known], weights: Sequence[float], shape: Sequence[int]) -> Tensor:
    """(n_docs, n_tokens, n_tags), as in `shape`: log of the type's weight for each wrong tag of an entity's token."""
    tags = _tag_numbers(known, shape[1])
    is_entity = (tags > 0)[..., None]
    logs = torch.tensor(weights, dtype=torch.float64).log()[(tags - 1).clamp(min=0) % len(weights)]
    return torch.where(is_entity & ~_is_tag(tags, shape[2]), logs[..., None], 0.0)


def allowed_tags(known: Sequence[Known], n_tokens: int, n_tags: int) -> Tensor:
    """(n_docs, n_tokens, n_tags) whether a path may use each tag."""
    tags = _tag_numbers(known, n_tokens)
    return (tags < 0)[..., None] | _is_tag(tags, n_tags)


def _tag_numbers(known: Sequence[Known], n_tokens: int) -> Tensor:
    """(n_docs, n_tokens) index of each token's tag; -1 if unknown, and after the end."""
    tags = torch.full((len(known), n_tokens), -1)
    for doc, doc_tags in enumerate(known):
        tags[doc, : len(doc_tags.tags)] = torch.tensor(
            [-1 if tag is None else tag for tag in doc_tags.tags], dtype=torch.long
        )
    return tags


def _is_tag(tags: Tensor, n_tags: int) -> Tensor:
    """(n_docs, n_tokens, n_tags) whether each tag is the token's."""
    return tags[..., None] == torch.arange(n_tags)


def _bound(scores: Tensor, transitions: Tensor, lengths: Tensor, known: Sequence[Known]) -> Marginals:
    """Compute what a document is drawn to: the marginals over the paths that agree with its known tags, or another
    model's, with the expected score in the place of the log-sum.
    """
    soft = [(doc, tags) for doc, tags in enumerate(known) if isinstance(tags, SoftTags)]
    hard = [(doc, tags) for doc, tags in enumerate(known) if isinstance(tags, KnownTags)]
    if not soft:
        return _of_known(scores, transitions, lengths, [tags for _, tags in hard])
    emissions = torch.zeros_like(scores)
    uses = scores.new_zeros((len(known), len(transitions)))
    for doc, tags in soft:
        emissions[doc, : len(tags.emissions)] = tags.emissions.to(scores)
        uses[doc] = tags.uses.to(scores)
    log_z = torch.where(emissions > 0, scores * emissions, 0).sum((1, 2)) + uses @ transitions
    if hard:
        docs = [doc for doc, _ in hard]
        log_z[docs], emissions[docs], uses[docs] = _of_known(
            scores[docs], transitions, lengths[docs], [tags for _, tags in hard]
        )
    return Marginals(log_z, emissions, uses)


def _of_known(scores: Tensor, transitions: Tensor, lengths: Tensor, known: Sequence[KnownTags]) -> Marginals:
    """Compute the marginals over the paths that agree with the known tags; if all are known, over one path."""
    if all(doc_tags.is_complete for doc_tags in known):
        return _of_paths(scores, transitions, known)
    allowed = allowed_tags(known, scores.shape[1], scores.shape[2]).to(scores.device)
    return marginals(scores.masked_fill(~allowed, NEVER), transitions, lengths)


def _of_paths(scores: Tensor, transitions: Tensor, known: Sequence[KnownTags]) -> Marginals:
    """Compute score, tags and transitions of one path for each document; -inf for an illegal path."""
    n_docs, n_tokens, n_tags = scores.shape
    n_types = (n_tags - 1) // 4
    index = transition_index(n_types)
    tags = _tag_numbers(known, n_tokens)
    legal = torch.zeros(n_docs, dtype=torch.bool)
    uses = torch.zeros((n_docs, n_transitions(n_types)), dtype=torch.float64)
    for doc, doc_tags in enumerate(known):
        path = torch.nn.functional.pad(tags[doc, : len(doc_tags.tags)], (1, 1))
        used = index[path[:-1], path[1:]]
        legal[doc] = bool((used >= 0).all())
        uses[doc].index_add_(0, used[:-1].clamp(min=0), torch.ones(len(doc_tags.tags), dtype=torch.float64))
    emitted, uses = _is_tag(tags, n_tags).to(scores), uses.to(scores.device)
    totals = scores.masked_fill(emitted == 0, 0).sum((1, 2)) + uses @ transitions
    log_z = torch.where(legal.to(scores.device), totals, NEVER)
    return Marginals(log_z, emitted, uses)


def _add_rejected(  # noqa: PLR0913, PLR0917
    scores: Tensor,
    transitions: Tensor,
    known: Sequence[Known],
    number: int,
    bound: Marginals,
    losses: Tensor,
    d_scores: Tensor,
    d_uses: Tensor,
) -> None:
    """Add the loss of the rejected span with this number, in all documents that have so many."""
    n_types = (scores.shape[2] - 1) // 4
    tried = {
        doc: _force(doc_tags, doc_tags.rejected[number], n_types)
        for doc, doc_tags in enumerate(known)
        if isinstance(doc_tags, KnownTags) and len(doc_tags.rejected) > number
    }
    docs = [doc for doc, doc_tags in tried.items() if doc_tags is not None]
    forced = [doc_tags for doc_tags in tried.values() if doc_tags is not None]
    if not docs:
        return
    lengths = torch.tensor([len(doc_tags.tags) for doc_tags in forced], device=scores.device)
    with_span = _of_known(scores[docs], transitions, lengths, forced)
    log_prob = with_span.log_z - bound.log_z[docs]
    prob = torch.where(torch.isfinite(log_prob), log_prob.exp(), 0).clamp(max=MAX_PROB)
    losses[docs] -= torch.log1p(-prob)
    weight = prob / (1 - prob)
    is_possible = torch.isfinite(with_span.log_z)[:, None]
    difference = torch.where(is_possible[..., None], with_span.emissions - bound.emissions[docs], 0)
    d_scores[docs] += weight[:, None, None] * difference
    d_uses[docs] += weight[:, None] * torch.where(is_possible, with_span.uses - bound.uses[docs], 0)


def _force(known: KnownTags, span: tuple[int, int, int], n_types: int) -> KnownTags | None:
    """Return the same document with a span in it; None if its tokens are known to be something else."""
    start, end, label = span
    tags = list(known.tags)
    for position, tag in zip(range(start, end), span_tags(end - start, label, n_types), strict=True):
        if tags[position] not in (None, tag):
            return None
        tags[position] = tag
    return KnownTags(tags)


def span_tags(n_tokens: int, label: int, n_types: int) -> list[int]:
    """List the tags of an entity: U, or B, I …, L."""
    begin, unit, inside, last = (1 + kind * n_types + label for kind in range(len(KINDS)))
    return [unit] if n_tokens == 1 else [begin, *[inside] * (n_tokens - 2), last]


def is_legal(tags: Sequence[int], n_types: int) -> bool:
    """Whether a path of tags is legal from start to end."""
    index = transition_index(n_types)
    path = [0, *tags, 0]
    return all(index[previous, following] >= 0 for previous, following in pairwise(path))
