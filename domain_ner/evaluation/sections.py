"""The parts of an evaluation's report, from what was found to the shape of evaluation.json."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from domain_ner.evaluation.confidence import entropy, histogram, share
from domain_ner.evaluation.predicting import EvaluatedDoc, count_meant, verdict
from domain_ner.evaluation.robustness import Perturbed, Robustness
from domain_ner.evaluation.schema import (
    Evaluation,
    Figure,
    Grouped,
    Headline,
    KindCount,
    MacroScore,
    Marked,
    SchemeScore,
    Shape,
    Shapes,
    ShownMistake,
    Slice,
    Source,
    SplitScore,
    TypeScore,
    Varied,
)
from domain_ner.metrics.mistakes import KINDS, NOTHING, Mistake, confusion
from domain_ner.metrics.perturbations import DESCRIPTIONS
from domain_ner.metrics.resampling import Interval, between_groups, count, intervals
from domain_ner.metrics.schemes import SCHEMES, match
from domain_ner.metrics.scores import Entity, Score, Scores, score_entities
from domain_ner.metrics.slices import (
    Diversity,
)

CONTEXT = 90


def headline(docs: Sequence[EvaluatedDoc], scores: Scores) -> Headline:
    """Scores with intervals."""
    labels = list(scores.by_type)
    sure = intervals(count(((doc.gold, doc.predicted) for doc in docs), labels))
    values = (scores.macro_precision, scores.macro_recall, scores.macro_f1)
    names = ("precision", "recall", "f1")
    return Headline(
        n_passages=len(docs),
        micro=_type_score(scores.micro, sure.micro),
        macro=MacroScore(**{name: _figure(value, sure.macro[name]) for name, value in zip(names, values, strict=True)}),
        by_type={
            label: _type_score(score, sure.by_type[label], verdict=verdict(score))
            for label, score in scores.by_type.items()
        },
    )


def grouped(docs: Sequence[EvaluatedDoc], groups: Sequence[str], key: str) -> Grouped | None:
    """Micro F1 on passages of another group; None where there are too few.

    groups: of each document. key: what names them.
    """
    labels = sorted({one[2] for doc in docs for one in (*doc.gold, *doc.predicted)})
    found = between_groups(count(((doc.gold, doc.predicted) for doc in docs), labels), groups)
    return Grouped(key=key, n_groups=len(set(groups)), low=found.low, high=found.high) if found else None


def count_mistakes(mistakes: Iterable[Mistake]) -> dict[str, dict[str, int]]:
    """Kind to type to how many, each mistake once; kinds and types that do not occur are left out."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for one in mistakes:
        counts[one.kind][one.label] += 1
    return {kind: dict(sorted(of_kind.items())) for kind, of_kind in counts.items() if of_kind}


def count_entities(mistakes: Sequence[Mistake]) -> dict[str, KindCount]:
    """Kind to its mistakes and to the entities in them; kinds that do not occur are left out."""
    by_kind = {kind: [one for one in mistakes if one.kind == kind] for kind in KINDS}
    return {
        kind: KindCount(
            n_mistakes=len(some),
            n_false_negatives=sum(len(one.gold) for one in some),
            n_false_positives=sum(len(one.predicted) for one in some),
        )
        for kind, some in by_kind.items()
        if some
    }


