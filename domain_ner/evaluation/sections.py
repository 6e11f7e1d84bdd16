"""Builds the parts of an evaluation's report, in the shape of evaluation.json."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from domain_ner.evaluation.confidence import entropy, histogram, share
from domain_ner.evaluation.predicting import EvaluatedDoc, count_intended, verdict
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
    """Compute the scores of a test set with intervals."""
    labels = list(scores.by_type)
    bounds = intervals(count(((doc.gold, doc.predicted) for doc in docs), labels))
    values = (scores.macro_precision, scores.macro_recall, scores.macro_f1)
    names = ("precision", "recall", "f1")
    macro = {name: _figure(value, bounds.macro[name]) for name, value in zip(names, values, strict=True)}
    return Headline(
        n_passages=len(docs),
        micro=_type_score(scores.micro, bounds.micro),
        macro=MacroScore(**macro),
        by_type={
            label: _type_score(score, bounds.by_type[label], verdict=verdict(score))
            for label, score in scores.by_type.items()
        },
    )


def grouped(docs: Sequence[EvaluatedDoc], groups: Sequence[str], key: str) -> Grouped | None:
    """Estimate micro F1 on passages of a new group; None if there are too few groups.

    groups: of each document. key: of `meta`, which names the groups.
    """
    labels = sorted({entity[2] for doc in docs for entity in (*doc.gold, *doc.predicted)})
    interval = between_groups(count(((doc.gold, doc.predicted) for doc in docs), labels), groups)
    return Grouped(key=key, n_groups=len(set(groups)), low=interval.low, high=interval.high) if interval else None


def count_mistakes(mistakes: Iterable[Mistake]) -> dict[str, dict[str, int]]:
    """Count mistakes by kind and type, without kinds and types that do not occur."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for mistake in mistakes:
        counts[mistake.kind][mistake.label] += 1
    return {kind: dict(sorted(of_kind.items())) for kind, of_kind in counts.items() if of_kind}


def count_entities(mistakes: Sequence[Mistake]) -> dict[str, KindCount]:
    """Count the mistakes of each kind and the entities in them, without kinds that do not occur."""
    by_kind = {kind: [mistake for mistake in mistakes if mistake.kind == kind] for kind in KINDS}
    return {
        kind: KindCount(
            n_mistakes=len(members),
            n_false_negatives=sum(len(mistake.gold) for mistake in members),
            n_false_positives=sum(len(mistake.predicted) for mistake in members),
        )
        for kind, members in by_kind.items()
        if members
    }


