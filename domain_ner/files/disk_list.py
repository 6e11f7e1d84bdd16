"""Sequences kept on disk, so that memory use does not grow with the size of the documents."""

import pickle
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

from domain_ner.files.locks import cannot_write
from domain_ner.files.syncing import is_disk_error

ItemT = TypeVar("ItemT")
# Named in the error for a full disk: the file itself has no name.
_PLACE = Path(tempfile.gettempdir(), "temporary files")


class Pickled:
    """A base for dataclasses with slots that unpickles them with a call of their class.

    The dataclasses' own way, in Python, takes four times as long.
    """

    __slots__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), tuple(getattr(self, name) for name in self.__slots__)


class DiskList(Sequence[ItemT], Generic[ItemT]):
    """A growing sequence in a temporary file; each item is read back on access.

    It uses 8 bytes of memory an item. The file has no name, and disappears with the object.
    items: the first items; anything that can be pickled.
    items: what it holds at first; anything that can be pickled.
    Raises DomainNerError when the disk of temporary files is full.
    """

    def __init__(self, items: Iterable[ItemT] = ()) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the object)
        self._starts = array("Q")
        self._end = 0
        for item in items:
            self.append(item)

    def append(self, item: ItemT) -> None:
        """Add an item at the end."""
        data = pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL)
        try:
            self._file.seek(self._end)
            self._file.write(data)
        except OSError as err:
            if is_disk_error(err):
                raise cannot_write(_PLACE, err) from err
            raise
        self._starts.append(self._end)
        self._end += len(data)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> ItemT: ...
    @overload
    def __getitem__(self, index: slice) -> "list[ItemT]": ...
    def __getitem__(self, index: int | slice) -> "ItemT | list[ItemT]":
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        start, end = self._starts[position], self._starts[position + 1] if position + 1 < len(self) else self._end
        try:  # seek flushes what was written last
            self._file.seek(start)
            item: ItemT = pickle.loads(self._file.read(end - start))
        except OSError as err:
            if is_disk_error(err):
                raise cannot_write(_PLACE, err) from err
            raise
        return item

    def __iter__(self) -> Iterator[ItemT]:
        return (self[n] for n in range(len(self)))


class DiskSelection(Sequence[ItemT], Generic[ItemT]):
    """A selection of items of a sequence, in any order, by their positions in it."""

    def __init__(self, items: Sequence[ItemT], positions: Iterable[int] = ()) -> None:
        self._items = items
        self._positions = array("Q", positions)

    def add(self, position: int) -> None:
        """Append the item at that position."""
        self._positions.append(position)

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> ItemT: ...
    @overload
    def __getitem__(self, index: slice) -> "list[ItemT]": ...
    def __getitem__(self, index: int | slice) -> "ItemT | list[ItemT]":
        if isinstance(index, slice):
            return [self._items[position] for position in self._positions[index]]
        return self._items[self._positions[index]]

    def __iter__(self) -> Iterator[ItemT]:
        return (self._items[position] for position in self._positions)
