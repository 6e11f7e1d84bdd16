"""Whether a guide allows a span: its label, the rules of its type, and the surfaces that are never annotated."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.errors import did_you_mean
from domain_ner.guide.rules import Fault, check_span
from domain_ner.guide.schema import Guide, Rules

UNKNOWN_LABEL, NOT_AN_ENTITY = "unknown label", "not an entity"


@dataclass(frozen=True)
class SpanRules:
    """The rules for single spans. rules: by label. reasons: why a surface is never annotated, by it in lower case."""

    rules: Mapping[str, Rules]
    reasons: Mapping[str, str]

    @classmethod
    def of(cls, guide: Guide) -> "SpanRules":
        """Take the rules of a guide."""
        return cls(
            {entity_type.label: entity_type.rules for entity_type in guide.types},
            {surface.lower(): entry.why for entry in guide.not_entities for surface in entry.surfaces},
        )

    def faults(self, text: str, span: LabelledSpan) -> Iterator[Fault]:
        """Find what is wrong with a span of a text; nothing if the guide allows it."""
        surface = text[span.start : span.end]
        if span.label not in self.rules:
            near = did_you_mean(span.label, self.rules)
            expected = f"expected one of {', '.join(self.rules)}{near and f'; {near}'}"
            yield UNKNOWN_LABEL, f"{span.label!r} on {surface!r}; {expected}"
            return
        yield from check_span(text, span, self.rules[span.label])
        if surface.lower() in self.reasons:
            why = self.reasons[surface.lower()]
            yield NOT_AN_ENTITY, f"{surface!r} is marked {span.label}; the guide says: {why}"

    def may_nest(self, label: str) -> bool:
        """Whether a span of a type may be inside another."""
        return label in self.rules and self.rules[label].nesting


def apart(
    spans: Iterable[LabelledSpan], rules: SpanRules, rank: Callable[[LabelledSpan], float] = lambda span: 0.0
) -> list[LabelledSpan]:
    """Select spans that do not overlap: those of the highest rank, then the longest, then the first.

    A span whose type may nest stays inside a longer one; two spans that cross never stay.
    Returns them sorted.
    """
    ordered = sorted(set(spans), key=lambda span: (-rank(span), span.start - span.end, span))
    covered = bytearray(max((span.end for span in ordered), default=0))
    can_nest = any(map(rules.may_nest, {span.label for span in ordered}))
    taken: list[LabelledSpan] = []
    for span in ordered:
        is_free = not any(covered[span.start : span.end])
        if is_free or (can_nest and not any(_clash(span, other, rules) for other in taken)):
            taken.append(span)
            covered[span.start : span.end] = b"\1" * (span.end - span.start)
    return sorted(taken)


def _clash(first: LabelledSpan, second: LabelledSpan, rules: SpanRules) -> bool:
    if first.end <= second.start or second.end <= first.start:
        return False
    inner, outer = sorted((first, second), key=lambda span: span.end - span.start)
    is_inside = outer.start <= inner.start and inner.end <= outer.end
    is_same = (inner.start, inner.end) == (outer.start, outer.end)
    return is_same or not (is_inside and rules.may_nest(inner.label))
