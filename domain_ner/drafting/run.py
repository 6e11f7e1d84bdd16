"""Drafts annotations of all passages: every source reads each text, and the texts that they dispute come first."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from domain_ner.drafting.proposals import Proposals, Source
from domain_ner.drafting.voting import Voted, vote
from domain_ner.guide.legality import SpanRules


@dataclass
class SourceCounts:
    """What a source did, in passages and spans.

    proposed: spans by label. rejected: proposals without a place, or against the guide, by reason.
    failed: passages that it could not read, by reason. problems: single calls that failed, by reason.
    seconds: for all passages.
    """

    n_read: int = 0
    proposed: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, proposals: Proposals, n_passages: int) -> None:
        """Count the proposals for a text that so many passages have."""
        self.rejected += proposals.rejected
        self.problems += proposals.problems
        if proposals.failed:
            self.failed[proposals.failed] += n_passages
        else:
            self.n_read += n_passages
            for span in proposals.scores:
                self.proposed[span.label] += n_passages


@dataclass(frozen=True)
class Drafted:
    """voted: for each passage, in the given order. order: numbers of the passages, the most disputed first."""

    voted: Sequence[Voted]
    order: Sequence[int]
    counts: Mapping[str, SourceCounts]


def draft(  # noqa: PLR0913
    texts: Sequence[str],
    sources: Sequence[Source],
    weights: Mapping[str, float],
    rules: SpanRules,
    *,
    min_score: float = 0.0,
    on_text: Mapping[str, Callable[[], None]] | None = None,
) -> Drafted:
    """Draft the annotations of passages. No passage is left out, whatever fails.

    texts: of the passages; those with the same text are read once. weights: by source. on_text: by source, called after
    each distinct text.
    The order is by disagreement, then by the lowest score; passages that a source failed for come before those that all
    read and agree on.
    Raises DomainNerError when a source can read no text.
    """
    copies = Counter(texts)
    distinct = list(copies)
    counts = {source.name: SourceCounts() for source in sources}
    by_text: dict[str, dict[str, Proposals]] = {text: {} for text in distinct}
    for source in sources:
        start_s = monotonic()
        advance = (on_text or {}).get(source.name, lambda: None)
        for text, proposals in zip(distinct, source.propose(distinct), strict=True):
            by_text[text][source.name] = proposals
            counts[source.name].add(proposals, copies[text])
            advance()
        counts[source.name].seconds = monotonic() - start_s
    results = {text: vote(by_source, weights, rules, min_score=min_score) for text, by_source in by_text.items()}
    voted = [results[text] for text in texts]
    return Drafted(voted, sorted(range(len(texts)), key=lambda number: (*_rank(voted[number]), number)), counts)


def _rank(voted: Voted) -> tuple[float, bool, float]:
    return -round(voted.disagreement, 9), not voted.failed, min(voted.scores.values(), default=1.0)
