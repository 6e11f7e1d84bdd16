"""Forward-backward with probabilities, scaled at each token (Rabiner 1989, V.A): a token is one matrix product for all
documents. NumPy alone, float64; only where no sum can underflow, which `is_narrow` says.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# From this number of tags on, the product with a table of tags by tags takes longer than log space.
MANY_TAGS = 200
# Two states of a token differ by at most this number of steps; float64 holds factors of exp(±700).
N_STEPS, MAX_EXPONENT = 3, 600.0


@dataclass(frozen=True)
class ProbabilityChart:
    """alphas: (n_tokens + 1, n_docs, n_tags) probability of all paths to a tag, relative to those to any; index 0 is
    before the first token. betas: the same shape, for all paths from a tag to the end of the document.
    weights: (n_tokens, n_docs, n_tags) exponentials of the scores, scaled: alphas[t] times a table of `between_tags`,
    times weights[t], are alphas[t + 1]. log_scales: (n_tokens, n_docs) logarithm of what each token was divided by.
    factors: (2, n_tags) exponentials of the transitions, scaled.
    """

    alphas: Floats
    betas: Floats
    weights: Floats
    log_scales: Floats
    factors: Floats

    def totals(self, lengths: Ints) -> Floats:
        """(n_docs,) the probability of all complete paths."""
        last = self.alphas[lengths, np.arange(len(lengths))]
        total: Floats = (last * closing_tags(last.shape[1])).sum(1)
        return total


@dataclass(frozen=True)
class Counts:
    """log_z: (n_docs,) log of the sum over all paths. emissions: (n_docs, n_tokens, n_tags) probability of each tag, 0
    after a document's end. uses: (n_docs, 2, n_tags) expected number of each tag after its first and second
    predecessor state.
    """

    log_z: Floats
    emissions: Floats
    uses: Floats


def transition_table(transitions: Floats) -> Floats:
    """(2, n_tags) score of each tag after the first and the second of its predecessor states, from the vector."""
    opening, inner = transitions[2:].reshape(2, 2, -1)
    return np.concatenate([transitions[:2, None], opening, inner], axis=1)


def probability_chart(emissions: Floats, table: Floats, lengths: Ints) -> ProbabilityChart:
    """Run forward-backward. emissions: (n_tokens, n_docs, n_tags); table: of `transition_table`; lengths: (n_docs,)."""
    n_tokens, n_docs, n_tags = emissions.shape
    highest = emissions.max(2, keepdims=True)
    weights = np.exp(emissions - highest)
    largest = float(table.max())
    factors = np.exp(table - largest)
    steps = between_tags(factors, 0.0)
    alphas = np.zeros((n_tokens + 1, n_docs, n_tags))
    alphas[0, :, 0] = 1
    totals = np.empty((n_tokens, n_docs, 1))
    for t in range(n_tokens):
        alpha = alphas[t + 1]
        np.matmul(alphas[t], steps, out=alpha)
        alpha *= weights[t]
        np.add.reduce(alpha, axis=1, keepdims=True, out=totals[t])
        alpha /= totals[t]
    weights /= totals
    betas = np.zeros_like(alphas)
    closed = closing_tags(n_tags)
    betas[n_tokens] = closed
    back, shortest = np.ascontiguousarray(steps.T), int(lengths.min()) if n_docs else 0
    for t in reversed(range(n_tokens)):
        np.matmul(weights[t] * betas[t + 1], back, out=betas[t])
        if t >= shortest:
            betas[t, t >= lengths] = closed
    return ProbabilityChart(alphas, betas, weights, (highest + np.log(totals))[..., 0] + largest, factors)


def count_tags(scores: Floats, transitions: Floats, lengths: Ints) -> Counts | None:
    """Compute the marginals of all tags and transitions; None where log space is needed, or faster.

    scores: (n_docs, n_tokens, n_tags); transitions: as one vector; lengths: (n_docs,).
    """
    emissions = np.ascontiguousarray(scores.transpose(1, 0, 2), dtype=np.float64)
    table = transition_table(np.asarray(transitions, dtype=np.float64))
    n_tokens, n_docs, n_tags = emissions.shape
    if n_tags >= MANY_TAGS or not emissions.size or not is_narrow(emissions, table):
        return None
    chart = probability_chart(emissions, table, lengths)
    total = chart.totals(lengths)
    is_in = np.arange(n_tokens)[:, None] < lengths
    after = chart.betas[1:] * (is_in / total)[..., None]
    by_tag = np.ascontiguousarray((chart.alphas[1:] * after).transpose(1, 0, 2))
    after *= chart.weights
    states = states_of_tags(chart.alphas[:-1], np.add)
    n_opened = 1 + n_tags // 2
    closed = states[..., 1::-1].transpose(1, 2, 0)  # after O, after an entity
    opened = closed @ after[..., :n_opened].transpose(1, 0, 2)
    within, inner = (
        array.reshape(n_tokens, n_docs, 2, n_tags // 4) for array in (states[..., 2:], after[..., n_opened:])
    )
    inside = np.stack([(within * inner[:, :, kind, None]).sum(0) for kind in (0, 1)], axis=2)
    uses = np.concatenate([opened, inside.reshape(n_docs, 2, -1)], axis=2) * chart.factors
    log_z = np.log(total) + (chart.log_scales * is_in).sum(0)
    return Counts(log_z, by_tag, uses)


def closing_tags(n_tags: int) -> Floats:
    """(n_tags,) 1 for each tag that may end a document, else 0."""
    n_types = n_tags // 4
    closed = np.zeros(n_tags)
    closed[[0, *range(1 + n_types, 1 + 2 * n_types), *range(1 + 3 * n_types, n_tags)]] = 1
    return closed


def between_tags(table: Floats, illegal: float) -> Floats:
    """(n_tags, n_tags) the values of `table` from each tag to each; `illegal` where none may follow."""
    n_tags = table.shape[1]
    n_types = (n_tags - 1) // 4
    steps = np.full((n_tags, n_tags), illegal)
    types, n_opened = np.arange(n_types), 1 + 2 * n_types
    begin, unit, inside, last = (1 + kind * n_types + types for kind in range(4))
    steps[0, :n_opened] = table[0, :n_opened]
    for ended in (unit, last):
        steps[ended, :n_opened] = table[1, :n_opened]
    for source, before in enumerate((begin, inside)):
        for tag in (inside, last):
            steps[before, tag] = table[source, tag]
    return steps


def states_of_tags(tags: Floats, either: np.ufunc) -> Floats:
    """(…, n_states) from (…, n_tags): all U and L are one state, joined by `either`."""
    kinds = tags[..., 1:].reshape(*tags.shape[:-1], 4, tags.shape[-1] // 4)
    ended = either.reduce(kinds[..., 1::2, :], axis=(-2, -1))
    return np.concatenate([ended[..., None], tags[..., :1], kinds[..., 0, :], kinds[..., 2, :]], axis=-1)


def is_narrow(emissions: Floats, table: Floats) -> bool:
    """Whether two states of a token can never differ by more than float64 holds.

    From one state to any other it takes `N_STEPS` other tags, and one more at each token without B, U and L.
    """
    if not emissions.size:
        return True
    finite = np.isfinite(emissions)
    if np.isnan(emissions).any() or not finite[..., 0].all():
        return False
    highest = emissions.max(2)
    lowest = np.where(finite, emissions, np.inf).min(2)
    widest = float((highest - lowest).max()) + float(table.max() - table.min())
    n_steps = N_STEPS + _longest_run(np.asarray(~finite).any(axis=2))
    return bool(widest * n_steps < MAX_EXPONENT)


def _longest_run(marked: Any) -> int:
    """Length of the longest run of marked tokens in a document. marked: (n_tokens, n_docs), bool."""
    longest = 0
    if marked.any():
        run = np.zeros(marked.shape[1], dtype=np.int64)
        for at_token in marked:
            run = (run + 1) * at_token
            longest = max(longest, int(run.max()))
    return longest
