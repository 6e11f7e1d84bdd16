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
from domain_ner.reports.markdown import code, table
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
            [_row("**all**", comparison.overall), *(_row(label, one) for label, one in comparison.by_type.items())],
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


def interval(one: Compared) -> str:
    """Format the interval of the difference; empty if there are too few passages."""
    return "" if one.low is None or one.high is None else f"{difference(one.low)} to {difference(one.high)}"


def p_value(p: float) -> str:
    """Format a probability with four decimals."""
    return f"{p:.4f}" if p >= SMALLEST_P else f"<{SMALLEST_P}"


def _row(label: str, one: Compared) -> list[str]:
    figures = [percent(one.second), percent(one.first), difference(one.difference), one.verdict, interval(one)]
    return [label, *figures, p_value(one.p), p_value(one.p_holm), f"{one.support:,}"]


def _systems(first: System, second: System) -> list[list[str]]:
    pair = (first, second)
    return [
        ["pipeline", *(one.name for one in pair)],
        ["words per second", *(f"{one.words_s:,.0f}" for one in pair)],
        ["size, MB", *(f"{one.size_mb:.1f}" for one in pair)],
        ["entities predicted", *(f"{one.n_predicted:,}" for one in pair)],
    ]


def _changes(comparison: Comparison) -> list[str]:
    if not comparison.changes:
        return ["## Changes", "None: both find the same entities."]
    counts = Counter(one.kind for one in comparison.changes)
    n_passages = len({one.source for one in comparison.changes})
    parts = ["## Changes", f"{len(comparison.changes):,} entities in {n_passages:,} passages."]
    for kind, meaning in KINDS.items():
        changes = [one for one in comparison.changes if one.kind == kind]
        if changes:
            parts += [f"### {kind}: {counts[kind]:,} ({meaning})", "\n".join(map(_change, changes[:MAX_CHANGES]))]
            n_more = len(changes) - MAX_CHANGES
            parts += [f"and {n_more} more, in comparison.json"] if n_more > 0 else []
    return parts


def _change(one: Change) -> str:
    return f"- {code(one.source)} {code(one.text[one.start : one.end])} {one.label}, in {code(one.text)}"
