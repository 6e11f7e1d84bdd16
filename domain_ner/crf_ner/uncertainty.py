"""Measures how unsure a linear chain is of a document, exactly: from the sums over all paths and the best two.

The measures are those of Settles and Craven (2008), "An Analysis of Active Learning Strategies for Sequence Labeling
Tasks", section 3.1. NumPy alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain_ner.crf_ner.charts import (
    AFTER_ENTITY,
    AFTER_OUTSIDE,
    N_CLOSED,
    Sums,
    max_paths,
    sum_paths,
)
from domain_ner.crf_ner.padding import padded_groups
from domain_ner.crf_ner.probabilities import Floats, Ints, transition_table


@dataclass(frozen=True)
class Uncertainty:
    """Of one document.

    best, second: probabilities of the best tagging and of the best other one, 0..1. entropy: of the taggings, in nats.
    """

    best: float
    second: float
    entropy: float


def uncertainties(
    scores: Sequence[NDArray[np.floating]], transitions: NDArray[np.floating], temperature: float = 1.0
) -> list[Uncertainty]:
    """Measure each document. scores: (n_tokens, n_tags) of each; transitions: as one vector; of `crf_ner`.

    A document without tokens has one tagging, which is certain.
    """
    measured = [Uncertainty(1.0, 0.0, 0.0)] * len(scores)
    filled = [n for n, array in enumerate(scores) if len(array)]
    for group in padded_groups([scores[n] for n in filled], transitions, temperature):
        each = _measure(group.scores, group.transitions, group.lengths)
        for n, one in zip(group.numbers, each, strict=True):
            measured[filled[n]] = one
    return measured


def _measure(scores: Floats, transitions: Floats, lengths: Ints) -> Iterator[Uncertainty]:
    sums = sum_paths(scores, transitions, lengths)
    table = transition_table(transitions)
    within = np.arange(scores.shape[1])[:, None] < lengths  # (n_tokens, n_docs)
    probs = np.exp(_steps(sums, table)) * within[None, :, :, None]
    local = table[:, None, None] + sums.emissions
    weighted = np.where(probs > 0, probs * np.where(np.isfinite(local), local, 0), 0)
    entropy = np.maximum(sums.log_z - weighted.sum(axis=(0, 1, 3)), 0)
    best, second = _best_two(sums, transitions, lengths, within)
    for row in zip(best.tolist(), second.tolist(), entropy.tolist(), strict=True):
        yield Uncertainty(*row)


def _best_two(sums: Sums, transitions: Floats, lengths: Ints, within: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Probabilities of the best tagging and of the second best.

    The second best differs from the best at some token: so it is the best of all taggings through any other tag.
    """
    best = max_paths(sums.emissions, transitions, lengths)
    scale = ((sums.emissions[:, :, 0] - best.emissions[:, :, 0]) * within).sum(axis=0)
    through = _steps(best, transition_table(transitions)).max(axis=0)  # (n_tokens, n_docs, n_tags), 0 on the best path
    through[~within] = -np.inf
    np.put_along_axis(through, through.argmax(axis=2)[..., None], -np.inf, axis=2)
    log_best = best.log_z + scale - sums.log_z
    log_second = log_best + through.max(axis=(0, 2))
    return np.minimum(np.exp(log_best), 1), np.exp(log_second)


def _steps(sums: Sums, table: Floats) -> Floats:
    """(2, n_tokens, n_docs, n_tags) log-weight of all paths through a tag after its first, and its second predecessor
    state, relative to all paths.
    """
    n_tokens, n_docs, n_tags = sums.emissions.shape
    n_types = (n_tags - 1) // 4
    states, suffixes = sums.states[:-1], sums.suffixes[1:]
    opening = np.stack([states[..., AFTER_OUTSIDE], states[..., AFTER_ENTITY]])
    opening = np.broadcast_to(opening[..., None], (2, n_tokens, n_docs, 1 + 2 * n_types))
    inner = states[..., N_CLOSED:].reshape(n_tokens, n_docs, 2, n_types).transpose(2, 0, 1, 3)
    before = np.concatenate([opening, inner, inner], axis=3)
    ended = np.broadcast_to(suffixes[..., AFTER_ENTITY, None], (n_tokens, n_docs, n_types))
    after = np.concatenate(
        [
            suffixes[..., AFTER_OUTSIDE, None], suffixes[..., N_CLOSED : N_CLOSED + n_types], ended,
            suffixes[..., N_CLOSED + n_types :], ended,
        ],
        axis=2,
    )  # fmt: skip
    steps: Floats = before + table[:, None, None] + sums.emissions + after - sums.log_z[:, None]
    return steps
