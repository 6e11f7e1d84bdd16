"""The settings of `llm_fallback`."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain_ner.errors import DomainNerError
from domain_ner.llm.session import LlmSettings

# The least confidence of what is reported, unless another is set.
LEAST = 0.5


@dataclass(frozen=True)
class Fallback:
    """When the language model is asked, and for what.

    llm: the model, its cache, and its limits. enabled: whether it is asked at all.
    types: the types it is asked for; empty: all. everywhere: ask for these types in each document, not only where the
    recogniser is unsure: for types that it hardly finds.
    low, high: the grey band of confidences, 0..1. A document is asked if it has a span of these types within it.
    min_confidence: of what is reported; for all types, or by type.
    """

    llm: LlmSettings
    enabled: bool = False
    types: tuple[str, ...] = ()
    everywhere: bool = False
    low: float = 0.1
    high: float = 0.9
    min_confidence: float | Mapping[str, float] = LEAST

    def is_asked_for(self, label: str) -> bool:
        """Whether the language model is asked for a type."""
        return not self.types or label in self.types

    def threshold(self, label: str) -> float:
        """The least confidence of a reported entity, 0..1."""
        least = self.min_confidence
        return least.get(label, LEAST) if isinstance(least, Mapping) else least

    def check(self, name: str) -> None:
        """Raise DomainNerError for settings that make no sense. name: of the component."""
        if not 0 <= self.low <= self.high <= 1:
            raise DomainNerError(
                f"low and high of {name} are {self.low} and {self.high}; expected 0 <= low <= high <= 1."
            )
        if self.everywhere and not self.types:
            raise DomainNerError(
                f"{name} asks everywhere, but for no type by name.", "Set types to those below their target."
            )
        given = self.min_confidence.values() if isinstance(self.min_confidence, Mapping) else [self.min_confidence]
        if not all(0 <= value <= 1 for value in given):
            raise DomainNerError(f"min_confidence of {name} is {self.min_confidence}; expected 0 to 1.")
        if self.enabled and not (self.llm.url and self.llm.model):
            raise DomainNerError(f"{name} is enabled without url and model.", "Set both, in the config or at load.")
