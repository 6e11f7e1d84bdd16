"""How far several sources of annotations can be trusted, and what follows from their votes.

Dawid and Skene (1979), "Maximum likelihood estimation of observer error-rates using the EM algorithm", for spans that
are an entity or not: each source finds an entity of a type, and names what is none, with a probability of its own. What
is known before any vote, such as a recogniser's calibrated confidence, anchors the estimate: without an anchor, sources
that share a mistake would confirm each other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Beta priors, as counts of spans seen before: that were named and were not, of entities and of what is none.
ENTITY_PRIOR, OTHER_PRIOR = (4.0, 2.0), (1.0, 4.0)
N_ROUNDS, TOLERANCE = 200, 1e-6
# Probabilities stay this far from 0 and 1.
EDGE = 1e-4

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LabelModel:
    """probability: (n_spans,) that each span is an entity. named, misnamed: (n_labels, n_sources) probability that a
    source names an entity of that type, and that it names a span that is none.
    """

    probability: Array
    named: Array
    misnamed: Array


def fit(prior: Array, votes: Array, labels: NDArray[np.intp], n_labels: int) -> LabelModel:
    """Estimate the probability of each span, and the sources' error rates by type, from all votes.

    prior: (n_spans,) probability of each span before any vote, 0..1. votes: (n_spans, n_sources): 1 where the source
    names the span, 0 where it saw the text and does not, NaN where it says nothing. labels: (n_spans,) index of the
    type of each span.
    """
    prior = np.clip(prior, EDGE, 1 - EDGE)
    is_of = np.eye(n_labels)[labels].T  # (n_labels, n_spans)
    says, yes = ~np.isnan(votes), np.nan_to_num(votes)
    probability = prior
    for _ in range(N_ROUNDS):
        named = _rate(is_of * probability, says, yes, ENTITY_PRIOR)
        misnamed = _rate(is_of * (1 - probability), says, yes, OTHER_PRIOR)
        updated = _posterior(prior, named[labels], misnamed[labels], says, yes)
        change = float(np.abs(updated - probability).max(initial=0))
        probability = updated
        if change < TOLERANCE:
            break
    return LabelModel(probability, named, misnamed)


def _rate(weights: Array, says: NDArray[np.bool_], yes: Array, beta: tuple[float, float]) -> Array:
    """(n_labels, n_sources) share of spans that each source names. weights: (n_labels, n_spans)."""
    rate: Array = (weights @ (yes * says) + beta[0]) / (weights @ says.astype(float) + sum(beta))
    return rate


def _posterior(prior: Array, named: Array, misnamed: Array, says: NDArray[np.bool_], yes: Array) -> Array:
    for_yes, for_no = np.log(named / misnamed), np.log((1 - named) / (1 - misnamed))
    evidence = np.where(says, np.where(yes == 1, for_yes, for_no), 0).sum(axis=1)
    log_odds = np.log(prior / (1 - prior)) + evidence
    probability: Array = np.clip(1 / (1 + np.exp(-np.clip(log_odds, -500, 500))), EDGE, 1 - EDGE)
    return probability
