"""Puts together everything an evaluation says.

Decides what is told; draws and prints nothing.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from spacy.tokens import Doc

from domain_ner.calibration import Judged, calibration_error, chance_error, reliability, thresholds
from domain_ner.docs import entities
from domain_ner.evaluation import FLOOR_F1, TARGET_F1, EvaluatedDoc, verdict
from domain_ner.evaluation_schema import (
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
    Report,
    SchemeScore,
    Shape,
    Shapes,
    ShownMistake,
    Slice,
    SplitScore,
    Tip,
    TypeScore,
    Varied,
)
from domain_ner.metrics.advice import Advice, TypeFacts, advise
from domain_ner.metrics.mistakes import KINDS, NOTHING, Mistake, confusion, find_mistakes
from domain_ner.metrics.perturbations import DESCRIPTIONS
from domain_ner.metrics.resampling import Interval, count, intervals
from domain_ner.metrics.schemes import SCHEMES, match
from domain_ner.metrics.traits import (
    SEEN,
    UNSEEN,
    Diversity,
    Occurrence,
    Surfaces,
    diversity,
    entity_traits,
    place_traits,
    slices,
)
from domain_ner.robustness import Perturbed, Robustness
from domain_ner.scores import Entity, Score, Scores, score_entities

CONTEXT = 90
# A key of the passages' `meta` with more values than this is no group to slice by.
MAX_GROUPS = 60
N_HISTOGRAM = 20
SURE = 0.99
N_POINTS = 50
# That an advice names.
MAX_PASSAGES = 50


@dataclass(frozen=True)
class Measured:
    """What a report is made of.

    pipeline: its name and version. docs, judged: of the test set. uncalibrated: judged, as before calibration.
    train: the documents it learned, to tell what is seen and unseen. mentions: split to (surface, type) of entities.
    others: split to evaluated documents, besides the test set. log: rows of training.jsonl.
    """

    pipeline: str
    docs: Sequence[EvaluatedDoc]
    judged: Sequence[Judged] = ()
    uncalibrated: Sequence[Judged] = ()
    train: Sequence[Doc] = ()
    mentions: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    others: Mapping[str, Sequence[EvaluatedDoc]] = field(default_factory=dict)
    robustness: Robustness | None = None
    log: Sequence[Mapping[str, Any]] = ()


def trained_surfaces(docs: Iterable[Doc]) -> Surfaces:
    """The surfaces of a training split."""
    surfaces = Surfaces()
    for doc in docs:
        for ent in doc.ents:
            surfaces.add(ent.text, ent.label_)
    return surfaces


def mentions(docs: Iterable[Doc]) -> list[tuple[str, str]]:
    """Surface and type of every entity."""
    return [(doc.text[start:end], label) for doc in docs for start, end, label in entities(doc)]


def make_report(measured: Measured) -> Report:
    """Put an evaluation together."""
    docs = measured.docs
    pairs = [(doc.gold, doc.predicted) for doc in docs]
    scores = score_entities(pairs)
    mistakes = [(doc, one) for doc in docs for one in find_mistakes(doc.gold, doc.predicted)]
    found = list(occurrences(docs, trained_surfaces(measured.train)))
    shown = sorted((_shown(*one) for one in mistakes), key=_by_confidence)
    counts = count_mistakes(one for _, one in mistakes)
    confused = _confusion(docs, [one for _, one in mistakes], list(scores.by_type))
    facts = _facts(scores, found, counts, confused, diversity(mentions(measured.train)) if measured.train else None)
    return Report(
        pipeline=measured.pipeline,
        labels=list(scores.by_type),
        headline=headline(docs, scores),
        schemes={name: _scheme(pairs, name) for name in SCHEMES},
        advice=[_tip(one, shown) for one in _advice(facts)],
        mistake_counts=counts,
        mistakes=shown,
        confusion=confused,
        slices={trait: [_slice(*one) for one in values.items()] for trait, values in slices(found).items()},
        confidence=_histogram(docs),
        diversity={split: _varied(diversity(some)) for split, some in measured.mentions.items()},
        splits={split: _split_score(some) for split, some in {**measured.others, "test": docs}.items()},
        certainty=_certainty(measured, {label: score.support for label, score in scores.by_type.items()}),
        robustness=_shapes(measured.robustness) if measured.robustness else None,
        training=[_evaluation(row) for row in measured.log],
    )


def _facts(
    scores: Scores,
    found: Sequence[Occurrence],
    counts: Mapping[str, Mapping[str, int]],
    confused: Mapping[str, Mapping[str, int]],
    trained: Mapping[str, Diversity] | None,
) -> list[TypeFacts]:
    """What advice rests on, by type. trained: the mentions in training; None where they are not known."""
    facts = []
    for label, score in scores.by_type.items():
        own = slices(one for one in found if one.label == label).get("surface", {})
        learned = None if trained is None else trained.get(label)
        others = {other: confused[label][other] + confused[other][label] for other in scores.by_type if other != label}
        facts.append(
            TypeFacts(
                label,
                score,
                own.get(SEEN, Score(0, 0, 0)),
                own.get(UNSEEN, Score(0, 0, 0)),
                None if trained is None else learned.n_mentions if learned else 0,
                learned.n_surfaces if learned else None,
                {kind: of_kind.get(label, 0) for kind, of_kind in counts.items()},
                others,
            )
        )
    return facts


def _advice(facts: Iterable[TypeFacts]) -> Iterator[Advice]:
    """The advice for all types; what concerns two of them is told once."""
    told = set()
    for one in (one for of_type in facts for one in advise(of_type, target=TARGET_F1, floor=FLOOR_F1)):
        if (one.rule, one.other, one.label) not in told:
            yield one
        if one.other:
            told.add((one.rule, one.label, one.other))


def _tip(advice: Advice, mistakes: Iterable[ShownMistake]) -> Tip:
    wanted = {advice.label, advice.other} - {""}
    showing = (one.source for one in mistakes if one.kind in advice.kinds and wanted <= set(one.labels))
    passages = list(dict.fromkeys(showing))[:MAX_PASSAGES]
    return Tip(**asdict(advice) | {"kinds": list(advice.kinds), "passages": passages})


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


def occurrences(docs: Iterable[EvaluatedDoc], trained: Surfaces) -> Iterable[Occurrence]:
    """Every entity of gold and prediction with what it is sliced by: its traits and its passage's `meta`."""
    docs = list(docs)
    groups = _groups(docs)
    for doc in docs:
        of_passage = {f"meta: {key}": str(doc.meta[key]) for key in groups if doc.meta.get(key) not in (None, "")}
        starts, ends = [start for start, _ in doc.tokens], [end for _, end in doc.tokens]
        gold, predicted = set(doc.gold), set(doc.predicted)
        for one in sorted(gold | predicted):
            start, end, label = one
            first, last = bisect_right(ends, start), bisect_left(starts, end)
            place = place_traits(first=first, n_entity_tokens=last - first, n_tokens=len(starts))
            traits = entity_traits(doc.text[start:end], label, trained) | place | of_passage
            yield Occurrence(label, one in gold, one in predicted, traits)


