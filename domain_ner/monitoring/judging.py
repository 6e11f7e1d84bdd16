"""Judges a window: fine, look, or retrain, and says why."""

from collections.abc import Mapping, Sequence
from datetime import date

from domain_ner.monitoring.baseline import Known
from domain_ner.monitoring.comparing import MonitorSettings, Pair, estimate, figures, find
from domain_ner.monitoring.features import CONFIDENCE_SHAPE, MEAN_CONFIDENCE, UNSEEN
from domain_ner.monitoring.report import (
    AGGREGATES,
    DOCUMENTS,
    FINE,
    LOOK,
    RETRAIN,
    EstimatedF1,
    Figures,
    Finding,
    MonitorReport,
    Past,
    WindowReport,
)
from domain_ner.monitoring.reviews import ReviewedF1
from domain_ner.monitoring.windows import Sums, Window

# From these on, a significant difference asks for retraining: the fall of the mean confidence, the rise of the share of
# unseen words.
CONFIDENCE_FALL, UNSEEN_RISE = 0.05, 0.05
BLIND_SPOTS = [
    "Mistakes that the pipeline is sure of: the estimate of F1 believes the confidences.",
    "Types that the guide does not have, and names that it wrongly takes for ordinary words with great confidence.",
    "A change of the guide, or of what annotators would call right: nothing here looks at labels.",
    "The interval of F1 holds for windows like the baseline. Under a shift, F1 may lie outside: review a sample.",
]


def monitor(
    known: Known,
    windows: Sequence[Window | Sums],
    settings: MonitorSettings,
    *,
    reviews: Mapping[str, ReviewedF1] | None = None,
    history: Sequence[Past] = (),
) -> MonitorReport:
    """Compare windows with the baseline. windows: the oldest first, at least one.

    reviews: F1 on reviewed samples of the last window, by type and as "" over all. history: windows of earlier runs.
    """
    last = len(windows) - 1
    reports = [
        monitor_window(known, window, settings, (reviews or {}) if n == last else {})
        for n, window in enumerate(windows)
    ]
    baseline, pair = known.baseline, Pair.of(known.baseline, windows[last])
    before = figures(pair.columns, pair.sums[0], pair.known | pair.missing, None)
    return MonitorReport(
        date=date.today().isoformat(),
        pipeline=baseline.pipeline,
        source=known.source,
        corpus=baseline.corpus,
        baseline=before.model_copy(update={"f1": baseline.summary.f1}),
        n_baseline=len(baseline.documents),
        alpha=settings.alpha,
        margin=settings.margin,
        n_permutations=settings.n_permutations,
        windows=reports,
        history=list(history),
        blind_spots=BLIND_SPOTS,
    )


def monitor_window(
    known: Known, window: Window | Sums, settings: MonitorSettings, reviews: Mapping[str, ReviewedF1]
) -> WindowReport:
    """Compare one window with the baseline."""
    pair = Pair.of(known.baseline, window)
    findings = sorted(find(pair, settings), key=lambda finding: (finding.p_corrected, finding.p))
    f1 = estimate(pair, reviews, settings.seed) if pair.can_estimate else {}
    overall = f1.pop("", None)
    before, now = (figures(pair.columns, sums, pair.known, None) for sums in pair.sums)
    verdict, reasons = judge(findings, overall, (before, now), settings.margin)
    return WindowReport(
        name=window.name,
        kind=AGGREGATES if isinstance(window, Sums) else DOCUMENTS,
        n_documents=window.n_documents,
        n_compared=pair.n_documents,
        verdict=verdict,
        reasons=reasons,
        findings=findings,
        f1=overall,
        by_type=f1,
        figures=figures(pair.columns, pair.totals, pair.known, overall),
        missing=sorted(pair.missing),
    )


def judge(
    findings: Sequence[Finding], f1: EstimatedF1 | None, both: tuple[Figures, Figures], margin: float
) -> tuple[str, list[str]]:
    """Return the verdict, and the reasons. both: figures of the baseline and the window. margin: drop of F1, 0..1.

    Nothing significant is fine. What is significant and not small asks for a look; for retraining, if F1 probably fell
    by more than the margin, or confidence or vocabulary changed by more than the limits above.
    """
    counted = [finding for finding in findings if finding.counts]
    if not counted:
        n_small = sum(finding.is_significant for finding in findings)
        return FINE, [f"{n_small} significant differences are too small to matter."] if n_small else []
    names = {finding.name for finding in counted}
    reasons = []
    if f1 is not None and f1.difference < -margin and f1.high < f1.baseline:
        reasons.append(f"F1 fell from {_points(f1.baseline)} to an estimated {_points(f1.value)}.")
    fall = (both[0].mean_confidence or 0.0) - (both[1].mean_confidence or 0.0)
    if names & {MEAN_CONFIDENCE, CONFIDENCE_SHAPE} and fall >= CONFIDENCE_FALL:
        reasons.append(f"The mean confidence fell by {_points(fall)} points.")
    rise = (both[1].unseen or 0.0) - (both[0].unseen or 0.0)
    if UNSEEN in names and rise >= UNSEEN_RISE:
        reasons.append(
            f"{_points(both[1].unseen or 0.0)} % of the words are unseen, not {_points(both[0].unseen or 0.0)} %."
        )
    verdict = RETRAIN if reasons else LOOK
    return verdict, [
        *reasons,
        f"Significant: {', '.join(_name(finding) for finding in counted[:MAX_NAMED])}{_more(counted)}.",
    ]


# Findings that a reason names.
MAX_NAMED = 5


def _name(finding: Finding) -> str:
    return f"{finding.name} of {finding.label}" if finding.label else finding.name


def _more(counted: Sequence[Finding]) -> str:
    n_more = len(counted) - MAX_NAMED
    return f" and {n_more} more" if n_more > 0 else ""


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
