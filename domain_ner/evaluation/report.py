"""Builds the report of an evaluation.

Decides what the report says; draws and prints nothing.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from spacy.tokens import Doc

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.docs import entities, spans_or_entities
from domain_ner.corpus.grouping import value_name
from domain_ner.evaluation.confidence import certainty, histogram
from domain_ner.evaluation.predicting import FLOOR_F1, TARGET_F1, EvaluatedDoc
from domain_ner.evaluation.review import review_task
from domain_ner.evaluation.robustness import Robustness
from domain_ner.evaluation.schema import (
    Report,
    ShownMistake,
    Tip,
)
from domain_ner.evaluation.sections import (
    by_confidence,
    confusion_table,
    count_entities,
    count_mistakes,
    evaluation_row,
    grouped,
    headline,
    scheme_score,
    shapes,
    shown_mistake,
    slice_score,
    source,
    split_score,
    varied,
)
from domain_ner.metrics.advice import NOT_BY_ANNOTATIONS, Advice, Hybrid, TypeFacts, advise
from domain_ner.metrics.calibration import ScoredSpan
from domain_ner.metrics.mistakes import find_mistakes
from domain_ner.metrics.schemes import SCHEMES
from domain_ner.metrics.scores import Score, Scores, score_entities
from domain_ner.metrics.slices import (
    SEEN,
    UNSEEN,
    Diversity,
    Occurrence,
    Surfaces,
    diversity,
    position_attributes,
    slices,
    surface_attributes,
    window_distance,
)

# Keys of the passages' `meta` with more values than this are not used for slices.
MAX_GROUPS = 60
QUEUES = "queues"
# The name of the main test set among the splits and the other test sets.
TEST_SET = "test"
SLUG = re.compile(r"[^\w.-]+")
# In each review task: corrections that only follow the pipeline's mistakes would raise its score too much.
TEST_NOTE = (
    "A test passage: read it. If you correct it, correct every annotation, not only those in the model's favour."
)
# Passages per piece of advice.
MAX_PASSAGES = 50


@dataclass(frozen=True)
class Measured:
    """The measurements for a report.

    pipeline: its name and version. docs, judged: of the test set. uncalibrated: as `judged`, before calibration.
    test_set: its name, such as its path. evaluated_on: the date.
    train: the training documents, to separate seen from unseen names. mentions: split to (surface, type) of entities.
    others: split to evaluated documents, besides the test set. test_sets: name to those of other test sets.
    can_nest: entities are `doc.spans["sc"]`, not `doc.ents`. group_by: the key that names the group of a passage;
    groups: the group of each of `docs`. least: type to the minimum confidence of reported entities.
    outcomes: number of annotations in the exports for the test set, by outcome. log: rows of training.jsonl.
    hybrids: type to what a language model brings, if that was measured.
    """

    pipeline: str
    docs: Sequence[EvaluatedDoc]
    judged: Sequence[ScoredSpan] = ()
    uncalibrated: Sequence[ScoredSpan] = ()
    train: Sequence[Doc] = ()
    mentions: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    others: Mapping[str, Sequence[EvaluatedDoc]] = field(default_factory=dict)
    test_sets: Mapping[str, Sequence[EvaluatedDoc]] = field(default_factory=dict)
    can_nest: bool = False
    group_by: str = ""
    groups: Sequence[str] = ()
    least: Mapping[str, float] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    robustness: Robustness | None = None
    log: Sequence[Mapping[str, Any]] = ()
    hybrids: Mapping[str, Hybrid] = field(default_factory=dict)
    test_set: str = TEST_SET
    evaluated_on: date = field(default_factory=date.today)


def trained_surfaces(docs: Iterable[Doc], *, can_nest: bool = False) -> Surfaces:
    """Collect the surfaces of a training split. can_nest: of `doc.spans["sc"]`, not of `doc.ents`."""
    surfaces = Surfaces()
    for surface, label in mentions(docs, can_nest=can_nest):
        surfaces.add(surface, label)
    return surfaces


def mentions(docs: Iterable[Doc], *, can_nest: bool = False) -> list[tuple[str, str]]:
    """List surface and type of every entity. can_nest: of `doc.spans["sc"]`, not of `doc.ents`."""
    read = spans_or_entities if can_nest else entities
    return [(doc.text[start:end], label) for doc in docs for start, end, label in sorted(read(doc))]


def make_report(measured: Measured) -> Report:
    """Build the report of an evaluation."""
    docs = measured.docs
    pairs = [(doc.gold, doc.predicted) for doc in docs]
    scores = score_entities(pairs)
    in_docs = [(doc, mistake) for doc in docs for mistake in find_mistakes(doc.gold, doc.predicted)]
    mistakes = [mistake for _, mistake in in_docs]
    trained = mentions(measured.train, can_nest=measured.can_nest)
    all_occurrences = list(occurrences(docs, trained_surfaces(measured.train, can_nest=measured.can_nest)))
    shown_mistakes = sorted((shown_mistake(doc, mistake) for doc, mistake in in_docs), key=by_confidence)
    counts = count_mistakes(mistakes)
    confused = confusion_table(docs, mistakes, list(scores.by_type))
    support = {label: score.support for label, score in scores.by_type.items()}
    facts = [
        replace(one, hybrid=measured.hybrids.get(one.label))
        for one in _facts(scores, all_occurrences, counts, confused, diversity(trained) if measured.train else None)
    ]
    return Report(
        pipeline=measured.pipeline,
        date=measured.evaluated_on.isoformat(),
        test_set=measured.test_set,
        labels=list(scores.by_type),
        headline=headline(docs, scores),
        grouped=grouped(docs, measured.groups, measured.group_by) if measured.group_by else None,
        schemes={name: scheme_score(pairs, name) for name in SCHEMES},
        advice=[_tip(advice, shown_mistakes) for advice in _advice(facts)],
        mistake_counts=counts,
        mistake_entities=count_entities(mistakes),
        mistakes=shown_mistakes,
        confusion=confused,
        slices={
            attribute: [slice_score(value, score) for value, score in values.items()]
            for attribute, values in slices(all_occurrences).items()
        },
        confidence=histogram(docs),
        diversity={split: varied(diversity(pairs)) for split, pairs in measured.mentions.items()},
        splits={split: split_score(members) for split, members in {**measured.others, TEST_SET: docs}.items()},
        test_sets={name: headline(members, _scores(members)) for name, members in measured.test_sets.items()},
        source=source(measured.outcomes, scores.micro.n_correct) if measured.outcomes else None,
        certainty=certainty(measured.judged, measured.uncalibrated, support, measured.least),
        robustness=shapes(measured.robustness) if measured.robustness else None,
        training=[evaluation_row(row) for row in measured.log],
    )


def _scores(docs: Sequence[EvaluatedDoc]) -> Scores:
    return score_entities((doc.gold, doc.predicted) for doc in docs)


def queue_names(report: Report) -> Report:
    """Name the review tasks of each piece of advice that its passages can carry out, in a copy of the report."""

    def name(n: int, tip: Tip) -> str:
        words = SLUG.sub("-", f"{tip.rule} {tip.label} {tip.other}".strip())
        return f"{QUEUES}/{n:02d}-{words}" if tip.passages and tip.rule not in NOT_BY_ANNOTATIONS else ""

    tips = [tip.model_copy(update={"queue": name(n, tip)}) for n, tip in enumerate(report.advice, start=1)]
    return report.model_copy(update={"advice": tips})


def queue_tasks(tip: Tip, by_source: Mapping[str, tuple[Doc, EvaluatedDoc]]) -> list[Passage]:
    """Make review tasks of the passages of a piece of advice, with the predictions as suggestions, and TEST_NOTE.

    by_source: source to (gold document, evaluated document).
    """
    chosen = (by_source[source] for source in tip.passages)
    return [review_task(gold, doc.predicted, [f"{tip.label}: {tip.what}", TEST_NOTE]) for gold, doc in chosen]


def occurrences(docs: Iterable[EvaluatedDoc], trained: Surfaces) -> Iterable[Occurrence]:
    """Yield every entity of gold and prediction with the values for slices: its attributes and its passage's `meta`."""
    docs = list(docs)
    groups, has_cuts = _groups(docs), any(doc.cuts for doc in docs)
    for doc in docs:
        known = {key: doc.meta[key] for key in groups if doc.meta.get(key) not in (None, "")}
        of_passage = {f"meta: {key}": value_name(value) for key, value in known.items()}
        starts, ends = [start for start, _ in doc.tokens], [end for _, end in doc.tokens]
        gold, predicted = set(doc.gold), set(doc.predicted)
        for entity in sorted(gold | predicted):
            start, end, label = entity
            first, last = bisect_right(ends, start), bisect_left(starts, end)
            place = position_attributes(first=first, n_entity_tokens=last - first, n_tokens=len(starts))
            window = {"window": window_distance(first, last, doc.cuts)} if has_cuts else {}
            attributes = surface_attributes(doc.text[start:end], label, trained) | place | window | of_passage
            yield Occurrence(label, entity in gold, entity in predicted, attributes)


