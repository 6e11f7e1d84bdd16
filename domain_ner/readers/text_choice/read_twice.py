"""What a file holds, gone through twice: first to learn how it is to be read, then to read it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from domain_ner.annotations.records import FileLog

# What is found in a file of this size takes some times as much memory; larger files are read twice.
MAX_KEPT_BYTES = 1 << 25
T = TypeVar("T")


class ReadTwice(Generic[T]):
    """What is found in a file. It is kept from the first pass to the second where the file is small.

    path: of the file. find: yields what is found, and tells the log it is given what it has to say.
    """

    def __init__(self, path: Path, find: Callable[[FileLog], Iterator[T]]) -> None:
        self._find = find
        self._log = FileLog(path.name)
        self._kept: list[T] | None = [] if path.stat().st_size <= MAX_KEPT_BYTES else None

    def first(self) -> Iterator[T]:
        """What is found, up to the end. To be called once, and to be gone through whole."""
        for one in self._find(self._log):
            if self._kept is not None:
                self._kept.append(one)
            yield one

    def again(self, log: FileLog) -> Iterator[T]:
        """The same once more; the log is told what there is to say of it."""
        if self._kept is None:
            yield from self._find(log)
        else:
            log.join(self._log)
            yield from self._kept