def confusion_table(
    docs: Sequence[EvaluatedDoc], mistakes: Sequence[Mistake], labels: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Gold type to predicted type to how many, for every pair of types."""
    right = [one for doc in docs for one in set(doc.gold) & set(doc.predicted)]
    counts = confusion(mistakes, right)
    names = [*labels, NOTHING]
    return {
        gold: {found: counts[gold, found] for found in names if (gold, found) != (NOTHING, NOTHING)} for gold in names
    }


def shown_mistake(doc: EvaluatedDoc, mistake: Mistake) -> ShownMistake:
    """A mistake with the text around it."""
    offset, end = context(doc.text, mistake.start, mistake.end)
    confidences = [doc.confidences[one] for one in mistake.predicted if one in doc.confidences]

    def marked(one: Entity) -> Marked:
        return Marked(
            start=one[0] - offset, end=one[1] - offset, label=one[2], confidence=share(doc.confidences.get(one))
        )

    return ShownMistake(
        kind=mistake.kind,
        label=mistake.label,
        labels=list(mistake.labels),
        source=doc.source,
        start=mistake.start,
        end=mistake.end,
        offset=offset,
        text=doc.text[offset:end],
        tokens=[(first - offset, last - offset) for first, last in doc.tokens if offset <= first and last <= end],
        gold=[marked(one) for one in mistake.gold],
        predicted=[marked(one) for one in mistake.predicted],
        confidence=share(max(confidences, default=None)),
    )


def context(text: str, start: int, end: int) -> tuple[int, int]:
    """Start and end of a stretch of text around another, from a space to a space."""
    low, high = max(0, start - CONTEXT), min(len(text), end + CONTEXT)
    if low:
        low = max(text.find(" ", low, start) + 1, low)
    if high < len(text):
        edge = text.rfind(" ", end, high)
        high = edge if edge > 0 else high
    return low, high


def by_confidence(one: ShownMistake) -> tuple[float, str, int]:
    """Confident mistakes first, then those without confidence."""
    return (-(one.confidence or 0.0), one.source, one.start)


def split_score(docs: Sequence[EvaluatedDoc]) -> SplitScore:
    """F1 on the documents of a split."""
    scores = score_entities((doc.gold, doc.predicted) for doc in docs)
    found = histogram(docs)
    return SplitScore(
        n_passages=len(docs),
        f1=headline(docs, scores).micro.f1,
        share_sure=found.share_sure if found else None,
        entropy=share(entropy([value for doc in docs for value in doc.confidences.values()])),
    )


def source(fates: Mapping[str, int], n_correct: int) -> Source:
    """What the exports hold. n_correct: entities that were found."""
    n_meant = count_meant(fates)
    return Source(n_annotations=n_meant, recall=min(1.0, n_correct / n_meant) if n_meant else 0.0, fates=dict(fates))


def shapes(found: Robustness) -> Shapes:
    """Robustness, as the report has it."""
    return Shapes(
        n_passages=found.n_passages,
        f1=found.baseline.micro.f1,
        by_type={label: score.f1 for label, score in found.baseline.by_type.items()},
        shapes=[_shape(one) for one in found.perturbed],
    )


def _shape(one: Perturbed) -> Shape:
    interval = one.difference.interval
    return Shape(
        name=one.name,
        meaning=DESCRIPTIONS[one.name],
        f1=one.scores.micro.f1,
        difference=one.difference.value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        p=one.difference.p,
        by_type={label: score.f1 for label, score in one.scores.by_type.items()},
    )


def evaluation_row(row: Mapping[str, Any]) -> Evaluation:
    """A row of training.jsonl, as the report has it."""
    losses = {name: loss if isfinite(loss) else None for name, loss in row["losses"].items()}
    f1 = min(1.0, max(0.0, row["score"] or 0.0))
    return Evaluation(epoch=row["epoch"] + 1, step=row["step"], f1=f1, losses=losses)


def varied(found: Mapping[str, Diversity]) -> dict[str, Varied]:
    """How varied the mentions are, by type, as the report has it."""
    return {
        label: Varied(
            n_mentions=one.n_mentions, n_surfaces=one.n_surfaces, n_once=one.n_once, top=one.top, n_top=one.n_top
        )
        for label, one in found.items()
    }


def scheme_score(pairs: Sequence[tuple[Sequence[Entity], Sequence[Entity]]], name: str) -> SchemeScore:
    """Scores under one scheme."""
    found = match(pairs, name)
    return SchemeScore(
        meaning=SCHEMES[name],
        precision=found.precision,
        recall=found.recall,
        f1=found.f1,
        n_correct=found.n_correct,
        n_incorrect=found.n_incorrect,
        n_partial=found.n_partial,
        n_missed=found.n_missed,
        n_spurious=found.n_spurious,
    )


def slice_score(value: str, score: Score) -> Slice:
    """The score of what has one value of a trait."""
    return Slice(
        value=value,
        precision=score.precision,
        recall=score.recall,
        f1=score.f1,
        n_correct=score.n_correct,
        n_predicted=score.n_predicted,
        support=score.support,
    )


def _type_score(score: Score, sure: Mapping[str, Interval | None], *, verdict: str = "") -> TypeScore:
    return TypeScore(
        precision=_figure(score.precision, sure["precision"]),
        recall=_figure(score.recall, sure["recall"]),
        f1=_figure(score.f1, sure["f1"]),
        n_correct=score.n_correct,
        n_predicted=score.n_predicted,
        support=score.support,
        verdict=verdict,
    )


def _figure(value: float, interval: Interval | None) -> Figure:
    if interval is None:
        return Figure(value=value, low=None, high=None)
    return Figure(value=value, low=max(0.0, interval.low), high=min(1.0, interval.high))
