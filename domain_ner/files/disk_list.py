"""Objects kept on disk, so that as many as there are documents cost no memory to speak of."""

import pickle
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

from domain_ner.files.locks import cannot_write
from domain_ner.files.syncing import names_no_file

ItemT = TypeVar("ItemT")
# Of the error for a full disk: the file has no name.
_PLACE = Path(tempfile.gettempdir(), "temporary files")


class Pickled:
    """A base for dataclasses with slots, read back as a call of their class: dataclasses' own way takes four times as
    long, in Python.
    """

    __slots__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), tuple(getattr(self, name) for name in self.__slots__)


class DiskList(Sequence[ItemT], Generic[ItemT]):
    """A sequence that can grow, in a temporary file; each item is read back when it is asked for.

    In memory there are 8 bytes an item. The file has no name, and goes with the object.
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
            if names_no_file(err):
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
        place = range(len(self))[index]
        start, end = self._starts[place], self._starts[place + 1] if place + 1 < len(self) else self._end
        try:  # what was written last is flushed first
            self._file.seek(start)
            item: ItemT = pickle.loads(self._file.read(end - start))
        except OSError as err:
            if names_no_file(err):
                raise cannot_write(_PLACE, err) from err
            raise
        return item

    def __iter__(self) -> Iterator[ItemT]:
        return (self[n] for n in range(len(self)))


class DiskSelection(Sequence[ItemT], Generic[ItemT]):
    """Some items of a sequence, in an order of their own, by their places in it."""

    def __init__(self, items: Sequence[ItemT], places: Iterable[int] = ()) -> None:
        self._items = items
        self._places = array("Q", places)

    def add(self, place: int) -> None:
        """Take in the item at that place."""
        self._places.append(place)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> ItemT: ...
    @overload
    def __getitem__(self, index: slice) -> "list[ItemT]": ...
    def __getitem__(self, index: int | slice) -> "ItemT | list[ItemT]":
        if isinstance(index, slice):
            return [self._items[place] for place in self._places[index]]
        return self._items[self._places[index]]

    def __iter__(self) -> Iterator[ItemT]:
        return (self._items[place] for place in self._places)
