"""Puts a window beside the baseline: tests every statistic, estimates F1, names the passages behind a difference."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from domain_ner.metrics.drift import (
    N_PERMUTATIONS,
    Array,
    Distance,
    DriftSettings,
    Histogram,
    Tested,
    compare_documents,
    compare_sums,
    contributions,
)
from domain_ner.metrics.label_free import Estimate, estimate_f1
from domain_ner.monitoring.baseline import Baseline
from domain_ner.monitoring.features import (
    DOCUMENTS,
    EMPTY,
    MEAN_CONFIDENCE,
    Columns,
    Named,
    labels_of,
    measured,
    statistics,
)
from domain_ner.monitoring.report import EstimatedF1, Figures, Finding, Reviewed
from domain_ner.monitoring.reviews import ReviewedF1
from domain_ner.monitoring.windows import Sums, Window

# Ids of passages that are listed for a finding.
MAX_PASSAGES = 20
# Differences below these do not change the verdict: of a share or mean, relative to the baseline's; of a mean
# confidence; PSI; a distance in standard deviations.
SMALL_CHANGE, SMALL_CONFIDENCE, SMALL_PSI, SMALL_DISTANCE = 0.05, 0.02, 0.02, 0.1


@dataclass(frozen=True)
class MonitorSettings:
    """alpha: probability of a false alarm in a window. margin: drop of F1, 0..1. n_permutations: of each test."""

    alpha: float = 0.01
    margin: float = 0.03
    n_permutations: int = N_PERMUTATIONS
    seed: int = 0


@dataclass(frozen=True)
class Pair:
    """The numbers of the baseline and of a window in the same columns.

    baseline: (n_docs, n_columns). rows: the same of the window; None for aggregates.
    totals: (n_columns,) of the window. known: what was measured in both. missing: what only the baseline has.
    ids: of the window's documents.
    """

    source: Baseline
    columns: Columns
    baseline: Array
    rows: Array | None
    totals: Array
    n_documents: int
    known: frozenset[str]
    missing: frozenset[str]
    ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, baseline: Baseline, window: Window | Sums) -> "Pair":
        """Put both into tables. A window of sums was read with the baseline's types."""
        labelled = baseline.observations
        before = measured(labelled)
        if isinstance(window, Sums):
            columns, rows, now = Columns(window.labels), None, set(window.known)
            totals, n_documents = window.totals, window.n_documents
        else:
            columns, now = Columns(labels_of(labelled, window.observations)), measured(window.observations)
            rows = columns.table(window.observations)
            totals, n_documents = rows.sum(axis=0), len(rows)
        ids = () if isinstance(window, Sums) else tuple(observation.id for observation in window.observations)
        known, missing = frozenset(before & now), frozenset(before - now)
        return cls(baseline, columns, columns.table(labelled), rows, totals, n_documents, known, missing, ids)

    @property
    def sums(self) -> tuple[Array, Array]:
        """(n_columns,) sums of the baseline and of the window."""
        return self.baseline.sum(axis=0), self.totals

    @property
    def can_estimate(self) -> bool:
        """Whether F1 can be estimated: expected entities are known, and the entities have confidences."""
        entities, scored = (
            sum(float(self.totals[self.columns.of_type(label, name)]) for label in self.columns.labels)
            for name in ("entities", "scored")
        )
        return "expected" in self.known and scored == entities


def find(pair: Pair, settings: MonitorSettings) -> list[Finding]:
    """Test every statistic of a window."""
    named = statistics(pair.columns, pair.sums[0] + pair.sums[1], pair.known)
    chosen = [each.statistic for each in named]
    testing = DriftSettings(settings.alpha, settings.n_permutations, settings.seed)
    if pair.rows is None:
        tested = compare_sums(pair.baseline, pair.totals, pair.n_documents, chosen, testing)
    else:
        tested = compare_documents(pair.baseline, pair.rows, chosen, testing)
    return [_finding(pair, *each, settings.alpha) for each in zip(named, tested, strict=True)]


def _finding(pair: Pair, named: Named, tested: Tested, alpha: float) -> Finding:
    is_significant = tested.p_corrected <= alpha
    return Finding(
        name=named.name,
        label=named.label,
        baseline=tested.reference,
        window=tested.window,
        difference=tested.difference,
        limit=tested.limit,
        p=tested.p,
        p_corrected=tested.p_corrected,
        is_significant=is_significant,
        is_small=_is_small(named, tested),
        passages=_passages(pair, named) if is_significant else [],
    )


def _is_small(named: Named, tested: Tested) -> bool:
    if isinstance(named.statistic, Histogram):
        return tested.difference < SMALL_PSI
    if isinstance(named.statistic, Distance):
        return tested.difference < SMALL_DISTANCE
    if named.name == MEAN_CONFIDENCE:
        return abs(tested.difference) < SMALL_CONFIDENCE
    return abs(tested.difference) < SMALL_CHANGE * abs(tested.reference)


def _passages(pair: Pair, named: Named) -> list[str]:
    if pair.rows is None:
        return []
    added = contributions(pair.rows, pair.sums, named.statistic)
    order = np.argsort(-added, kind="stable")[:MAX_PASSAGES]
    return [pair.ids[n] for n in order if added[n] > 0]


def estimate(pair: Pair, reviews: Mapping[str, ReviewedF1], seed: int) -> dict[str, EstimatedF1]:
    """Estimate F1 of a window by type, and as "" over all types."""
    labelled = pair.columns.known(pair.baseline, pair.source.observations)
    window = pair.columns.known(pair.totals)
    estimates = estimate_f1(labelled, window, pair.n_documents, pair.columns.labels, seed=seed)
    return {label: _estimated(each, reviews.get(label)) for label, each in estimates.items()}


def _estimated(found: Estimate, review: ReviewedF1 | None) -> EstimatedF1:
    checked = None
    if review is not None:
        low, high = (review.value if end is None else end for end in (review.low, review.high))
        agrees = low <= found.high and found.low <= high
        checked = Reviewed(value=review.value, low=review.low, high=review.high, agrees=agrees)
    return EstimatedF1(
        value=found.value,
        low=found.low,
        high=found.high,
        baseline=found.baseline,
        n_predicted=found.n_predicted,
        expected=found.expected,
        reviewed=checked,
    )


def figures(columns: Columns, sums: Array, known: frozenset[str], f1: EstimatedF1 | None) -> Figures:
    """What trends are drawn of. sums: (n_columns,)."""

    def share(numerator: float, denominator: float, *needed: str) -> float | None:
        return float(numerator / denominator) if denominator and known.issuperset(needed) else None

    entities, scored, confidence = (
        sum(float(sums[columns.of_type(label, name)]) for label in columns.labels)
        for name in ("entities", "scored", "confidence")
    )
    n_documents, n_tokens = sums[columns.of(DOCUMENTS)], sums[columns.of("tokens")]
    per_token = share(entities, n_tokens, "tokens")
    return Figures(
        f1=f1.value if f1 else None,
        f1_low=f1.low if f1 else None,
        f1_high=f1.high if f1 else None,
        mean_confidence=share(confidence, scored),
        entities=None if per_token is None else 1000 * per_token,
        empty=share(sums[columns.of(EMPTY)], n_documents) or 0.0,
        tokens=share(n_tokens, n_documents, "tokens"),
        unseen=share(sums[columns.of("unseen")], sums[columns.of("words")], "unseen"),
    )
