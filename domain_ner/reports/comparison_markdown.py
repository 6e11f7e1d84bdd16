"""Renders a comparison of two pipelines as Markdown, for a pull request."""

from collections import Counter
from datetime import date

from domain_ner.evaluation.comparison import (
    ALPHA,
    FOUND,
    GONE,
    LOST,
    NEW,
    SAME_PIPELINE,
    SAME_PREDICTIONS,
    Change,
    Compared,
    Comparison,
    System,
)
from domain_ner.reports.markdown import ALL_ROW, code, table
from domain_ner.reports.numbers import percent

MAX_CHANGES = 10
# A smaller difference is shown as 0.
SMALLEST = 0.0005
# Below this, four decimals would show p as 0.
SMALLEST_P = 0.0001
KINDS = {
    LOST: "right before, not now",
    NEW: "not an entity, but found now",
    FOUND: "right now, not before",
    GONE: "not an entity, and no longer found",
}


def comparison_markdown(comparison: Comparison) -> str:
    """Render the comparison as tables, and the changed passages, the worse ones first."""
    first, second = comparison.first, comparison.second
    parts = [
        f"# {second.source} against {first.source}",
        f"{date.today().isoformat()}. Before: {first.name}. Now: {second.name}.",
        verdict(comparison),
        "## F1 by type",
        table(
            ["type", "F1 now", "F1 before", "difference", "verdict", "95 %", "p", "p (Holm)", "support"],
            [
                _row(ALL_ROW, comparison.overall),
                *(_row(label, compared) for label, compared in comparison.by_type.items()),
            ],
        ),
        f"{comparison.n_passages:,} passages; intervals by paired bootstrap, p by permutation of passages, corrected "
        f"by Holm for the number of types ({len(comparison.by_type)}); significant below {ALPHA}.",
        *_changes(comparison),
        "## Speed and size",
        table(["", "before", "now"], _systems(first, second)),
        "One run each on this machine.",
    ]
    return "\n\n".join(parts) + "\n"


def verdict(comparison: Comparison) -> str:
    """Say in one sentence whether the second pipeline may replace the first."""
    margin = percent(comparison.margin)
    if comparison.same == SAME_PIPELINE:
        return (
            "**Not judged**: both are the same pipeline, with the same weights and settings. Set vars.baseline to the "
            "pipeline in use."
        )
    if comparison.same == SAME_PREDICTIONS:
        n = comparison.n_passages
        return f"**Passed**: weights or settings differ, but both find the same entities in all {n:,} passages."
    if not comparison.can_tell:
        n = comparison.n_passages
        return f"**Passed, but with too few passages**: on {n:,} passages, no loss would be significant, however large."
    if comparison.is_passed:
        low = comparison.overall.low
        loss = (
            ""
            if low is None or -low - comparison.margin < SMALLEST
            else f" A loss of {percent(-low)} cannot be excluded."
        )
        return f"**Passed**: no significant loss of more than {margin} points of F1, overall or in any type.{loss}"
    return f"**Not passed**: a significant loss of more than {margin} points of F1 in {', '.join(comparison.lost)}."


def difference(value: float) -> str:
    """Format a difference in points."""
    return f"{100 * value:+.1f}" if abs(value) >= SMALLEST else "0.0"


def interval(compared: Compared) -> str:
    """Format the interval of the difference; empty if there are too few passages."""
    return (
        ""
        if compared.low is None or compared.high is None
        else f"{difference(compared.low)} to {difference(compared.high)}"
    )


def p_value(p: float) -> str:
    """Format a probability with four decimals."""
    return f"{p:.4f}" if p >= SMALLEST_P else f"<{SMALLEST_P}"


def _row(label: str, compared: Compared) -> list[str]:
    figures = [
        percent(compared.second),
        percent(compared.first),
        difference(compared.difference),
        compared.verdict,
        interval(compared),
    ]
    return [label, *figures, p_value(compared.p), p_value(compared.p_holm), f"{compared.support:,}"]


def _systems(first: System, second: System) -> list[list[str]]:
    pair = (first, second)
    return [
        ["pipeline", *(system.name for system in pair)],
        ["words per second", *(f"{system.words_s:,.0f}" for system in pair)],
        ["size, MB", *(f"{system.size_mb:.1f}" for system in pair)],
        ["entities predicted", *(f"{system.n_predicted:,}" for system in pair)],
    ]


def _changes(comparison: Comparison) -> list[str]:
    if not comparison.changes:
        return ["## Changes", "None: both find the same entities."]
    counts = Counter(change.kind for change in comparison.changes)
    n_passages = len({change.source for change in comparison.changes})
    parts = ["## Changes", f"{len(comparison.changes):,} entities in {n_passages:,} passages."]
    for kind, meaning in KINDS.items():
        changes = [change for change in comparison.changes if change.kind == kind]
        if changes:
            parts += [f"### {kind}: {counts[kind]:,} ({meaning})", "\n".join(map(_change, changes[:MAX_CHANGES]))]
            n_more = len(changes) - MAX_CHANGES
            parts += [f"and {n_more} more, in comparison.json"] if n_more > 0 else []
    return parts


def _change(change: Change) -> str:
    return (
        f"- {code(change.source)} {code(change.text[change.start : change.end])} {change.label}, in {code(change.text)}"
    )
