"""Selects the spans to report from the probable ones, by their probability. Knows no lattice."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple


class ProbableSpan(NamedTuple):
    """A span: start, end (exclusive) in tokens, the index of the type, and the log of its probability."""

    start: int
    end: int
    label: int
    log_prob: float


def without_tokens(spans: Iterable[ProbableSpan], tokens: Set[int]) -> list[ProbableSpan]:
    """Keep the spans that contain none of these tokens."""
    return [span for span in spans if tokens.isdisjoint(range(span.start, span.end))]


def select_non_overlapping(spans: Sequence[ProbableSpan], gains: Sequence[float]) -> list[int]:
    """Select non-overlapping spans with the largest sum of gains; returns their indices in the order of the text.

    For gains of probability - t, the expected F1 is highest if t is half of that F1 (Lipton et al. 2014), which is a
    lower limit than that of the best path. Weighted interval scheduling, O(n log n).
    """
    order = sorted(range(len(spans)), key=lambda n: (spans[n].end, spans[n].start, spans[n].label))
    ends = [spans[n].end for n in order]
    totals, taken = [0.0], []
    for position, n in enumerate(order):
        n_compatible = bisect_right(ends, spans[n].start, hi=position)
        total = totals[n_compatible] + gains[n]
        taken.append(n_compatible if total > totals[-1] else None)
        totals.append(max(total, totals[-1]))
    chosen, position = [], len(order)
    while position:
        previous = taken[position - 1]
        if previous is None:
            position -= 1
        else:
            chosen.append(order[position - 1])
            position = previous
    return chosen[::-1]


def select_candidates(
    probable: Iterable[ProbableSpan], taken: set[tuple[int, int, int]], n_candidates: int
) -> list[ProbableSpan]:
    """Select untaken spans that are among the `n_candidates` most probable ones at one of their tokens, the most
    probable first.
    """
    n_at: dict[int, int] = {}
    chosen = []
    for span in sorted(probable, key=lambda span: (-span.log_prob, span)):
        if span[:3] not in taken and any(n_at.get(token, 0) < n_candidates for token in range(span.start, span.end)):
            chosen.append(span)
            for token in range(span.start, span.end):
                n_at[token] = n_at.get(token, 0) + 1
    return chosen
