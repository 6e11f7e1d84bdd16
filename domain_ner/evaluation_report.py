"""Everything an evaluation says, as plain data: the shape of `training/reports/evaluation.json`.

Decides what is told; draws and prints nothing.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from spacy.tokens import Doc

from domain_ner.docs import entities
from domain_ner.evaluation import EvaluatedDoc, verdict
from domain_ner.metrics.mistakes import KINDS, NOTHING, Mistake, confusion, find_mistakes
from domain_ner.metrics.resampling import Interval, count, intervals
from domain_ner.metrics.schemes import SCHEMES, match
from domain_ner.metrics.traits import (
    Diversity,
    Occurrence,
    Surfaces,
    diversity,
    entity_traits,
    place_traits,
    slices,
)
from domain_ner.scores import Entity, Score, Scores, score_entities

Share = Annotated[float, Field(ge=0, le=1)]
CONTEXT = 90
# A key of the passages' `meta` with more values than this is no group to slice by.
MAX_GROUPS = 60
N_HISTOGRAM = 20
SURE = 0.99


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Part):
    """A score and its 95 % interval, by bootstrap over documents; null: there is too little to tell."""

    value: Share
    low: Share | None
    high: Share | None


class TypeScore(_Part):
    """Exact matches of one type, or of all. support: entities in gold. verdict: against the target, of types."""

    precision: Figure
    recall: Figure
    f1: Figure
    n_correct: int
    n_predicted: int
    support: int
    verdict: str = ""


class MacroScore(_Part):
    """The mean over the types that gold has."""

    precision: Figure
    recall: Figure
    f1: Figure


class Headline(_Part):
    """Scores of one test set."""

    n_passages: int
    micro: TypeScore
    macro: MacroScore
    by_type: dict[str, TypeScore]


class SchemeScore(_Part):
    """What is right where something is forgiven; meaning: what. As SemEval-2013 task 9 counts."""

    meaning: str
    precision: Share
    recall: Share
    f1: Share
    n_correct: int
    n_incorrect: int
    n_partial: int
    n_missed: int
    n_spurious: int


class Marked(_Part):
    """An entity within a shown stretch of text, in characters of it. confidence: of a predicted one that has any."""

    start: int
    end: int
    label: str
    confidence: Share | None = None


class ShownMistake(_Part):
    """Gold and predicted entities that belong together and differ, with the text around them.

    start, end: of the mistake in the passage, in characters; offset: where the shown text begins there.
    """

    kind: str
    labels: list[str]
    source: str
    start: int
    end: int
    offset: int
    text: str
    gold: list[Marked]
    predicted: list[Marked]
    confidence: Share | None


class Slice(_Part):
    """The score of the entities that share a trait."""

    value: str
    precision: Share
    recall: Share
    f1: Share
    n_correct: int
    n_predicted: int
    support: int


class Histogram(_Part):
    """How many predictions have a confidence in each of as many equal bins of 0..1; share_sure: at 0.99 or above."""

    correct: list[int]
    wrong: list[int]
    share_sure: Share
    share_sure_wrong: Share


class Varied(_Part):
    """How varied the mentions of a type are in a split. n_once: surfaces with one mention. top: the commonest."""

    n_mentions: int
    n_surfaces: int
    n_once: int
    top: str
    n_top: int


class Report(_Part):
    """An evaluation. Figures are shares in 0..1.

    mistake_counts: kind to type to how many; one with entities of two types counts for both.
    confusion: gold type to predicted type to how many; the empty name is "no entity". Entities that overlap count as
        found, so that boundaries play no part.
    slices: trait to scores of its values. diversity: split to type to figures.
    """

    version: int = 1
    pipeline: str
    labels: list[str]
    headline: Headline
    schemes: dict[str, SchemeScore]
    mistake_counts: dict[str, dict[str, int]]
    mistakes: list[ShownMistake]
    confusion: dict[str, dict[str, int]]
    slices: dict[str, list[Slice]]
    confidence: Histogram | None
    diversity: dict[str, dict[str, Varied]]


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


def make_report(
    docs: Sequence[EvaluatedDoc], *, pipeline: str, train: Sequence[Doc], mentions_of: Mapping[str, Iterable[Any]]
) -> Report:
    """Put an evaluation together.

    docs: of the test set. pipeline: its name and version. train: the documents it learned, to tell what is seen and
    unseen. mentions_of: split to (surface, type) of its entities.
    """
    pairs = [(doc.gold, doc.predicted) for doc in docs]
    scores = score_entities(pairs)
    mistakes = [(doc, one) for doc in docs for one in find_mistakes(doc.gold, doc.predicted)]
    found = list(occurrences(docs, trained_surfaces(train)))
    return Report(
        pipeline=pipeline,
        labels=list(scores.by_type),
        headline=headline(docs, scores),
        schemes={name: _scheme(pairs, name) for name in SCHEMES},
        mistake_counts=count_mistakes(one for _, one in mistakes),
        mistakes=sorted((_shown(*one) for one in mistakes), key=_by_confidence),
        confusion=_confusion(docs, [one for _, one in mistakes], list(scores.by_type)),
        slices={trait: [_slice(*one) for one in values.items()] for trait, values in slices(found).items()},
        confidence=_histogram(docs),
        diversity={split: _varied(diversity(some)) for split, some in mentions_of.items()},
    )


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
