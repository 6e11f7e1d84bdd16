"""What a source of drafts proposes for a text, and what of it the guide allows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.guide.legality import SpanRules, apart
from domain_ner.guide.rules import reason_of
from domain_ner.llm.grounding import OVERLAP


@dataclass(frozen=True)
class Proposals:
    """Of one text. scores: of each span that the guide allows, 0..1; what it means, the source says.

    rejected: number of proposals that the guide does not allow, or that have no place, by reason.
    failed: why the source could not read the text; it then has no vote. problems: what failed beside that, by reason.
    """

    scores: Mapping[LabelledSpan, float] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    failed: str = ""
    problems: Counter[str] = field(default_factory=Counter)


class Source(Protocol):
    """Proposes spans. name: in tasks, in the record, and for its weight."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def propose(self, texts: Sequence[str]) -> Iterator[Proposals]:
        """Yield the proposals for each text, in order. A text that cannot be read has `failed`, and costs only itself.

        Raises DomainNerError when no text can be read.
        """


def screened(text: str, scores: Mapping[LabelledSpan, float], rules: SpanRules) -> Proposals:
    """Keep the spans that the guide allows; of those that overlap, the longest."""
    rejected: Counter[str] = Counter()
    legal: dict[LabelledSpan, float] = {}
    for span, score in scores.items():
        fault = next(rules.faults(text, span), None)
        if fault:
            rejected[reason_of(fault)] += 1
        else:
            legal[span] = score
    # Two labels of one name stay both: context decides, and people do.
    first: dict[tuple[int, int], LabelledSpan] = {}
    for span in sorted(legal, key=lambda span: -legal[span]):
        first.setdefault((span.start, span.end), span)
    places = {(span.start, span.end) for span in apart(first.values(), rules)}
    kept = {span: legal[span] for span in sorted(legal) if (span.start, span.end) in places}
    if len(kept) < len(legal):
        rejected[OVERLAP] += len(legal) - len(kept)
    return Proposals(kept, rejected)
