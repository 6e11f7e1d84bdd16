"""The vote of the sources on each span of a text, and how much they differ."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.drafting.proposals import Proposals
from domain_ner.guide.legality import SpanRules, apart


@dataclass(frozen=True)
class Voted:
    """The result for a text.

    scores: of the spans that are suggested, 0..1. proposed: of all spans that any source proposed.
    sources: who proposed each. disagreement: see `vote`. failed: by source, why it has no vote.
    """

    scores: Mapping[LabelledSpan, float]
    proposed: Mapping[LabelledSpan, float]
    sources: Mapping[LabelledSpan, tuple[str, ...]]
    disagreement: float
    failed: Mapping[str, str]


def vote(
    by_source: Mapping[str, Proposals], weights: Mapping[str, float], rules: SpanRules, *, min_score: float = 0.0
) -> Voted:
    """Score each proposed span, and select those that do not overlap.

    The score is the mean of the scores that the sources give the span, by their weights; a source that does not propose
    it gives 0. With sources that say yes or no, it is the weighted share that agrees. It is not calibrated. A source
    that failed for this text has no vote.
    The disagreement is the sum of 4·s·(1 − s) over all proposed spans: one half-half dispute counts 1, agreement 0.
    by_source: the proposals of each. min_score: spans below are not suggested, but count as disputed.
    """
    failed = {name: proposals.failed for name, proposals in by_source.items() if proposals.failed}
    voting = {name: proposals.scores for name, proposals in by_source.items() if name not in failed}
    total = sum(weights[name] for name in voting)
    sources = {
        span: tuple(name for name in voting if span in voting[name])
        for span in sorted({span for scores in voting.values() for span in scores})
    }
    proposed = {
        span: sum(weights[name] * voting[name][span] for name in names) / total for span, names in sources.items()
    }
    enough = [span for span, score in proposed.items() if score >= min_score]
    scores = {span: proposed[span] for span in apart(enough, rules, proposed.__getitem__)}
    disagreement = sum((4 * score * (1 - score) for score in proposed.values()), 0.0)
    return Voted(scores, proposed, sources, disagreement, failed)