def _groups(docs: Sequence[EvaluatedDoc]) -> list[str]:
    """Keys of `meta` that put the passages into few groups, but more than one."""
    values: dict[str, set[str]] = {}
    for doc in docs:
        for key, value in doc.meta.items():
            if isinstance(value, str | int | bool) and value != "":
                values.setdefault(key, set()).add(str(value))
    limit = min(MAX_GROUPS, len(docs) / 2)
    return sorted(key for key, found in values.items() if 1 < len(found) <= limit)


def count_mistakes(mistakes: Iterable[Mistake]) -> dict[str, dict[str, int]]:
    """Kind to type to how many; kinds and types that do not occur are left out."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for one in mistakes:
        counts[one.kind].update(one.labels)
    return {kind: dict(sorted(of_kind.items())) for kind, of_kind in counts.items() if of_kind}


def _confusion(
    docs: Sequence[EvaluatedDoc], mistakes: Sequence[Mistake], labels: Sequence[str]
) -> dict[str, dict[str, int]]:
    right = [one for doc in docs for one in set(doc.gold) & set(doc.predicted)]
    counts = confusion(mistakes, right)
    names = [*labels, NOTHING]
    return {
        gold: {found: counts[gold, found] for found in names if (gold, found) != (NOTHING, NOTHING)} for gold in names
    }


def _shown(doc: EvaluatedDoc, mistake: Mistake) -> ShownMistake:
    offset, end = _context(doc.text, mistake.start, mistake.end)
    confidences = [doc.confidences[one] for one in mistake.predicted if one in doc.confidences]

    def marked(one: Entity) -> Marked:
        return Marked(
            start=one[0] - offset, end=one[1] - offset, label=one[2], confidence=_share(doc.confidences.get(one))
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
        confidence=_share(max(confidences, default=None)),
    )


def _context(text: str, start: int, end: int) -> tuple[int, int]:
    """A stretch of text around another, from a space to a space."""
    low, high = max(0, start - CONTEXT), min(len(text), end + CONTEXT)
    if low:
        low = max(text.find(" ", low, start) + 1, low)
    if high < len(text):
        edge = text.rfind(" ", end, high)
        high = edge if edge > 0 else high
    return low, high


def _by_confidence(one: ShownMistake) -> tuple[float, str, int]:
    """Confident mistakes first, then those without confidence."""
    return (-(one.confidence or 0.0), one.source, one.start)


def _histogram(docs: Iterable[EvaluatedDoc]) -> Histogram | None:
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


def _split_score(docs: Sequence[EvaluatedDoc]) -> SplitScore:
    scores = score_entities((doc.gold, doc.predicted) for doc in docs)
    histogram = _histogram(docs)
    return SplitScore(
        n_passages=len(docs),
        f1=headline(docs, scores).micro.f1,
        share_sure=histogram.share_sure if histogram else None,
    )


def _certainty(measured: Measured, support: Mapping[str, int]) -> dict[str, Certainty]:
    """Of all and by type."""
    found = {}
    for label in ["", *sorted({one.label for one in measured.judged})] if measured.judged else []:
        before, after = (
            [one for one in judged if label in ("", one.label)] for judged in (measured.uncalibrated, measured.judged)
        )
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


def _shapes(found: Robustness) -> Shapes:
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


def _evaluation(row: Mapping[str, Any]) -> Evaluation:
    return Evaluation(
        epoch=row["epoch"] + 1, step=row["step"], f1=min(1.0, max(0.0, row["score"])), losses=row["losses"]
    )


def _varied(found: Mapping[str, Diversity]) -> dict[str, Varied]:
    return {
        label: Varied(
            n_mentions=one.n_mentions, n_surfaces=one.n_surfaces, n_once=one.n_once, top=one.top, n_top=one.n_top
        )
        for label, one in found.items()
    }


def _scheme(pairs: Sequence[tuple[Sequence[Entity], Sequence[Entity]]], name: str) -> SchemeScore:
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


def _slice(value: str, score: Score) -> Slice:
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


def _share(value: float | None) -> float | None:
    return None if value is None else round(min(1.0, max(0.0, value)), 4)
