"""Scores how much is to be learned from each text, from what the pipeline's own probabilities say.

least-confident, margin and entropy are those of Settles and Craven (2008), section 3.1. expected-errors is the expected
number of entities that are wrong or missed, which needs the probability of each span.
"""

from collections.abc import Callable, Mapping
from math import exp

from domain_ner.errors import DomainNerError
from domain_ner.selecting.measuring import Measured

EXPECTED_ERRORS, RANDOM = "expected-errors", "random"
# By type, how much an error in it weighs; a type that is not there weighs 1.
Weights = Mapping[str, float]
Score = Callable[[Measured, Weights], float]


def expected_errors(one: Measured, weights: Weights) -> float:
    """The expected number of errors, weighted by type."""
    parts = (one.wrong, one.missed)
    return sum(weights.get(label, 1.0) * n for part in parts for label, n in part.items())


def errors_per_token(one: Measured, weights: Weights) -> float:
    """The expected number of errors, weighted by type, for each token: where reading costs more than deciding."""
    return expected_errors(one, weights) / max(1, one.n_tokens)


def least_confident(one: Measured, _: Weights) -> float:
    """The probability that the best tagging is wrong."""
    return 1 - one.best


def margin(one: Measured, _: Weights) -> float:
    """How close the second best tagging comes to the best, 0..1."""
    return 1 - (one.best - one.second)


def entropy(one: Measured, _: Weights) -> float:
    """The entropy of the taggings, in nats."""
    return one.entropy


STRATEGIES: dict[str, Score] = {
    EXPECTED_ERRORS: expected_errors,
    "errors-per-token": errors_per_token,
    "least-confident": least_confident,
    "margin": margin,
    "entropy": entropy,
}


def find_strategy(name: str) -> Score:
    """Look up a strategy. Raises DomainNerError if there is none."""
    if name not in STRATEGIES:
        raise DomainNerError(f"--strategy is {name!r}; expected {', '.join(STRATEGIES)}.")
    return STRATEGIES[name]


def type_weights(f1: Mapping[str, float], target: float) -> dict[str, float]:
    """How much an error in each type weighs: the more, the farther the type is below the target.

    f1: measured, 0..1. target: 0..1. Returns 1 for a type at the target or above, up to e for one at 0.
    """
    return {label: exp(max(0.0, target - score) / target) for label, score in f1.items()}


def describe(one: Measured) -> list[str]:
    """Say in a line each why a text is worth annotating: its expected errors by type, and its least sure entity."""
    lines = []
    errors = {label: one.wrong[label] + one.missed[label] for label in one.wrong}
    for label, n in sorted(errors.items(), key=lambda item: -item[1])[:2]:
        if n >= 0.05:
            lines.append(f"{label}: {n:.1f} errors expected ({one.missed[label]:.1f} missed)")
    if one.found:
        least = min(one.found, key=lambda found: found.confidence)
        lines.append(f"least sure: {one.text[least.start : least.end]!r} {least.label} {least.confidence:.2f}")
    return lines or [f"entropy of the taggings: {one.entropy:.2f}"]