def _groups(docs: Sequence[EvaluatedDoc]) -> list[str]:
    """Find the keys of `meta` that divide the passages into few groups, but more than one."""
    values: dict[str, set[str]] = {}
    for doc in docs:
        for key, value in doc.meta.items():
            is_whole = isinstance(value, float) and value.is_integer()
            if (isinstance(value, str | int | bool) or is_whole) and value != "":
                values.setdefault(key, set()).add(value_name(value))
    limit = min(MAX_GROUPS, len(docs) / 2)
    return sorted(key for key, names in values.items() if 1 < len(names) <= limit)


def _facts(
    scores: Scores,
    all_occurrences: Sequence[Occurrence],
    counts: Mapping[str, Mapping[str, int]],
    confused: Mapping[str, Mapping[str, int]],
    trained: Mapping[str, Diversity] | None,
) -> list[TypeFacts]:
    """Collect the facts that advice is based on, by type. trained: the mentions in training; None if unknown."""
    facts = []
    for label, score in scores.by_type.items():
        own = slices(entity for entity in all_occurrences if entity.label == label).get("surface", {})
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
    """Yield the advice for all types, those with most mistakes first; advice on a pair of types once."""
    given = set()
    ranked = sorted(facts, key=lambda of_type: -sum(of_type.mistakes.values()))
    for advice in (advice for of_type in ranked for advice in advise(of_type, target=TARGET_F1, floor=FLOOR_F1)):
        if (advice.rule, advice.other, advice.label) not in given:
            yield advice
        if advice.other:
            given.add((advice.rule, advice.label, advice.other))


def _tip(advice: Advice, mistakes: Iterable[ShownMistake]) -> Tip:
    wanted = {advice.label, advice.other} - {""}
    matching = (
        mistake.source for mistake in mistakes if mistake.kind in advice.kinds and wanted <= set(mistake.labels)
    )
    passages = list(dict.fromkeys(matching))[:MAX_PASSAGES]
    return Tip(**asdict(advice) | {"kinds": list(advice.kinds), "passages": passages})
