"""Sums and best scores over all paths of the lattice, with NumPy alone: what prediction needs.

The same lattice as `domain_ner.crf_ner.lattice`, which learns with PyTorch. Where no sum can underflow, sums are
computed with probabilities, scaled at each token (Rabiner 1989, V.A): a token is one matrix product for all documents.
Otherwise, and for many types, in log space. Both are float64.
"""

from dataclasses import dataclass

import numpy as np

from domain_ner.crf_ner.probabilities import (
    MANY_TAGS,
    Floats,
    Ints,
    between_tags,
    is_narrow,
    probability_chart,
    states_of_tags,
    transition_table,
)

# The states: after an entity, after O (or at the start), after B of every type, after I of every type.
AFTER_ENTITY, AFTER_OUTSIDE, N_CLOSED = 0, 1, 2
NEVER = float("-inf")
# Up to this number of documents times tags times tags, the best paths are found faster with such a table.
FEW_STEPS = 1 << 13
# Best paths are scaled after this number of tokens: until then they lose no significant digit.
SCALED_EVERY = 32


@dataclass(frozen=True)
class Sums:
    """Log-sums over paths, scaled so that they stay near 0.

    states: (n_tokens + 1, n_docs, n_states) over all paths to a state; index 0 is before the first token.
    suffixes: the same shape, over all paths from a state to the end of the document.
    emissions: (n_tokens, n_docs, n_tags) the scores, minus the scale of each token.
    log_z: (n_docs,) over all paths.
    """

    states: Floats
    suffixes: Floats
    emissions: Floats
    log_z: Floats


def sum_paths(scores: Floats, transitions: Floats, lengths: Ints) -> Sums:
    """Run forward-backward. scores: (n_docs, n_tokens, n_tags); transitions: as one vector; lengths: (n_docs,)."""
    emissions = np.ascontiguousarray(scores.transpose(1, 0, 2), dtype=np.float64)
    table = transition_table(np.asarray(transitions, dtype=np.float64))
    if scores.shape[2] < MANY_TAGS and is_narrow(emissions, table):
        return _sum_scaled(emissions, table, lengths)
    return _sum_logs(emissions, table, lengths)


def max_paths(emissions: Floats, transitions: Floats, lengths: Ints) -> Sums:
    """Run forward-backward with the best path in place of the sum: the max-marginals of Viterbi.

    emissions: (n_tokens, n_docs, n_tags); transitions: as one vector; lengths: (n_docs,).
    """
    table = transition_table(np.asarray(transitions, dtype=np.float64))
    return _sum_logs(np.asarray(emissions, dtype=np.float64), table, lengths, np.maximum)


def best_paths(scores: Floats, transitions: Floats) -> tuple[Floats, Floats]:
    """Viterbi. Returns (n_tokens + 1, n_docs, n_states) scores of the best path to each state, and the emissions,
    (n_tokens, n_docs, n_tags), both scaled now and then: the best state has 0.
    """
    emissions = np.array(scores.transpose(1, 0, 2), dtype=np.float64, order="C")
    n_docs, n_tags = emissions.shape[1:]
    table = transition_table(np.asarray(transitions, dtype=np.float64))
    if n_docs * n_tags * n_tags <= FEW_STEPS:
        return _best_dense(emissions, table), emissions
    return _best_states(emissions, table), emissions


def _best_dense(emissions: Floats, table: Floats) -> Floats:
    """With a table of tags by tags: fewer calls of NumPy, which is what a short document costs."""
    n_tokens, n_docs, n_tags = emissions.shape
    steps = np.ascontiguousarray(between_tags(table, NEVER).T)  # (to, from)
    tags = np.full((n_tokens + 1, n_docs, n_tags), NEVER)
    tags[0, :, 0] = 0
    ways = np.empty((n_docs, n_tags, n_tags))
    for t in range(n_tokens):
        np.add(tags[t][:, None, :], steps, out=ways)
        reached = tags[t + 1]
        np.maximum.reduce(ways, axis=2, out=reached)
        reached += emissions[t]
        if t % SCALED_EVERY == SCALED_EVERY - 1:
            scale = reached.max(1, keepdims=True)
            reached -= scale
            emissions[t] -= scale
    return states_of_tags(tags, np.maximum)


