"""Judges a review: precision, recall and F1 of the population by type, contracts, and how much more to review."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain_ner.errors import DomainNerError
from domain_ner.metrics.contracts import Contract, level_each, require_labels
from domain_ner.metrics.design_based import Estimator
from domain_ner.metrics.resampling import LEVEL, SCORE_NAMES
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.metrics.stratified import Population, Reviewed
from domain_ner.reviewing.matching import Compared, Matched
from domain_ner.reviewing.review_schema import ContractReview, Measure, Review, StratumReview, TypeReview
from domain_ner.reviewing.sample_schema import Sample, Stratum, Totals

# Reviewed passages of each stratum, or all of a smaller one.
LEAST_REVIEWED = 2


@dataclass(frozen=True)
class JudgeSettings:
    """What to judge.

    contracts: to prove. confidence: of each proof, or, if is_joint, of all together (Bonferroni). width: the half-width
    of intervals that is narrow enough, 0..1.
    """

    contracts: Sequence[Contract] = ()
    confidence: float = 0.95
    is_joint: bool = False
    width: float = 0.05
    seed: int = 0


def judge(sample: Sample, matched: Matched, settings: JudgeSettings = JudgeSettings()) -> Review:
    """Estimate the scores of the whole population from its reviewed part.

    Raises DomainNerError for contracts on unknown types, and if too little is reviewed.
    """
    labels = sorted({*sample.labels, *(label for one in matched.compared for _, _, label in one.gold)})
    require_labels(settings.contracts, labels)
    _require_enough(sample, matched)
    estimators = {label: _estimator(sample, matched.compared, label, settings.seed) for label in (ALL_TYPES, *labels)}
    level = level_each(settings.confidence, len(settings.contracts)) if settings.is_joint else settings.confidence
    reviews = {
        label: _type_review(sample, matched.compared, label, estimator, settings.width)
        for label, estimator in estimators.items()
    }
    return Review(
        pipeline=sample.pipeline,
        is_blind=sample.is_blind,
        n_passages=sample.n_passages,
        n_drawn=len(sample.tasks),
        n_reviewed=len(matched.compared),
        n_after_gap=matched.n_after_gap,
        missing=matched.missing,
        incomplete=matched.incomplete,
        level=LEVEL,
        width=settings.width,
        overall=reviews.pop(ALL_TYPES),
        by_type=reviews,
        confidence=settings.confidence,
        is_joint=settings.is_joint,
        contracts=[_contract_review(one, estimators[one.label], level) for one in settings.contracts],
        strata=[
            StratumReview(
                name=stratum.name,
                n_passages=stratum.n_passages,
                n_drawn=stratum.n_drawn,
                n_reviewed=_n_in(matched.compared, number),
            )
            for number, stratum in enumerate(sample.strata)
        ],
    )


def _require_enough(sample: Sample, matched: Matched) -> None:
    """Without passages of a stratum, nothing is known of it."""
    wanted = {number: min(LEAST_REVIEWED, stratum.n_drawn) for number, stratum in enumerate(sample.strata)}
    if all(_n_in(matched.compared, number) >= least for number, least in wanted.items()):
        return
    n_enough, missing_of = 0, dict(wanted)
    while any(n > 0 for n in missing_of.values()):
        missing_of[sample.tasks[n_enough].stratum] -= 1
        n_enough += 1
    raise DomainNerError(
        f"{len(matched.compared)} tasks are reviewed without a gap; expected at least the first {n_enough} of "
        f"{len(sample.tasks)}, which have passages of each stratum.",
        f"The next one to review is task {matched.missing[0]}: {sample.tasks[matched.missing[0] - 1].id}",
    )


def _estimator(sample: Sample, compared: Sequence[Compared], label: str, seed: int) -> Estimator:
    totals = [_totals(stratum, label) for stratum in sample.strata]
    population = Population(
        np.array([stratum.n_passages for stratum in sample.strata]),
        np.array([one.n_passages_with for one in totals]),
        np.array([one.n_predicted for one in totals]),
    )
    strata = np.array([one.task.stratum for one in compared])
    return Estimator(population, Reviewed(strata, np.array([_counts(one, label) for one in compared])), seed=seed)


def _totals(stratum: Stratum, label: str) -> Totals:
    if label == ALL_TYPES:
        return stratum.all
    return stratum.by_type.get(label, Totals(n_passages_with=0, n_predicted=0))


def _counts(one: Compared, label: str) -> tuple[int, int, int]:
    """Count correct, predicted and gold entities of a type in a passage."""
    parts = (one.predicted & one.gold, one.predicted, one.gold)
    correct, predicted, gold = (sum(label in (ALL_TYPES, entity[2]) for entity in part) for part in parts)
    return correct, predicted, gold


def _n_in(compared: Sequence[Compared], stratum: int) -> int:
    return sum(one.task.stratum == stratum for one in compared)


def _type_review(
    sample: Sample, compared: Sequence[Compared], label: str, estimator: Estimator, width: float
) -> TypeReview:
    correct, predicted, gold = np.sum([_counts(one, label) for one in compared], axis=0).tolist()
    measures = {name: _measure(estimator, name, width) for name in SCORE_NAMES}
    n_predicted = sum(_totals(stratum, label).n_predicted for stratum in sample.strata)
    return TypeReview(n_predicted=n_predicted, n_reviewed=predicted, n_correct=correct, n_gold=gold, **measures)


def _measure(estimator: Estimator, name: str, width: float) -> Measure:
    def is_narrow(factor: float) -> bool:
        interval = estimator.estimates(factor=factor)[name].interval
        return interval.high - interval.low <= 2 * width

    found = estimator.estimates()[name]
    n_more = None if found.value is None else estimator.n_more(is_narrow)
    return Measure(value=found.value, low=found.interval.low, high=found.interval.high, n_more=n_more)


def _contract_review(contract: Contract, estimator: Estimator, confidence: float) -> ContractReview:
    def is_proven(factor: float) -> bool:
        return estimator.lower_bound(contract.measure, confidence, factor=factor) >= contract.least

    value, bound = estimator.estimates()[contract.measure].value, estimator.lower_bound(contract.measure, confidence)
    return ContractReview(
        contract=str(contract),
        label=contract.label,
        measure=contract.measure,
        least=contract.least,
        value=value,
        bound=bound,
        confidence=confidence,
        is_proven=bound >= contract.least,
        n_more=None if value is None or value < contract.least else estimator.n_more(is_proven),
    )
