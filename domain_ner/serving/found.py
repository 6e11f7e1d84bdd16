"""What a text holds, as it travels from the process that predicts. Knows no spaCy."""

from dataclasses import dataclass, field

from domain_ner.monitoring.observations import Observation


@dataclass(frozen=True)
class Entity:
    """A found entity. start, end: code points. confidence: 0..1; None where the component gives none."""

    start: int
    end: int
    label: str
    confidence: float | None


@dataclass(frozen=True)
class Found:
    """What a text holds. error: the kind of the error of the component that failed, else empty.

    observed: its numbers, for the metrics.
    """

    entities: tuple[Entity, ...] = ()
    below_threshold: tuple[Entity, ...] = ()
    error: str = ""
    observed: Observation = field(default_factory=Observation)


def utf16_places(text: str) -> list[int] | None:
    """The UTF-16 unit at which each code point starts, and the length; None if both count the same."""
    if text.isascii() or max(text) <= "\uffff":
        return None
    places, at = [], 0
    for character in text:
        places.append(at)
        at += 1 + (character > "\uffff")
    return [*places, at]
