"""Decides when the next checkpoint is due, so that checkpoints take little of the training's time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from timeit import default_timer

# The training between two checkpoints takes at least this many times as long as writing one did.
TIMES_AS_LONG = 20


class Pace:
    """Times the checkpoints of a training.

    seconds: between two checkpoints, at least: more if writing one takes long. clock: gives the time, in seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = default_timer) -> None:
        self._seconds, self._clock = seconds, clock
        self._saved, self._took = clock(), 0.0

    @property
    def is_due(self) -> bool:
        """Whether a checkpoint is to be written now."""
        return self._clock() - self._saved > max(self._seconds, TIMES_AS_LONG * self._took)

    @contextmanager
    def saving(self) -> Iterator[None]:
        """The context in which a checkpoint is written."""
        begun = self._clock()
        yield
        self._saved = self._clock()
        self._took = self._saved - begun
