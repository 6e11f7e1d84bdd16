"""Keeps what the frozen layers of an encoder give for a row of wordpieces, from epoch to epoch."""

from array import array
from collections.abc import Callable, Hashable
from typing import Any

from torch import Tensor

from domain_ner.transformer.batches import Rows

# So many bytes are kept, at most: other rows are computed each time.
MOST_BYTES = 256 * 1024**2


class FixedOutputs:
    """The outputs of rows, as long as what computes them stays the same."""

    def __init__(self) -> None:
        self._state: Hashable = None
        self._kept: dict[bytes, Tensor] = {}
        self._n_bytes = 0

    def __call__(self, state: Hashable, rows: Rows, compute: Callable[[Rows], list[Tensor]]) -> list[Tensor]:
        """Return the output of each row, (length, width). state: of the weights; compute: called for rows not kept."""
        if state != self._state:
            self._state, self._kept, self._n_bytes = state, {}, 0
        keys = [array("i", row).tobytes() for row in rows]
        missing = [n for n, key in enumerate(keys) if key not in self._kept]
        found: list[Any] = [self._kept.get(key) for key in keys]
        for n, output in zip(missing, compute([rows[n] for n in missing]) if missing else (), strict=True):
            found[n] = output
            size = output.nbytes
            if self._n_bytes + size <= MOST_BYTES:
                self._kept[keys[n]] = output
                self._n_bytes += size
        return found
