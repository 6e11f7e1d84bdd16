"""A linear-chain CRF over BILUO tags, globally normalised, in which an illegal path does not exist.

Lafferty, McCallum & Pereira (2001); partially annotated sequences as in Tsuboi et al. (2008). After `O`, `L-` or `U-`
(or at the start) only `O`, `B-` or `U-` of any type may come; after `B-x` or `I-x` only `I-x` or `L-x`; the end closes.
So a step needs no table of types by types: what is closed is summed up in two states, the rest goes type by type, in
O(tokens x types). All sums are in log space and in float32, whatever autocast says.

Tags stand in the order O, then B, U, I, L of every type: tag `1 + kind * n_types + type`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

KINDS = "BUIL"
NEVER = float("-inf")


class Transitions(NamedTuple):
    """Scores of one tag after another, learned.

    outside: (2,) of O after O (or the start) and after an entity. opening: (2, 2, n_types) after O and after an
    entity, of B and U. inner: (2, 2, n_types) after B and after I, of I and L.
    """

    outside: Tensor
    opening: Tensor
    inner: Tensor


class Emissions(NamedTuple):
    """Scores of the tags of each token, time first.

    outside: (n_tokens, n_docs). opening: (n_tokens, n_docs, 2, n_types) of B and U. inner: the same of I and L.
    """

    outside: Tensor
    opening: Tensor
    inner: Tensor


@dataclass(frozen=True)
class Chart:
    """The states after each token, index 0 before the first: outside, entity (n_tokens + 1, n_docs) and within
    (n_tokens + 1, n_docs, 2, n_types) after B and I. opening, inner: scores of ending in each such tag, as `Emissions`.
    """

    outside: Tensor
    entity: Tensor
    within: Tensor
    opening: Tensor
    inner: Tensor


class Marginals(NamedTuple):
    """log_z: (n_docs,) log of the sum over all paths. emissions: (n_docs, n_tokens, n_tags) probability of each tag at
    each token, 0 past a document's end. transitions: as `Transitions` with a first axis n_docs, expected uses of each.
    """

    log_z: Tensor
    emissions: Tensor
    transitions: Transitions


def n_transitions(n_types: int) -> int:
    """Size of the flat vector that `split_transitions` takes."""
    return 2 + 8 * n_types


def split_transitions(flat: Tensor, n_types: int) -> Transitions:
    """Views on a vector of `n_transitions` scores."""
    opening, inner = flat[2:].view(2, 2, 2, n_types)
    return Transitions(flat[:2], opening, inner)


def split_emissions(scores: Tensor) -> Emissions:
    """scores: (n_docs, n_tokens, n_tags)."""
    by_time = scores.transpose(0, 1)
    n_tokens, n_docs, n_tags = by_time.shape
    kinds = by_time[..., 1:].reshape(n_tokens, n_docs, 4, (n_tags - 1) // 4)
    return Emissions(by_time[..., 0], kinds[:, :, :2], kinds[:, :, 2:])


def forward_chart(emissions: Emissions, transitions: Transitions, *, best: bool = False) -> Chart:
    """Scores of all ways to reach each state: their log-sum, or with `best` their maximum (Viterbi)."""
    n_tokens, n_docs, _, n_types = emissions.opening.shape
    either = torch.maximum if best else torch.logaddexp
    new = emissions.outside.new_full
    outside, entity = new((n_tokens + 1, n_docs), NEVER), new((n_tokens + 1, n_docs), NEVER)
    within = new((n_tokens + 1, n_docs, 2, n_types), NEVER)
    opening, inner = torch.empty_like(emissions.opening), torch.empty_like(emissions.inner)
    outside[0] = 0
    for t in range(n_tokens):
        after_outside, after_entity = outside[t], entity[t]
        outside[t + 1] = emissions.outside[t] + either(
            after_outside + transitions.outside[0], after_entity + transitions.outside[1]
        )
        opening[t] = emissions.opening[t] + either(
            after_outside[:, None, None] + transitions.opening[0], after_entity[:, None, None] + transitions.opening[1]
        )
        inner[t] = emissions.inner[t] + either(
            within[t, :, :1] + transitions.inner[0], within[t, :, 1:] + transitions.inner[1]
        )
        closing = torch.cat([opening[t, :, 1], inner[t, :, 1]], dim=1)
        entity[t + 1] = closing.amax(dim=1) if best else closing.logsumexp(dim=1)
        within[t + 1, :, 0], within[t + 1, :, 1] = opening[t, :, 0], inner[t, :, 0]
    return Chart(outside, entity, within, opening, inner)


@dataclass(frozen=True)
class Suffixes:
    """Log-sums over all ways to go on. outside, entity, within: from each state, as in `Chart`. to_outside (n_tokens,
    n_docs), to_opening, to_inner: from, and with, each tag of a token.
    """

    outside: Tensor
    entity: Tensor
    within: Tensor
    to_outside: Tensor
    to_opening: Tensor
    to_inner: Tensor


def backward_chart(emissions: Emissions, transitions: Transitions, lengths: Tensor) -> Suffixes:
    """Log-sums over all ways to the end from each state. lengths: (n_docs,) tokens of each document."""
    n_tokens, n_docs, _, n_types = emissions.opening.shape
    new = emissions.outside.new_full
    outside, entity = new((n_tokens + 1, n_docs), 0), new((n_tokens + 1, n_docs), 0)
    within = new((n_tokens + 1, n_docs, 2, n_types), NEVER)
    to_outside = torch.empty_like(emissions.outside)
    to_opening, to_inner = torch.empty_like(emissions.opening), torch.empty_like(emissions.inner)
    for t in reversed(range(n_tokens)):
        to_outside[t] = emissions.outside[t] + outside[t + 1]
        closed = entity[t + 1, :, None].expand(n_docs, n_types)
        to_opening[t] = emissions.opening[t] + torch.stack([within[t + 1, :, 0], closed], dim=1)
        to_inner[t] = emissions.inner[t] + torch.stack([within[t + 1, :, 1], closed], dim=1)
        is_in = t < lengths
        for state, chart in ((0, outside), (1, entity)):
            opened = (transitions.opening[state] + to_opening[t]).flatten(1).logsumexp(dim=1)
            going_on = torch.logaddexp(transitions.outside[state] + to_outside[t], opened)
            chart[t] = torch.where(is_in, going_on, chart[t + 1])
        for state in (0, 1):
            going_on = (transitions.inner[state] + to_inner[t]).logsumexp(dim=1)
            within[t, :, state] = torch.where(is_in[:, None], going_on, within[t + 1, :, state])
    return Suffixes(outside, entity, within, to_outside, to_opening, to_inner)


def log_partition(chart: Chart, lengths: Tensor) -> Tensor:
    """(n_docs,) the log-sum (or maximum) over all complete paths."""
    docs = torch.arange(len(lengths), device=lengths.device)
    return torch.logaddexp(chart.outside[lengths, docs], chart.entity[lengths, docs])


def marginals(scores: Tensor, flat: Tensor, lengths: Tensor) -> Marginals:
    """Forward-backward. scores: (n_docs, n_tokens, n_tags); flat: transitions as one vector; lengths: (n_docs,)."""
    _, n_tokens, n_tags = scores.shape
    transitions = split_transitions(flat, (n_tags - 1) // 4)
    emissions = split_emissions(scores)
    chart = forward_chart(emissions, transitions)
    suffixes = backward_chart(emissions, transitions, lengths)
    log_z = log_partition(chart, lengths)
    is_in = torch.arange(n_tokens, device=scores.device)[:, None] < lengths
    closed = torch.stack([chart.outside[:-1], chart.entity[:-1]])  # (2, n_tokens, n_docs)
    outside = closed + transitions.outside[:, None, None] + suffixes.to_outside - log_z
    outside = torch.where(is_in, outside.exp(), 0)
    opening = closed[..., None, None] + transitions.opening[:, None, None] + suffixes.to_opening - log_z[:, None, None]
    opening = torch.where(is_in[..., None, None], opening.exp(), 0)
    within = chart.within[:-1].permute(2, 0, 1, 3).unsqueeze(3)  # (2, n_tokens, n_docs, 1, n_types)
    inner = within + transitions.inner[:, None, None] + suffixes.to_inner - log_z[:, None, None]
    inner = torch.where(is_in[..., None, None], inner.exp(), 0)
    kinds = torch.cat([opening.sum(0), inner.sum(0)], dim=2).flatten(2)
    by_tag = torch.cat([outside.sum(0)[..., None], kinds], dim=2).transpose(0, 1)
    uses = Transitions(outside.sum(1).T, opening.sum(1).movedim(1, 0), inner.sum(1).movedim(1, 0))
    return Marginals(log_z, by_tag, uses)


def flat_uses(uses: Transitions) -> Tensor:
    """(n_docs, n_transitions) from expected uses, in the order of `split_transitions`."""
    return torch.cat([uses.outside, uses.opening.flatten(1), uses.inner.flatten(1)], dim=1)


def split_uses(flat: Tensor, n_types: int) -> Transitions:
    """The inverse of `flat_uses`."""
    kinds = flat[:, 2:].view(-1, 2, 2, 2, n_types)
    return Transitions(flat[:, :2], kinds[:, 0], kinds[:, 1])


def path_scores(scores: Tensor, flat: Tensor, tags: Sequence[Sequence[int]]) -> Tensor:
    """(n_docs,) the score of one path each. tags: legal, by number; differentiable in scores and flat."""
    n_types = (scores.shape[2] - 1) // 4
    index = transition_index(n_types)
    totals = []
    for doc, path in enumerate(tags):
        states = [0, *path]
        emitted = scores[doc, torch.arange(len(path)), torch.tensor(path, dtype=torch.long)].sum()
        used = torch.tensor([index[a, b] for a, b in zip(states, path, strict=False)], dtype=torch.long)
        totals.append(emitted + flat[used].sum())
    return torch.stack(totals) if totals else scores.new_zeros(0)


def transition_index(n_types: int) -> Any:
    """(n_tags, n_tags) place in the flat vector of each legal transition, -1 where it is illegal."""
    n_tags = 1 + 4 * n_types
    table = torch.full((n_tags, n_tags), -1, dtype=torch.long)
    types = torch.arange(n_types)
    tag = {kind: 1 + place * n_types + types for place, kind in enumerate(KINDS)}
    enders = torch.cat([tag["U"], tag["L"]])
    table[0, 0], table[enders, 0] = 0, 1
    for place, kind in enumerate("BU"):
        table[0, tag[kind]] = 2 + place * n_types + types
        table[enders[:, None], tag[kind][None]] = 2 + (2 + place) * n_types + types
    for source, start in enumerate("BI"):
        for place, kind in enumerate("IL"):
            table[tag[start], tag[kind]] = 2 + (4 + 2 * source + place) * n_types + types
    return table
