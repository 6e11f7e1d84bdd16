"""A globally normalised linear-chain CRF over BILUO tags, in which illegal paths do not exist.

Lafferty, McCallum & Pereira (2001); partially annotated sequences as in Tsuboi et al. (2008). After `O`, `L-` or `U-`
(and at the start) only `O`, `B-` or `U-` of any type may follow; after `B-x` or `I-x` only `I-x` or `L-x`. A path may
not end inside an entity. So each tag has only two possible predecessor states: for `O`, `B-` and `U-`, an entity's end
or `O`; for `I-x` and `L-x`, `B-x` or `I-x`. A step takes O(types), and needs no table of types by types.

Sums are in log space and float64, and are scaled on the way (Rabiner 1989, V.A): their error does not grow with the
length of the document. On a CPU `marginals` sums probabilities instead where it can, as `probabilities` does.

Tags are ordered O, then B, U, I, L of every type: tag `1 + kind * n_types + type`. States are ordered: after an entity,
after O (or at the start), after B of every type, after I of every type.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from domain_ner.crf_ner.probabilities import count_tags

KINDS = "BUIL"
NEVER = float("-inf")
AFTER_ENTITY, AFTER_OUTSIDE, N_CLOSED = 0, 1, 2
# Sums are scaled after this number of tokens: until then they lose no significant digit.
SCALED_EVERY = 32
# Marginals are computed for this number of tokens at a time, to bound memory.
BLOCK = 1024


@dataclass(frozen=True)
class Chart:
    """Scores of all paths to each state after each token; index 0 is before the first token.

    states: (n_tokens + 1, n_docs, n_states). emissions: (n_tokens, n_docs, n_tags) the scores, scaled like the states:
    minus `log_scales`, (n_tokens, n_docs).
    """

    states: Tensor
    emissions: Tensor
    log_scales: Tensor


class Marginals(NamedTuple):
    """log_z: (n_docs,) log of the sum over all paths. emissions: (n_docs, n_tokens, n_tags) probability of each tag at
    each token, 0 after a document's end. uses: (n_docs, n_transitions) expected count of each transition. All float64.
    """

    log_z: Tensor
    emissions: Tensor
    uses: Tensor


def n_transitions(n_types: int) -> int:
    """Return the size of the vector of transitions.

    Its order: O after O and after an entity. Then B, then U, of every type after O, and the same after an entity. Then
    I, then L, of every type after B, and the same after I.
    """
    return 2 + 8 * n_types


def transition_table(transitions: Tensor) -> Tensor:
    """(2, n_tags) score of each tag after the first and the second of its predecessor states, from the vector."""
    opening, inner = transitions[2:].view(2, 2, -1)
    return torch.cat([transitions[:2, None], opening, inner], dim=1)


def transition_counts(table: Tensor) -> Tensor:
    """(n_docs, n_transitions) counts from (n_docs, 2, n_tags): the inverse of `transition_table`."""
    outside, opening, inner = table.split([1, table.shape[2] // 2, table.shape[2] // 2], dim=2)
    return torch.cat([outside.flatten(1), opening.flatten(1), inner.flatten(1)], dim=1)


def forward_chart(scores: Tensor, transitions: Tensor) -> Chart:
    """Score all paths to each state: their log-sum.

    scores: (n_docs, n_tokens, n_tags); transitions: as one vector.
    """
    emissions = scores.transpose(0, 1).to(torch.float64, copy=True).contiguous()
    n_tokens, n_docs, n_tags = emissions.shape
    states = emissions.new_full((n_tokens + 1, n_docs, N_CLOSED + n_tags // 2), NEVER)
    log_scales = emissions.new_zeros((n_tokens, n_docs))
    states[0, :, AFTER_OUTSIDE] = 0
    first, second = (_TagScores(transition_table(transitions.double()), source, states[0]) for source in (0, 1))
    reached, kinds, within = first.tags, _kinds(first.tags), _within(states)
    for t in range(n_tokens):
        torch.logaddexp(first.after(states[t], within[t]), second.after(states[t], within[t]), out=reached)
        reached.add_(emissions[t])
        after = states[t + 1]
        after[:, AFTER_ENTITY] = kinds[:, 1::2].logsumexp((1, 2))  # U and L
        after[:, AFTER_OUTSIDE] = reached[:, 0]
        within[t + 1] = kinds[:, ::2]  # B and I
        if t % SCALED_EVERY == SCALED_EVERY - 1:
            scale = after.logsumexp(1)
            scale = torch.where(torch.isfinite(scale), scale, 0)  # known tags may leave no path
            after -= scale[:, None]
            emissions[t] -= scale[:, None]
            log_scales[t] = scale
    return Chart(states, emissions, log_scales)


def backward_chart(chart: Chart, transitions: Tensor, lengths: Tensor) -> Tensor:
    """(n_tokens + 1, n_docs, n_states) log-sums over all paths from each state to the end, scaled like the chart.

    lengths: (n_docs,) tokens of each document.
    """
    n_tokens, n_docs, n_tags = chart.emissions.shape
    table = transition_table(transitions.double())
    n_opened = 1 + n_tags // 2
    after_closed = table[:, :n_opened].flip(0)  # in the states' order: after an entity, after O
    after_within = table[:, n_opened:].view(2, 2, -1)  # after B and I: of I and L
    suffixes = torch.full_like(chart.states, NEVER)
    suffixes[n_tokens, :, :N_CLOSED] = 0
    continued, within, kinds = _SuffixScores(suffixes[0]), _within(suffixes), _kinds(chart.emissions)
    opened, inner = continued.tags[:, None, :n_opened], continued.tags[:, n_opened:].view(n_docs, 1, 2, -1)
    shortest = int(lengths.min()) if n_docs else 0
    for t in reversed(range(n_tokens)):
        continued.from_tags(suffixes[t + 1], within[t + 1], chart.emissions[t], kinds[t])
        suffixes[t, :, :N_CLOSED] = (opened + after_closed).logsumexp(2)
        of_inner = inner + after_within
        torch.logaddexp(of_inner[:, :, 0], of_inner[:, :, 1], out=within[t])
        if t >= shortest:
            suffixes[t] = torch.where((t < lengths)[:, None], suffixes[t], suffixes[t + 1])
    return suffixes


class _TagScores:
    """Scores of tags (…, n_tags) after one of their two predecessor states: the first (source 0: O and B) or the second
    (an entity and I). The views are made once: making them takes as long as the sums.

    table: of `transition_table`. like: (…, n_states).
    """

    def __init__(self, table: Tensor, source: int, like: Tensor) -> None:
        n_opened = 1 + table.shape[1] // 2
        self.tags = like.new_empty((*like.shape[:-1], table.shape[1]))
        self._opened, self._inner = self.tags[..., :n_opened], self.tags[..., n_opened:].unflatten(-1, (2, -1))
        self._to_opened, self._to_inner = table[source, :n_opened], table[source, n_opened:].view(2, -1)
        closed = AFTER_ENTITY if source else AFTER_OUTSIDE
        self._closed, self._source = slice(closed, closed + 1), slice(source, source + 1)

    def after(self, states: Tensor, within: Tensor) -> Tensor:
        """Update and return `tags`. states: (…, n_states), and `within` the view on them."""
        torch.add(states[..., self._closed], self._to_opened, out=self._opened)
        torch.add(within[..., self._source, :], self._to_inner, out=self._inner)
        return self.tags


class _SuffixScores:
    """Log-sums (…, n_tags) over all paths from each tag, inclusive, to the end. like: (…, n_states)."""

    def __init__(self, like: Tensor) -> None:
        self.tags = like.new_empty((*like.shape[:-1], 2 * (like.shape[-1] - N_CLOSED) + 1))
        kinds = _kinds(self.tags)
        self._outside, self._open, self._closed = self.tags[..., 0], kinds[..., ::2, :], kinds[..., 1::2, :]

    def from_tags(self, suffixes: Tensor, within: Tensor, emissions: Tensor, kinds: Tensor) -> Tensor:
        """Update and return `tags`. suffixes: (…, n_states) after the tags. within, kinds: views on the other two."""
        torch.add(suffixes[..., AFTER_OUTSIDE], emissions[..., 0], out=self._outside)
        torch.add(within, kinds[..., ::2, :], out=self._open)  # B and I
        torch.add(suffixes[..., AFTER_ENTITY, None, None], kinds[..., 1::2, :], out=self._closed)  # U and L
        return self.tags


def _kinds(tags: Tensor) -> Tensor:
    """(…, 4, n_types) view on the B, U, I and L of (…, n_tags)."""
    *others, n_tags = tags.shape
    return tags[..., 1:].view(*others, len(KINDS), n_tags // len(KINDS))


def _within(states: Tensor) -> Tensor:
    """(…, 2, n_types) view on the states after B and after I of (…, n_states)."""
    return states[..., N_CLOSED:].unflatten(-1, (2, -1))


def log_partition(chart: Chart, lengths: Tensor, *, scaled: bool = False) -> Tensor:
    """(n_docs,) log-sum over all complete paths; with `scaled`, scaled like the chart."""
    docs = torch.arange(len(lengths), device=lengths.device)
    log_z = chart.states[lengths, docs, :N_CLOSED].logsumexp(1)
    return log_z if scaled else log_z + (chart.log_scales * _is_in(chart, lengths)).sum(0)


def _is_in(chart: Chart, lengths: Tensor) -> Tensor:
    """(n_tokens, n_docs) whether the document has the token."""
    return torch.arange(len(chart.emissions), device=lengths.device)[:, None] < lengths


def marginals(scores: Tensor, transitions: Tensor, lengths: Tensor) -> Marginals:
    """Run forward-backward. scores: (n_docs, n_tokens, n_tags); transitions: as one vector; lengths: (n_docs,)."""
    if scores.device.type == "cpu":  # NumPy's calls cost a third of PyTorch's, and probabilities less than logarithms
        counts = count_tags(scores.numpy(), transitions.numpy(), lengths.numpy())
        if counts is not None:
            log_z, by_tag, uses = map(torch.from_numpy, (counts.log_z, counts.emissions, counts.uses))
            return Marginals(log_z, by_tag, transition_counts(uses))
    chart = forward_chart(scores, transitions)
    suffixes = backward_chart(chart, transitions, lengths)
    n_tokens, n_docs, n_tags = chart.emissions.shape
    table, scaled_log_z = transition_table(transitions.double()), log_partition(chart, lengths, scaled=True)
    is_in = _is_in(chart, lengths)[..., None]
    by_tag = chart.emissions.new_empty((n_docs, n_tokens, n_tags))
    uses = chart.emissions.new_zeros((n_docs, 2, n_tags))
    for begin in range(0, n_tokens, BLOCK):
        block = slice(begin, begin + BLOCK)
        states, after = chart.states[:-1][block], suffixes[1:][block]
        emissions = chart.emissions[block]
        to_tag = _SuffixScores(after).from_tags(after, _within(after), emissions, _kinds(emissions))
        to_tag -= scaled_log_z[:, None]
        probs = torch.zeros_like(to_tag)
        for source in (0, 1):
            used = _TagScores(table, source, states).after(states, _within(states))
            used.add_(to_tag).exp_().masked_fill_(~is_in[block], 0)
            uses[:, source] += used.sum(0)
            probs += used
        by_tag[:, block] = probs.transpose(0, 1)
    return Marginals(log_partition(chart, lengths), by_tag, transition_counts(uses))


def path_scores(scores: Tensor, transitions: Tensor, tags: Sequence[Sequence[int]]) -> Tensor:
    """(n_docs,) score of one path each. tags: legal, by index; differentiable in scores and transitions."""
    n_types = (scores.shape[2] - 1) // 4
    index = transition_index(n_types)
    totals = []
    for doc, path in enumerate(tags):
        states = [0, *path]
        emitted = scores[doc, torch.arange(len(path)), torch.tensor(path, dtype=torch.long)].sum()
        used = torch.tensor([index[a, b] for a, b in zip(states, path, strict=False)], dtype=torch.long)
        totals.append(emitted + transitions[used].sum())
    return torch.stack(totals) if totals else scores.new_zeros(0)


@lru_cache(maxsize=8)
def transition_index(n_types: int) -> Tensor:
    """(n_tags, n_tags) index of each legal transition in the vector, -1 if illegal. The result must not be changed."""
    n_tags = 1 + 4 * n_types
    table = torch.full((n_tags, n_tags), -1, dtype=torch.long)
    types = torch.arange(n_types)
    tag = {kind: 1 + position * n_types + types for position, kind in enumerate(KINDS)}
    enders = torch.cat([tag["U"], tag["L"]])
    table[0, 0], table[enders, 0] = 0, 1
    for position, kind in enumerate("BU"):
        table[0, tag[kind]] = 2 + position * n_types + types
        table[enders[:, None], tag[kind][None]] = 2 + (2 + position) * n_types + types
    for source, start in enumerate("BI"):
        for position, kind in enumerate("IL"):
            table[tag[start], tag[kind]] = 2 + (4 + 2 * source + position) * n_types + types
    return table
