"""The settings of a recogniser that need no training: thresholds, calibration and decoding."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import exp, expm1, log, log1p
from typing import Any

from domain_ner.errors import DomainNerError

AUTO = "auto"
VITERBI, MARGINAL = "viterbi", "marginal"
# The largest log-probability that float32 distinguishes from 0: a confidence is always below 1.
CERTAIN = -(2.0**-24)
# The minimum probability of spans to search for, unless a threshold is lower.
MIN_PROBABLE = 0.01
# The maximum of a weight by rarity: a type with a handful of mentions must not dominate the rest.
MAX_WEIGHT = 4.0
# Keys that spaCy's config files keep unchanged: without `=` or `:`, and not beginning like a comment, a section or the
# name of a registered function.
PLAIN_KEY = re.compile(r"[^\s=:\[#;@*$][^\n=:$]*(?<!\s)")
# Values by label; pairs of label and value if a config cannot hold a label as a key.
ByLabel = dict[str, float] | list[Any]


@dataclass(frozen=True)
class Settings:
    """The settings of `crf_ner`, as in its config.

    min_confidence: entities below it are not reported; for all types, or by type.
    temperature: divides the scores before they become probabilities; type_temperatures: divides the log-odds of a
    span of the type after that.
    n_candidates: number of most probable other spans at a token to report.
    decoding: `viterbi`, the entities of the best path; or `marginal`: the non-overlapping spans whose probabilities
    exceed min_confidence by the largest sum.
    type_weights: weight of a missed entity of a type in training; `auto`: rarer types weigh more.
    """

    min_confidence: float | Mapping[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    type_temperatures: Mapping[str, float] = field(default_factory=dict)
    n_candidates: int = 0
    decoding: str = VITERBI
    type_weights: str | Mapping[str, float] = field(default_factory=dict)

    @property
    def is_marginal(self) -> bool:
        """Whether spans are chosen by their own probabilities."""
        return self.decoding == MARGINAL

    @property
    def needs_probable(self) -> bool:
        """Whether spans outside the best path are needed."""
        return self.is_marginal or self.n_candidates > 0

    @property
    def has_threshold(self) -> bool:
        """Whether a threshold can suppress an entity of the best path."""
        return self.is_marginal or self.min_confidence not in (0, {})

    def threshold(self, label: str) -> float:
        """The minimum confidence, in 0..1, to report an entity of the type; by default 0, or 0.5 with `marginal`."""
        least = self.min_confidence
        return least.get(label, 0.5 if self.is_marginal else 0.0) if isinstance(least, Mapping) else least

    def confidence(self, log_prob: float, label: str) -> float:
        """Calibrate the probability of a span, given its log; the result is below 1.

        Temperature scaling (Guo et al. 2017) of the log-odds; a temperature of 1 changes nothing.
        """
        temperature = self.type_temperatures.get(label, 1.0)
        if temperature == 1.0:
            return exp(min(log_prob, CERTAIN))
        odds = log_odds(log_prob) / temperature
        return min(1 / (1 + exp(-odds)), exp(CERTAIN)) if odds >= 0 else exp(odds) / (1 + exp(odds))

    def floor(self, label: str) -> float:
        """The log of the minimum uncalibrated probability of spans of the type to search for.

        After calibration it is `MIN_PROBABLE`, or the type's threshold if that is lower.
        """
        threshold = self.threshold(label)
        least = threshold if self.is_marginal and 0 < threshold < MIN_PROBABLE else MIN_PROBABLE
        odds = (log(least) - log1p(-least)) * self.type_temperatures.get(label, 1.0)
        return odds - log1p(exp(odds))

    def check(self, name: str, labels: Collection[str]) -> None:
        """Raise DomainNerError for values out of range, and for types that are not among `labels`.

        name: of the component. labels: of the recogniser; empty before initialisation.
        """
        by_type = {"type_temperatures": self.type_temperatures}
        by_type |= {} if isinstance(self.type_weights, str) else {"type_weights": self.type_weights}
        thresholds = self.min_confidence if isinstance(self.min_confidence, Mapping) else {"": self.min_confidence}
        by_type |= {"min_confidence": thresholds}
        for setting, values in by_type.items():
            for label, value in values.items():
                self._check(name, setting, label, value)
                if labels and label and label not in labels:
                    raise DomainNerError(
                        f"{setting} of {name} has a value for {label!r}; expected one of {', '.join(sorted(labels))}."
                    )
        if self.temperature <= 0:
            raise DomainNerError(f"temperature of {name} is {self.temperature}; expected more than 0.")
        if self.n_candidates < 0:
            raise DomainNerError(f"candidates of {name} is {self.n_candidates}; expected 0 or more.")
        if self.decoding not in (VITERBI, MARGINAL):
            raise DomainNerError(f"decoding of {name} is {self.decoding!r}; expected {VITERBI} or {MARGINAL}.")
        if isinstance(self.type_weights, str) and self.type_weights != AUTO:
            raise DomainNerError(f"type_weights of {name} is {self.type_weights!r}; expected auto, or weights by type.")

    @staticmethod
    def _check(name: str, setting: str, label: str, value: float) -> None:
        expected = {
            "min_confidence": ("0 to 1", 0 <= value <= 1),
            "type_temperatures": ("more than 0", value > 0),
            "type_weights": ("1 or more", value >= 1),
        }
        wanted, is_right = expected[setting]
        if not is_right:
            of_label = f" for {label!r}" if label else ""
            raise DomainNerError(f"{setting} of {name} is {value}{of_label}; expected {wanted}.")


def to_config(values: Mapping[str, float]) -> ByLabel:
    """Write values by label in a form that a config can hold, whatever the labels are."""
    is_plain = all(PLAIN_KEY.fullmatch(label) for label in values)
    return dict(values) if is_plain else list(values.items())


def log_odds(log_prob: float) -> float:
    """Compute log(p / (1 - p)) from log p."""
    certain = min(log_prob, CERTAIN)
    return certain - log(-expm1(certain))


def rarity_weights(counts: Mapping[str, int]) -> dict[str, float]:
    """Weight each type by its rarity, at least 1: the square root of the most frequent type's count over its own."""
    most = max(counts.values(), default=0)
    return {label: min(MAX_WEIGHT, (most / count) ** 0.5) for label, count in counts.items() if count}
