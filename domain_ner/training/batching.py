"""`domain_ner.BatchByLength.v1`: batches of examples, none left out, of similar length if asked for."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from spacy.util import registry

ItemT = TypeVar("ItemT")
# Orders of the examples in which batches are counted.
SHUFFLES = 5


@registry.batchers("domain_ner.BatchByLength.v1")
def configure_batch_by_length(
    size: int, max_padded: int, buffer: int, seed: int
) -> Callable[[Iterable[ItemT]], Iterator[list[ItemT]]]:
    """A batcher that discards nothing.

    size: examples in a batch, at most.
    max_padded: longest example times examples, in tokens, at most; a longer example is a batch of its own.
    buffer: batches' worth of examples to sort by length at a time. 1 leaves batches as random as the examples come;
        the larger, the less is padded, and the less a batch is like the others.
    seed: of the order of the batches within a buffer, which is otherwise from short to long. It depends on nothing else
        but the examples' lengths, so that a run that goes on finds the same batches.
    """

    def batch_by_length(items: Iterable[ItemT]) -> Iterator[list[ItemT]]:
        stream = iter(items)
        while pool := list(islice(stream, size * buffer)):
            batches = list(_cut(sorted(pool, key=len), size, max_padded))  # type: ignore[arg-type]
            random.Random(f"{seed} {[len(item) for item in pool]}").shuffle(batches)  # type: ignore[arg-type]
            yield from batches

    return batch_by_length


def count_batches(lengths: Sequence[int], *, size: int, max_padded: int, buffer: int) -> int:
    """How many batches `domain_ner.BatchByLength.v1` makes of examples of these lengths, in tokens.

    Where that depends on the order, the fewest of a few orders: training then ends with an evaluation in any.
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
