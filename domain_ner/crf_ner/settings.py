"""What of a recogniser can be set without training: how sure it must be, and how sure it says it is."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import exp, expm1, log, log1p
from typing import Any

from domain_ner.errors import DomainNerError

AUTO = "auto"
VITERBI, MARGINAL = "viterbi", "marginal"
# Nothing is more certain than float32 can tell: a confidence is always below 1.
CERTAIN = -(2.0**-24)
# Spans less probable than this are not looked for, unless a threshold below it asks for them.
MIN_PROBABLE = 0.01
# Of weights by rarity: a type of a handful of mentions must not drown the rest.
MAX_WEIGHT = 4.0
# Keys that spaCy's config files keep as they are: no `=` or `:`, and none that begins like a comment, a section or the
# name of a registered function.
PLAIN_KEY = re.compile(r"[^\s=:\[#;@*$][^\n=:$]*(?<!\s)")
# Values by label: where a config cannot hold a label as a key, pairs of label and value.
ByLabel = dict[str, float] | list[Any]


@dataclass(frozen=True)
class Settings:
    """The settings of `crf_ner`, as in its config.

    min_confidence: below it an entity is not reported; for all types, or by type.
    temperature: scores are divided by it before they become probabilities; type_temperatures: what the log-odds of a
    span of the type are divided by after that.
    n_candidates: of how many other spans over a token the most probable ones are told.
    decoding: `viterbi`, the entities of the best path; or `marginal`, of all probable spans those that are furthest
    above min_confidence together.
    type_weights: how much a missed entity of a type weighs in training; `auto`: the rarer, the more.
    """

    min_confidence: float | Mapping[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    type_temperatures: Mapping[str, float] = field(default_factory=dict)
    n_candidates: int = 0
    decoding: str = VITERBI
    type_weights: str | Mapping[str, float] = field(default_factory=dict)

    @property
    def is_marginal(self) -> bool:
        """Whether spans are chosen each by its own probability."""
        return self.decoding == MARGINAL

    @property
    def needs_probable(self) -> bool:
        """Whether more spans than those of the best path are looked at."""
        return self.is_marginal or self.n_candidates > 0

    @property
    def has_threshold(self) -> bool:
        """Whether an entity of the best path can fail to be reported."""
        return self.is_marginal or self.min_confidence not in (0, {})

    def threshold(self, label: str) -> float:
        """The least confidence, in 0..1, to report an entity of the type; unless set 0, or 0.5 with `marginal`."""
        least = self.min_confidence
        return least.get(label, 0.5 if self.is_marginal else 0.0) if isinstance(least, Mapping) else least

    def confidence(self, log_prob: float, label: str) -> float:
        """The calibrated probability of a span, below 1, from the log of its probability under the model.

        Temperature scaling (Guo et al. 2017) of its log-odds; a temperature of 1 leaves it as it is.
        """
        temperature = self.type_temperatures.get(label, 1.0)
        if temperature == 1.0:
            return exp(min(log_prob, CERTAIN))
        odds = log_odds(log_prob) / temperature
        return min(1 / (1 + exp(-odds)), exp(CERTAIN)) if odds >= 0 else exp(odds) / (1 + exp(odds))

    def floor(self, label: str) -> float:
        """The log of the least probability under the model with which a span of the type is looked for.

        Of `MIN_PROBABLE`, or of the type's threshold where that is less, after calibration.
        """
        threshold = self.threshold(label)
        least = threshold if self.is_marginal and 0 < threshold < MIN_PROBABLE else MIN_PROBABLE
        odds = (log(least) - log1p(-least)) * self.type_temperatures.get(label, 1.0)
        return odds - log1p(exp(odds))

    def check(self, name: str, labels: Collection[str]) -> None:
        """Raise DomainNerError for values out of their range, and for types that are not among `labels`.

        name: of the component. labels: those of the recogniser; none while it has none yet.
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
                        f"{setting} of {name} is given for {label!r}; it knows the types {', '.join(sorted(labels))}."
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
    """Values by label as a config keeps them, whatever the labels are."""
    is_plain = all(PLAIN_KEY.fullmatch(label) for label in values)
    return dict(values) if is_plain else list(values.items())


def log_odds(log_prob: float) -> float:
    """log(p / (1 - p)) from log p."""
    certain = min(log_prob, CERTAIN)
    return certain - log(-expm1(certain))


def rarity_weights(counts: Mapping[str, int]) -> dict[str, float]:
    """A weight of at least 1 for each type: the root of how much rarer it is than the most frequent one."""
    most = max(counts.values(), default=0)
    return {label: min(MAX_WEIGHT, (most / count) ** 0.5) for label, count in counts.items() if count}
