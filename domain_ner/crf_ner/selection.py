"""Which of the probable spans to report. Knows no lattice: it takes spans and how sure of them the recogniser is."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple


class Found(NamedTuple):
    """A span: start, end (exclusive) in tokens, the type's number, and the log of its probability."""

    start: int
    end: int
    label: int
    log_prob: float


def apart_from(spans: Iterable[Found], tokens: Set[int]) -> list[Found]:
    """The spans that hold none of these tokens."""
    return [one for one in spans if tokens.isdisjoint(range(one.start, one.end))]


def choose_apart(spans: Sequence[Found], gains: Sequence[float]) -> list[int]:
    """Numbers of the spans, none of which overlap, with the largest sum of gains; in the order of the text.

    With a gain of probability - t the expected F1 is highest when t is half of it (Lipton et al. 2014), which is less
    than what the best path asks of a span. Weighted interval scheduling, O(n log n).
    """
    order = sorted(range(len(spans)), key=lambda n: (spans[n].end, spans[n].start, spans[n].label))
    ends = [spans[n].end for n in order]
    totals, taken = [0.0], []
    for place, n in enumerate(order):
        n_before = bisect_right(ends, spans[n].start, hi=place)
        total = totals[n_before] + gains[n]
        taken.append(n_before if total > totals[-1] else None)
        totals.append(max(total, totals[-1]))
    chosen, place = [], len(order)
    while place:
        before = taken[place - 1]
        if before is None:
            place -= 1
        else:
            chosen.append(order[place - 1])
            place = before
    return chosen[::-1]


def choose_candidates(probable: Iterable[Found], taken: set[tuple[int, int, int]], n_candidates: int) -> list[Found]:
    """The spans that are not taken and among the `n_candidates` most probable over one of their tokens, the most
    probable first.
    """
    over: dict[int, int] = {}
    chosen = []
    for one in sorted(probable, key=lambda one: (-one.log_prob, one)):
        if one[:3] not in taken and any(over.get(token, 0) < n_candidates for token in range(one.start, one.end)):
            chosen.append(one)
            for token in range(one.start, one.end):
                over[token] = over.get(token, 0) + 1
    return chosen
