"""Reads the content of a file twice: first to determine how to read it, then to read it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from domain_ner.annotations.records import FileLog

# Content takes several times as much memory as its file; larger files are read twice.
MAX_KEPT_BYTES = 1 << 25
T = TypeVar("T")


class ReadTwice(Generic[T]):
    """The items of a file. Those of a small file are kept from the first pass for the second.

    path: of the file. find: yields the items, and writes messages to the given log.
    """

    def __init__(self, path: Path, find: Callable[[FileLog], Iterator[T]]) -> None:
        self._find = find
        self._log = FileLog(path.name)
        self._kept: list[T] | None = [] if path.stat().st_size <= MAX_KEPT_BYTES else None

    def first(self) -> Iterator[T]:
        """Yield all items. Call it once, and iterate to the end."""
        for item in self._find(self._log):
            if self._kept is not None:
                self._kept.append(item)
            yield item

    def again(self, log: FileLog) -> Iterator[T]:
        """Yield the items again; the log receives the messages."""
        if self._kept is None:
            yield from self._find(log)
        else:
            log.join(self._log)
            yield from self._kept
