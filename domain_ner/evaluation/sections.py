"""The parts of an evaluation's report, from what was found to the shape of evaluation.json."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import log2
from typing import Any

from domain_ner.calibration import Judged, calibration_error, chance_error, reliability, thresholds
from domain_ner.evaluation.predicting import EvaluatedDoc, count_meant, verdict
from domain_ner.evaluation.robustness import Perturbed, Robustness
from domain_ner.evaluation.schema import (
    Certainty,
    Evaluation,
    Figure,
    Headline,
    Histogram,
    MacroScore,
    Marked,
    Point,
    Reliability,
    ReliabilityBin,
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
from domain_ner.metrics.resampling import Interval, count, intervals
from domain_ner.metrics.schemes import SCHEMES, match
from domain_ner.metrics.traits import (
    Diversity,
)
from domain_ner.scores import Entity, Score, Scores, score_entities

CONTEXT = 90
N_HISTOGRAM = 20
SURE = 0.99
N_POINTS = 50


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


def count_mistakes(mistakes: Iterable[Mistake]) -> dict[str, dict[str, int]]:
    """Kind to type to how many; kinds and types that do not occur are left out."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for one in mistakes:
        counts[one.kind].update(one.labels)
    return {kind: dict(sorted(of_kind.items())) for kind, of_kind in counts.items() if of_kind}


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


def histogram(docs: Iterable[EvaluatedDoc]) -> Histogram | None:
    """None where no prediction has a confidence."""
    bins: dict[bool, list[int]] = {True: [0] * N_HISTOGRAM, False: [0] * N_HISTOGRAM}
    sure = Counter[bool]()
    for doc in docs:
        gold = set(doc.gold)
        for one in doc.predicted:
            confidence = doc.confidences.get(one)
            if confidence is not None:
                bins[one in gold][min(int(confidence * N_HISTOGRAM), N_HISTOGRAM - 1)] += 1
                sure[one in gold] += confidence >= SURE
    n_correct, n_wrong = sum(bins[True]), sum(bins[False])
    if not n_correct + n_wrong:
        return None
    return Histogram(
        correct=bins[True],
        wrong=bins[False],
        share_sure=sure.total() / (n_correct + n_wrong),
        share_sure_wrong=sure[False] / n_wrong if n_wrong else 0.0,
    )


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


def entropy(confidences: Sequence[float]) -> float | None:
    """Mean binary entropy, in bits; None of none."""
    if not confidences:
        return None
    inner = [one for one in confidences if 0 < one < 1]
    return -sum(p * log2(p) + (1 - p) * log2(1 - p) for p in inner) / len(confidences)


def source(fates: Mapping[str, int], n_correct: int) -> Source:
    """What the exports hold. n_correct: entities that were found."""
    n_meant = count_meant(fates)
    return Source(n_annotations=n_meant, recall=min(1.0, n_correct / n_meant) if n_meant else 0.0, fates=dict(fates))


def certainty(
    judged: Sequence[Judged], uncalibrated: Sequence[Judged], support: Mapping[str, int]
) -> dict[str, Certainty]:
    """Of all and by type; nothing where nothing is judged. support: gold entities by type."""
    found = {}
    for label in ["", *sorted({one.label for one in judged})] if judged else []:
        before, after = ([one for one in some if label in ("", one.label)] for some in (uncalibrated, judged))
        n_gold = support.get(label, 0) if label else sum(support.values())
        found[label] = Certainty(before=_reliability(before), after=_reliability(after), curve=_curve(after, n_gold))
    return found


def _reliability(judged: Sequence[Judged]) -> Reliability:
    return Reliability(
        ece=calibration_error(judged),
        ece_by_chance=chance_error(judged),
        bins=[ReliabilityBin(**asdict(one)) for one in reliability(judged)],
    )


def _curve(judged: Sequence[Judged], n_gold: int) -> list[Point]:
    """At most N_POINTS of the thresholds there are, the ends among them."""
    found = thresholds(judged, n_gold)[::-1]
    last = len(found) - 1
    places = sorted({round(n * last / (N_POINTS - 1)) for n in range(N_POINTS)}) if found else []
    return [
        Point(confidence=found[n].confidence, precision=found[n].precision, recall=min(1.0, found[n].recall))
        for n in places
    ]


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
    return Evaluation(
        epoch=row["epoch"] + 1, step=row["step"], f1=min(1.0, max(0.0, row["score"])), losses=row["losses"]
    )


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


def share(value: float | None) -> float | None:
    """A share of 0..1 in four digits, whatever rounding made of it."""
    return None if value is None else round(min(1.0, max(0.0, value)), 4)
