"""`domain_ner.BatchByLength.v1`: batches of all examples, of similar length on request."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from spacy.util import registry

ItemT = TypeVar("ItemT")
# The number of random orders for which batches are counted.
SHUFFLES = 5


@registry.batchers("domain_ner.BatchByLength.v1")
def configure_batch_by_length(
    size: int, max_padded: int, buffer: int, seed: int
) -> Callable[[Iterable[ItemT]], Iterator[list[ItemT]]]:
    """Create a batcher that discards nothing.

    size: maximum of examples in a batch.
    max_padded: maximum of the longest example times the examples, in tokens; a longer example forms its own batch.
    buffer: number of batches whose examples are sorted by length together. With 1, batches are as random as the
        examples; larger values reduce padding, but make the examples of a batch more similar.
    seed: of the order of the batches within a buffer, which are otherwise sorted by length. The order depends only on
        the seed and the examples' lengths, so a resumed run gets the same batches.
    """

    def batch_by_length(items: Iterable[ItemT]) -> Iterator[list[ItemT]]:
        stream = iter(items)
        while pool := list(islice(stream, size * buffer)):
            batches = list(_cut(sorted(pool, key=len), size, max_padded))  # type: ignore[arg-type]
            random.Random(f"{seed} {[len(item) for item in pool]}").shuffle(batches)  # type: ignore[arg-type]
            yield from batches

    return batch_by_length


def count_batches(lengths: Sequence[int], *, size: int, max_padded: int, buffer: int) -> int:
    """Count the batches that `domain_ner.BatchByLength.v1` makes of examples of these lengths, in tokens.

    If the order matters, the result is the minimum over some orders: training then ends with an evaluation in any.
    """
    order, spans = random.Random(0), [range(length) for length in lengths]
    batch_by_length = configure_batch_by_length(size, max_padded, buffer, 0)
    counts = []
    for _ in range(SHUFFLES):
        order.shuffle(spans)
        counts.append(sum(1 for _ in batch_by_length(spans)))
    return min(counts)


def _cut(items: Iterable[ItemT], size: int, max_padded: int) -> Iterator[list[ItemT]]:
    """Cut items of ascending length into batches."""
    batch: list[ItemT] = []
    for item in items:
        padded = len(item) * (len(batch) + 1)  # type: ignore[arg-type]
        if batch and (len(batch) == size or padded > max_padded):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch
