"""`domain_ner.BatchByLength.v1`: batches of examples of similar length, none left out."""

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from spacy.util import registry

ItemT = TypeVar("ItemT")


@registry.batchers("domain_ner.BatchByLength.v1")
def configure_batch_by_length(
    size: int, max_padded: int, buffer: int, seed: int
) -> Callable[[Iterable[ItemT]], Iterator[list[ItemT]]]:
    """A batcher that sorts within a buffer, so that little is padded, and discards nothing.

    size: examples in a batch, at most.
    max_padded: longest example times examples, in tokens, at most; a longer example is a batch of its own.
    buffer: batches' worth of examples to sort at a time; the larger, the less padding and the less random.
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
