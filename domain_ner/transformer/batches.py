"""Cuts wordpiece sequences of any length into padded batches, or into passes without padding. Knows no encoder."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

Rows = Sequence[Sequence[int]]


class PassLimits(NamedTuple):
    """Limits of one pass through an encoder, in wordpieces, padding included.

    max_padded: sequences times the longest of them; a longer sequence goes alone. cost: the fixed cost of a pass,
    as the number of wordpieces that take the same time.
    """

    max_padded: int
    cost: int


def batches(rows: Rows, budget: PassLimits) -> list[list[int]]:
    """Cut the rows into batches of similar length, the longest first.

    Sorted by length, they are cut in the cheapest way: padding against the fixed cost of a pass (dynamic programming).
    """
    order = sorted(range(len(rows)), key=lambda n: len(rows[n]), reverse=True)
    # least[end]: minimal cost of the first `end` rows, and the start of their last batch.
    least = [(0, 0)] + [(sys.maxsize, 0)] * len(rows)
    for start, number in enumerate(order):
        longest, before = len(rows[number]), least[start][0] + budget.cost
        n_together = max(1, budget.max_padded // max(1, longest))
        for end in range(start + 1, min(len(rows), start + n_together) + 1):
            least[end] = min(least[end], (before + longest * (end - start), start))
    groups, end = [], len(rows)
    while end:
        start = least[end][1]
        groups.append(order[start:end])
        end = start
    return groups[::-1]


def cut(rows: Rows, most: int) -> list[list[int]]:
    """Cut the rows into as few passes of `most` wordpieces as will do, of about equal size: their numbers.

    A row is never cut, so a pass may have the better part of a row more than that.
    """
    total = sum(map(len, rows))
    each = total / max(1, -(-total // most))
    passes: list[list[int]] = []
    n_before = 0
    for number, row in enumerate(rows):
        if not passes or n_before >= each * len(passes):
            passes.append([])
        passes[-1].append(number)
        n_before += len(row)
    return passes
