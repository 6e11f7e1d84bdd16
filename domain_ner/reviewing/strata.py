"""Divides the passages into strata by what the pipeline finds in them, and into the sample's shares."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from domain_ner.metrics.allocation import allocate, shares
from domain_ner.metrics.stratified import Floats, Ints, Population

# An entity below this confidence makes a passage doubtful, and so does an unreported span above that.
DOUBTFUL, CANDIDATE = 0.8, 0.05
# A type is rare, or uncommon, if a simple random sample would hold fewer passages with it.
RARE, UNCOMMON = 10, 50
# Passages of each stratum in the sample, or all of a smaller one.
LEAST = 8
KINDS = ("rare type found", "uncommon type found", "common types found", "nothing found")


@dataclass(frozen=True)
class Frame:
    """What a pipeline finds in each passage, by type: (n_passages, n_types).

    counts: of entities. spurious, missed: sums of p (1 - p) of entities, and of spans that are not reported.
    least: (n_passages,), the lowest confidence of an entity. candidate: (n_passages,), the largest p of a span that is
    not reported.
    """

    counts: Ints
    spurious: Floats
    missed: Floats
    least: Floats
    candidate: Floats

    def of_types(self, columns: Sequence[int]) -> "Frame":
        """The same for some types."""
        chosen = list(columns)
        return Frame(
            self.counts[:, chosen], self.spurious[:, chosen], self.missed[:, chosen], self.least, self.candidate
        )


def strata_of(frame: Frame, n: int) -> tuple[Ints, list[str]]:
    """Divide the passages: (n_passages,) numbers of strata, and the strata's names. n: size of the sample.

    Which types are rare or uncommon depends on `n`.
    """
    expected = (frame.counts > 0).sum(axis=0) * min(1.0, n / len(frame.counts))
    has_any = (frame.counts > 0).any(axis=1)
    kind = np.where(has_any, 2, 3)
    for number, limit in ((1, UNCOMMON), (0, RARE)):
        kind[(frame.counts[:, expected < limit] > 0).any(axis=1)] = number
    is_doubtful = np.where(has_any, frame.least < DOUBTFUL, frame.candidate >= CANDIDATE)
    used, numbers = np.unique(2 * kind + ~is_doubtful, return_inverse=True)
    return numbers.astype(np.int64), [KINDS[number // 2] + ("" if number % 2 else ", doubtful") for number in used]


def sizes_of(frame: Frame, strata: Ints, n: int, least: Sequence[int] | Ints | None = None) -> Ints:
    """Divide a sample of `n` passages among the strata: (n_strata,). least: of each stratum; None: LEAST.

    With too small an `n`, the strata have fewer than LEAST, but at least two.
    """
    n_strata = int(strata.max()) + 1
    sizes = np.bincount(strata, minlength=n_strata)
    by_stratum = [_sums(values, strata, n_strata) for values in (frame.counts, frame.spurious, frame.missed)]
    if least is None:
        least = [min(LEAST, max(2, n // n_strata))] * n_strata
    return allocate(n, sizes, shares(sizes, by_stratum[0].astype(np.int64), *by_stratum[1:]), least)


def population_of(frame: Frame, strata: Ints, columns: Collection[int]) -> Population:
    """Count passages and predictions by stratum. columns: of the types to count together."""
    n_strata = int(strata.max()) + 1
    counts = frame.counts[:, list(columns)].sum(axis=1)
    return Population(
        np.bincount(strata, minlength=n_strata),
        np.bincount(strata, weights=counts > 0, minlength=n_strata).astype(np.int64),
        np.bincount(strata, weights=counts, minlength=n_strata).astype(np.int64),
    )


def _sums(values: Floats | Ints, strata: Ints, n_strata: int) -> Floats:
    total = np.zeros((n_strata, values.shape[1]))
    np.add.at(total, strata, values)
    return total
