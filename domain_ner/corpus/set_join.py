"""Connects sets whose Jaccard similarity reaches a threshold, directly or through other sets.

Prefix filtering (Bayardo, Ma & Srikant 2007, "Scaling up all pairs similarity search") with the shorter prefix for the
indexed sets (Xiao et al. 2008, "Efficient similarity joins for near duplicate detection"). Sets that are already
connected are never compared.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain_ner.corpus.connected import Components

Ints = NDArray[np.int64]
# Candidates per comparison: few at first, because one match often makes the others unnecessary.
FIRST_CHUNK, GROWTH = 16, 8
SLACK = 1e-9


@dataclass(frozen=True)
class Sets:
    """Sets of weighted members.

    starts: (n_sets + 1,) where the members of each set begin in `members`. members: numbers below `len(weights)`,
    ascending in each set; rarer members have smaller numbers. sizes: (n_sets,) of the whole sets; elements outside
    `members` are in no other set. weights: (n_members,).
    """

    starts: Ints
    members: Ints
    sizes: Ints
    weights: Ints

    def __len__(self) -> int:
        return len(self.sizes)

    def shared_weights(self) -> Ints:
        """(n_sets,) total weight of the members of each set."""
        return _sums(self.weights[self.members], self.starts)

    def positions(self) -> Ints:
        """For each of `members`, the weight before it in its set, including elements that are in no other set."""
        before = np.concatenate(([0], np.cumsum(self.weights[self.members])))
        lengths = np.diff(self.starts)
        offset = self.sizes - self.shared_weights() - before[self.starts[:-1]]
        return np.asarray(before[:-1] + np.repeat(offset, lengths))


def join_sets(sets: Sets, threshold: float, components: Components, *, n_probed: int) -> None:
    """Join the components of all pairs that are similar enough and share a member below `n_probed`.

    components: of the sets' numbers; sets connected in it are not compared. threshold: above 0 and at most 1.
    """
    _Join(sets, threshold, components, n_probed).run()


class _Join:
    def __init__(self, sets: Sets, threshold: float, components: Components, n_probed: int) -> None:
        self.sets, self.threshold, self.components = sets, threshold, components
        sizes, lengths = sets.sizes, np.diff(sets.starts)
        # Each set is compared with smaller ones: the index needs only what a larger set must share with them.
        self.order = np.argsort(sizes, kind="stable")
        positions, is_probed = sets.positions(), sets.members < n_probed

        def is_prefix(share: float) -> NDArray[np.bool_]:
            spare = sizes - np.ceil(share * sizes - SLACK).astype(np.int64)
            return np.asarray(is_probed & (positions <= np.repeat(spare, lengths)))

        in_index = is_prefix(2 * threshold / (1 + threshold))
        self.n_index = _sums(in_index.astype(np.int64), sets.starts)
        self.n_probe = _sums(is_prefix(threshold).astype(np.int64), sets.starts)
        counts = np.bincount(sets.members[in_index], minlength=len(sets.weights))
        self.offsets = np.concatenate(([0], np.cumsum(counts))).tolist()
        self.indexed = np.zeros(int(in_index.sum()), dtype=np.int64)
        self.filled = [0] * len(sets.weights)
        # Whether all indexed sets with a member belong to one component.
        self.is_one = [True] * len(sets.weights)
        self.marked = np.zeros(len(sets.weights), dtype=np.int64)

    def run(self) -> None:
        starts, members, labels = self.sets.starts.tolist(), self.sets.members, self.components.labels
        n_probe, n_index = self.n_probe.tolist(), self.n_index.tolist()
        for number in self.order.tolist():
            if not n_probe[number]:
                continue
            own = members[starts[number] : starts[number + 1]]
            self.marked[own] = self.sets.weights[own]
            prefix = own[: n_probe[number]].tolist()
            for member in prefix:
                self._compare(number, member)
            self.marked[own] = 0
            for member in prefix[: n_index[number]]:
                offsets, n = self.offsets[member], self.filled[member]
                self.is_one[member] = self.is_one[member] and (
                    n == 0 or labels[self.indexed[offsets]] == labels[number]
                )
                self.indexed[offsets + n] = number
                self.filled[member] = n + 1

    def _compare(self, number: int, member: int) -> None:
        """Compare a set, whose members are marked, with earlier sets that have a given member."""
        labels, offsets, end = self.components.labels, self.offsets[member], self.offsets[member] + self.filled[member]
        if offsets == end or (self.is_one[member] and labels[self.indexed[offsets]] == labels[number]):
            return
        chunk = FIRST_CHUNK
        for_all = self.is_one[member]
        while offsets < end:
            others = self.indexed[max(offsets, end - chunk) : end]
            others = others[labels[others] != labels[number]]
            for other in others[self._are_similar(number, others)].tolist() if len(others) else ():
                self.components.join(number, other)
                if for_all:
                    return
            end, chunk = end - chunk, chunk * GROWTH
        indexed = labels[self.indexed[offsets : offsets + self.filled[member]]]
        self.is_one[member] = bool((indexed == indexed[0]).all())

    def _are_similar(self, number: int, others: Ints) -> NDArray[np.bool_]:
        starts, sizes = self.sets.starts, self.sets.sizes
        lengths = starts[others + 1] - starts[others]
        ends = np.cumsum(lengths)
        positions = np.arange(ends[-1]) + np.repeat(starts[others] - ends + lengths, lengths)
        shared = np.add.reduceat(self.marked[self.sets.members[positions]], ends - lengths)
        return np.asarray(shared / (sizes[number] + sizes[others] - shared) >= self.threshold)


def _sums(values: Ints, starts: Ints) -> Ints:
    """Sum each slice of `values`; empty slices give 0."""
    total = np.concatenate(([0], np.cumsum(values)))
    return np.asarray(total[starts[1:]] - total[starts[:-1]])