def _best_states(emissions: Floats, table: Floats) -> Floats:
    n_tokens, n_docs, n_tags = emissions.shape
    step = _Step(table, n_docs)
    states = np.full((n_tokens + 1, n_docs, N_CLOSED + n_tags // 2), NEVER)
    states[0, :, AFTER_OUTSIDE] = 0
    for t in range(n_tokens):
        tags = step.tags(states[t], np.maximum)
        tags += emissions[t]
        step.collect(states[t + 1], step.ended.max((1, 2)))
        if t % SCALED_EVERY == SCALED_EVERY - 1:
            scale = states[t + 1].max(1, keepdims=True)
            states[t + 1] -= scale
            emissions[t] -= scale
    return states


def _sum_scaled(emissions: Floats, table: Floats, lengths: Ints) -> Sums:
    chart = probability_chart(emissions, table, lengths)
    states = states_of_tags(chart.alphas, np.add)
    n_tokens, n_docs, n_tags = emissions.shape
    after = chart.betas[..., 1:].reshape(n_tokens + 1, n_docs, 4, n_tags // 4)
    suffixes = np.concatenate([after[:, :, 1, :1], chart.betas[..., :1], after[:, :, 0], after[:, :, 2]], axis=2)
    with np.errstate(divide="ignore"):
        states, suffixes = np.log(states), np.log(suffixes)
    return Sums(states, suffixes, emissions - chart.log_scales[..., None], _log_z(states, lengths))


def _sum_logs(emissions: Floats, table: Floats, lengths: Ints, either: np.ufunc = np.logaddexp) -> Sums:
    """In log space. either: joins two paths; with `np.maximum`, all "sums" are scores of the best path instead."""
    n_tokens, n_docs, n_tags = emissions.shape
    emissions = emissions.copy()
    states = np.full((n_tokens + 1, n_docs, N_CLOSED + n_tags // 2), NEVER)
    states[0, :, AFTER_OUTSIDE] = 0
    step = _Step(table, n_docs)
    for t in range(n_tokens):
        tags = step.tags(states[t], either)
        tags += emissions[t]
        step.collect(states[t + 1], either.reduce(step.ended.reshape(n_docs, -1), axis=1))
        scale = states[t + 1].max(1, keepdims=True)
        scale[~np.isfinite(scale)] = 0
        states[t + 1] -= scale
        emissions[t] -= scale
    n_types = (n_tags - 1) // 4
    n_opened = 1 + 2 * n_types
    suffixes = np.full_like(states, NEVER)
    suffixes[n_tokens, :, :N_CLOSED] = 0
    after_closed = table[::-1, :n_opened]  # in the states' order: after an entity, after O
    after_within = table[:, n_opened:].reshape(2, 2, n_types)  # after B and I: of I and L
    tags = np.empty((n_docs, n_tags))
    kinds = tags[:, 1:].reshape(n_docs, 4, n_types)  # a view
    for t in reversed(range(n_tokens)):
        after, emitted = suffixes[t + 1], emissions[t][:, 1:].reshape(n_docs, 4, n_types)
        tags[:, 0] = after[:, AFTER_OUTSIDE] + emissions[t][:, 0]
        kinds[:, ::2] = after[:, N_CLOSED:].reshape(n_docs, 2, n_types) + emitted[:, ::2]  # B and I
        kinds[:, 1::2] = after[:, AFTER_ENTITY, None, None] + emitted[:, 1::2]  # U and L
        opened = tags[:, None, :n_opened] + after_closed
        suffixes[t, :, :N_CLOSED] = either.reduce(opened, axis=2)
        inner = tags[:, None, n_opened:].reshape(n_docs, 1, 2, n_types) + after_within
        suffixes[t, :, N_CLOSED:] = either(inner[:, :, 0], inner[:, :, 1]).reshape(n_docs, -1)
        ended = t >= lengths
        suffixes[t, ended] = suffixes[t + 1, ended]
    return Sums(states, suffixes, emissions, _log_z(states, lengths, either))


def _log_z(states: Floats, lengths: Ints, either: np.ufunc = np.logaddexp) -> Floats:
    closed = states[lengths, np.arange(len(lengths)), :N_CLOSED]
    log_z: Floats = either(closed[:, 0], closed[:, 1])
    return log_z


class _Step:
    """One step from states to tags and back to states, in log space. The arrays are reused."""

    def __init__(self, table: Floats, n_docs: int) -> None:
        n_tags = table.shape[1]
        n_types = (n_tags - 1) // 4
        self._n_types, self._n_opened = n_types, 1 + 2 * n_types
        self._opened, self._inner = table[:, : self._n_opened], table[:, self._n_opened :].reshape(2, 2, n_types)
        self._tags, self._other = np.empty((n_docs, n_tags)), np.empty((n_docs, n_tags))
        kinds = self._tags[:, 1:].reshape(n_docs, 4, n_types)
        self.ended, self._within = kinds[:, 1::2], kinds[:, ::2]  # U and L; B and I
        self._into = [array[:, self._n_opened :].reshape(n_docs, 2, n_types) for array in (self._tags, self._other)]

    def tags(self, states: Floats, either: np.ufunc) -> Floats:
        """(n_docs, n_tags) scores of the tags after their predecessor states, joined by `either`."""
        within = states[:, N_CLOSED:].reshape(len(states), 2, 1, self._n_types)
        for source, (array, inner) in enumerate(zip((self._tags, self._other), self._into, strict=True)):
            closed = AFTER_ENTITY if source else AFTER_OUTSIDE
            np.add(states[:, closed, None], self._opened[source], out=array[:, : self._n_opened])
            np.add(within[:, source], self._inner[source], out=inner)
        either(self._tags, self._other, out=self._tags)
        return self._tags

    def collect(self, states: Floats, ended: Floats) -> None:
        """Write the states after the tags. ended: (n_docs,) the score of all U and L."""
        states[:, AFTER_ENTITY] = ended
        states[:, AFTER_OUTSIDE] = self._tags[:, 0]
        states[:, N_CLOSED:].reshape(len(states), 2, self._n_types)[:] = self._within
