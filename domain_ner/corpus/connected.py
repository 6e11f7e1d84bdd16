"""What is connected by pairs, directly or by others: union-find (Tarjan 1975, "Efficiency of a good but not linear set
union algorithm").
"""

from collections.abc import Iterable
from typing import TypeVar

import numpy as np

Key = TypeVar("Key", int, str)


def connected(keys: Iterable[Key], pairs: Iterable[tuple[Key, Key]]) -> dict[Key, Key]:
    """Each key to the smallest of those it is connected with by pairs, directly or by others.

    The time grows with the number of keys and pairs, whatever their order.
    """
    parent = {key: key for key in keys}
    size = dict.fromkeys(parent, 1)

    def root(key: Key) -> Key:
        while parent[key] != key:
            parent[key] = key = parent[parent[key]]
        return key

    for one, other in pairs:
        small, large = sorted((root(one), root(other)), key=size.__getitem__)
        if small != large:
            parent[small] = large
            size[large] += size[small]
    smallest: dict[Key, Key] = {}
    for key in parent:
        top = root(key)
        smallest[top] = min(key, smallest.get(top, key))
    return {key: smallest[root(key)] for key in parent}


class Components:
    """Numbers that are connected, with the component of each at hand as an array.

    labels: (n,) equal for numbers of one component. Of two components that join, the smaller one is relabelled: a
    number changes its label at most log2 n times.
    """

    def __init__(self, n: int) -> None:
        self.labels = np.arange(n)
        self._members: dict[int, list[int]] = {}

    def join(self, one: int, other: int) -> None:
        """Connect two numbers."""
        small, large = int(self.labels[one]), int(self.labels[other])
        if small == large:
            return
        members = [self._members.pop(label, [label]) for label in (small, large)]
        if len(members[0]) > len(members[1]):
            small, large, members = large, small, members[::-1]
        self.labels[members[0]] = large
        members[1] += members[0]
        self._members[large] = members[1]

    def smallest(self) -> list[int]:
        """Of each number the smallest of its component."""
        _, first, place = np.unique(self.labels, return_index=True, return_inverse=True)
        found: list[int] = first[place].tolist()
        return found
