"""Connected components of pairs, by union-find (Tarjan 1975, "Efficiency of a good but not linear set union
algorithm").
"""

from collections.abc import Iterable
from typing import TypeVar

import numpy as np

Key = TypeVar("Key", int, str)


def connected(keys: Iterable[Key], pairs: Iterable[tuple[Key, Key]]) -> dict[Key, Key]:
    """Map each key to the smallest key of its connected component.

    The time grows with the number of keys and pairs, whatever their order.
    """
    parent = {key: key for key in keys}
    size = dict.fromkeys(parent, 1)

    def root(key: Key) -> Key:
        while parent[key] != key:
            parent[key] = key = parent[parent[key]]
        return key

    for first, second in pairs:
        small, large = sorted((root(first), root(second)), key=size.__getitem__)
        if small != large:
            parent[small] = large
            size[large] += size[small]
    smallest: dict[Key, Key] = {}
    for key in parent:
        top = root(key)
        smallest[top] = min(key, smallest.get(top, key))
    return {key: smallest[root(key)] for key in parent}


class Components:
    """Numbers and their connected components, as an array.

    labels: (n,) equal for numbers of one component. When two components join, the smaller one is relabelled: a
    number changes its label at most log2 n times.
    """

    def __init__(self, n: int) -> None:
        self.labels = np.arange(n)
        self._members: dict[int, list[int]] = {}

    def join(self, first: int, second: int) -> None:
        """Connect two numbers."""
        small, large = int(self.labels[first]), int(self.labels[second])
        if small == large:
            return
        members = [self._members.pop(label, [label]) for label in (small, large)]
        if len(members[0]) > len(members[1]):
            small, large, members = large, small, members[::-1]
        self.labels[members[0]] = large
        members[1] += members[0]
        self._members[large] = members[1]

    def smallest(self) -> list[int]:
        """List for each number the smallest of its component."""
        _, first, index = np.unique(self.labels, return_index=True, return_inverse=True)
        smallest: list[int] = first[index].tolist()
        return smallest