def confusion_table(
    docs: Sequence[EvaluatedDoc], mistakes: Sequence[Mistake], labels: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Count entities by gold type and predicted type, for every pair of types."""
    right = [entity for doc in docs for entity in set(doc.gold) & set(doc.predicted)]
    counts = confusion(mistakes, right)
    names = [*labels, NOTHING]
    return {
        gold: {predicted: counts[gold, predicted] for predicted in names if (gold, predicted) != (NOTHING, NOTHING)}
        for gold in names
    }


def shown_mistake(doc: EvaluatedDoc, mistake: Mistake) -> ShownMistake:
    """Convert a mistake, with an excerpt of the text around it."""
    offset, end = context(doc.text, mistake.start, mistake.end)
    confidences = [doc.confidences[entity] for entity in mistake.predicted if entity in doc.confidences]

    def marked(entity: Entity) -> Marked:
        start, end, label = entity
        confidence = share(doc.confidences.get(entity))
        return Marked(start=start - offset, end=end - offset, label=label, confidence=confidence)

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
        gold=[marked(entity) for entity in mistake.gold],
        predicted=[marked(entity) for entity in mistake.predicted],
        confidence=share(max(confidences, default=None)),
    )


def context(text: str, start: int, end: int) -> tuple[int, int]:
    """Return start and end of an excerpt around a stretch of text, extended to spaces."""
    low, high = max(0, start - CONTEXT), min(len(text), end + CONTEXT)
    if low:
        low = max(text.find(" ", low, start) + 1, low)
    if high < len(text):
        edge = text.rfind(" ", end, high)
        high = edge if edge > 0 else high
    return low, high


def by_confidence(mistake: ShownMistake) -> tuple[float, str, int]:
    """Sort key: confident mistakes first, those without confidence last."""
    return (-(mistake.confidence or 0.0), mistake.source, mistake.start)


def split_score(docs: Sequence[EvaluatedDoc]) -> SplitScore:
    """Compute F1 and the confidence statistics on the documents of a split."""
    scores = score_entities((doc.gold, doc.predicted) for doc in docs)
    counts = histogram(docs)
    return SplitScore(
        n_passages=len(docs),
        f1=headline(docs, scores).micro.f1,
        share_sure=counts.share_sure if counts else None,
        entropy=share(entropy([value for doc in docs for value in doc.confidences.values()])),
    )


def source(outcomes: Mapping[str, int], n_correct: int) -> Source:
    """Compute the recall against the exports. n_correct: number of entities that were found."""
    n_intended = count_intended(outcomes)
    recall = min(1.0, n_correct / n_intended) if n_intended else 0.0
    return Source(n_annotations=n_intended, recall=recall, fates=dict(outcomes))


def shapes(robustness: Robustness) -> Shapes:
    """Convert the robustness for the report."""
    return Shapes(
        n_passages=robustness.n_passages,
        f1=robustness.baseline.micro.f1,
        by_type={label: score.f1 for label, score in robustness.baseline.by_type.items()},
        shapes=[_shape(perturbed) for perturbed in robustness.perturbed],
    )


def _shape(perturbed: Perturbed) -> Shape:
    interval = perturbed.difference.interval
    return Shape(
        name=perturbed.name,
        meaning=DESCRIPTIONS[perturbed.name],
        f1=perturbed.scores.micro.f1,
        difference=perturbed.difference.value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        p=perturbed.difference.p,
        by_type={label: score.f1 for label, score in perturbed.scores.by_type.items()},
    )


def evaluation_row(row: Mapping[str, Any]) -> Evaluation:
    """Convert a row of training.jsonl for the report."""
    losses = {name: loss if isfinite(loss) else None for name, loss in row["losses"].items()}
    f1 = min(1.0, max(0.0, row["score"] or 0.0))
    return Evaluation(epoch=row["epoch"] + 1, step=row["step"], f1=f1, losses=losses)


def varied(by_type: Mapping[str, Diversity]) -> dict[str, Varied]:
    """Convert the diversity of the mentions by type for the report."""
    return {
        label: Varied(
            n_mentions=of_type.n_mentions,
            n_surfaces=of_type.n_surfaces,
            n_once=of_type.n_once,
            top=of_type.top,
            n_top=of_type.n_top,
        )
        for label, of_type in by_type.items()
    }


def scheme_score(pairs: Sequence[tuple[Sequence[Entity], Sequence[Entity]]], name: str) -> SchemeScore:
    """Compute the scores under a scheme."""
    score = match(pairs, name)
    return SchemeScore(
        meaning=SCHEMES[name],
        precision=score.precision,
        recall=score.recall,
        f1=score.f1,
        n_correct=score.n_correct,
        n_incorrect=score.n_incorrect,
        n_partial=score.n_partial,
        n_missed=score.n_missed,
        n_spurious=score.n_spurious,
    )


def slice_score(value: str, score: Score) -> Slice:
    """Convert the score of the entities with one value of an attribute."""
    return Slice(
        value=value,
        precision=score.precision,
        recall=score.recall,
        f1=score.f1,
        n_correct=score.n_correct,
        n_predicted=score.n_predicted,
        support=score.support,
    )


def _type_score(score: Score, bounds: Mapping[str, Interval | None], *, verdict: str = "") -> TypeScore:
    return TypeScore(
        precision=_figure(score.precision, bounds["precision"]),
        recall=_figure(score.recall, bounds["recall"]),
        f1=_figure(score.f1, bounds["f1"]),
        n_correct=score.n_correct,
        n_predicted=score.n_predicted,
        support=score.support,
        verdict=verdict,
    )


def _figure(value: float, interval: Interval | None) -> Figure:
    if interval is None:
        return Figure(value=value, low=None, high=None)
    return Figure(value=value, low=max(0.0, interval.low), high=min(1.0, interval.high))
