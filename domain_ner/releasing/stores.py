"""Where a registry lies: a local folder, or a place that fsspec opens by its URL. Knows no versions.

A local folder changes by renames of synced files and folders. Object stores have no renames: there, the file that makes
a folder count is written last, and is created only if there is none yet.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from time import monotonic, sleep
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from domain_ner.annotating.sources import REMOTE, filesystem_of, remote_errors
from domain_ner.errors import DomainNerError
from domain_ner.files import CHUNK_BYTES, atomic_path, hold_lock, sweep

# Seconds to wait for another process, which writes.
PATIENCE_S = 30.0
# Of a local folder, as a URL.
FILE_URL = "file://"


class Store(Protocol):
    """A place for files, named by relative paths with `/`. place: as users know it."""

    place: str

    def read(self, name: str) -> bytes | None:
        """Read a file; None if there is none."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """Read a file in parts. Raises DomainNerError if there is none, or it cannot be read to its end."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def folders(self, name: str) -> list[str]:
        """List the names of the folders in a folder; empty if there is none."""

    def replace(self, name: str, former: bytes | None, content: bytes) -> None:
        """Write a file atomically. former: what it holds now; None: it must not exist. Raises DomainNerError else."""

    def add(self, name: str, folder: Path, *, last: str, apart: str) -> bool:
        """Write a folder that counts as soon as it holds `last`.

        apart: a name for a folder of its own, so that two that write at once never mix their files. Returns whether it
        was added; false if another folder has that name already.
        """

    def locked(self) -> AbstractContextManager[None]:
        """A context in which no other process writes, where that can be had."""


def open_store(place: str) -> Store:
    """Open a store: a path, `file://PATH`, or any URL of fsspec."""
    if place.startswith(FILE_URL):
        return LocalStore(Path(place.removeprefix(FILE_URL)))
    return RemoteStore(place) if REMOTE in place else LocalStore(Path(place))


class LocalStore:
    """A folder on this machine, or on a drive that has locks and renames."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise DomainNerError(f"The registry {folder} is a file; expected a folder.", "Name a folder.")
        self.place, self._folder = str(folder), folder

    def read(self, name: str) -> bytes | None:
        """Read a file; None if there is none."""
        path = self._folder / name
        return path.read_bytes() if path.is_file() else None

    def chunks(self, name: str) -> Iterator[bytes]:
        """Read a file in parts. Raises DomainNerError if there is none."""
        try:
            with (self._folder / name).open("rb") as stream:
                yield from iter(lambda: stream.read(CHUNK_BYTES), b"")
        except FileNotFoundError as err:
            raise _missing(self.place, name) from err

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self._folder / name).is_file()

    def folders(self, name: str) -> list[str]:
        """List the names of the folders in a folder; empty if there is none."""
        folder = self._folder / name
        return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []

    def replace(self, name: str, former: bytes | None, content: bytes) -> None:
        """Write a file atomically. former: what it holds now. Raises DomainNerError if it holds something else."""
        if self.read(name) != former:
            raise _changed(self.place, name)
        with atomic_path(self._folder / name) as temporary:
            temporary.write_bytes(content)

    def add(self, name: str, folder: Path, *, last: str, apart: str) -> bool:
        """Write a folder as a whole, by a rename. Returns false if there is one of that name."""
        target = self._folder / name
        if (target / last).is_file():
            return False
        with atomic_path(target) as temporary:
            shutil.copytree(folder, temporary)
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait until no other process writes, and let none write in this context.

        What killed processes left is removed.
        """
        until = monotonic() + PATIENCE_S
        with ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(hold_lock(self._folder, "a release, a promotion or a rollback"))
                    break
                except DomainNerError:
                    if monotonic() > until:
                        raise
                    sleep(0.1)
            for folder in (self._folder, *(path for path in self._folder.glob("*") if path.is_dir())):
                sweep(folder)
            yield


P = ParamSpec("P")
ResultT = TypeVar("ResultT")


def _reported(
    call: Callable[Concatenate["RemoteStore", P], ResultT],
) -> Callable[Concatenate["RemoteStore", P], ResultT]:
    """Make errors of a file system those of a user."""

    @wraps(call)
    def reported(self: "RemoteStore", /, *given: P.args, **named: P.kwargs) -> ResultT:
        with remote_errors(self.place):
            return call(self, *given, **named)

    return reported


class RemoteStore:
    """A place behind a URL. It has no locks: a file that others changed in the meantime is refused where it is seen."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/")
        with remote_errors(self.place):
            self._system, self._root = filesystem_of(self.place)

    @_reported
    def read(self, name: str) -> bytes | None:
        """Read a file; None if there is none."""
        self._system.invalidate_cache()
        try:
            return bytes(self._system.cat_file(f"{self._root}/{name}"))
        except FileNotFoundError:
            return None

    def chunks(self, name: str) -> Iterator[bytes]:
        """Read a file in parts. Raises DomainNerError if there is none, or it cannot be read to its end."""
        with remote_errors(self.place):
            try:
                with self._system.open(f"{self._root}/{name}", "rb") as stream:
                    yield from iter(lambda: stream.read(CHUNK_BYTES), b"")
            except FileNotFoundError as err:
                raise _missing(self.place, name) from err

    @_reported
    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return bool(self._system.exists(f"{self._root}/{name}"))

    @_reported
    def folders(self, name: str) -> list[str]:
        """List the names of the folders in a folder; empty if there is none."""
        self._system.invalidate_cache()
        try:
            rows = self._system.ls(f"{self._root}/{name}", detail=True)
        except FileNotFoundError:
            return []
        return sorted(row["name"].rstrip("/").rpartition("/")[2] for row in rows if row["type"] == "directory")

    @_reported
    def replace(self, name: str, former: bytes | None, content: bytes) -> None:
        """Write a file with one request. former: what it holds now. Raises DomainNerError if it holds another content.

        Two that write at the same moment both see the former content: the later one wins.
        """
        if self.read(name) != former:
            raise _changed(self.place, name)
        if former is None:
            if not self._create(name, content):
                raise _changed(self.place, name)
        else:
            self._system.pipe_file(f"{self._root}/{name}", content)

    @_reported
    def add(self, name: str, folder: Path, *, last: str, apart: str) -> bool:
        """Write the files of a folder below `name/apart`, and then `name/last`. Returns false if that exists."""
        if self.read(f"{name}/{last}") is not None:
            return False
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._system.makedirs(f"{self._root}/{name}/{apart}", exist_ok=True)
        for path in files:
            inside = path.relative_to(folder).as_posix()
            if inside != last:
                self._system.put_file(str(path), f"{self._root}/{name}/{apart}/{inside}")
        return self._create(f"{name}/{last}", (folder / last).read_bytes())

    def _create(self, name: str, content: bytes) -> bool:
        """Create a file, unless there is one: in one step where the store can, such as S3."""
        path = f"{self._root}/{name}"
        try:
            self._system.pipe_file(path, content, mode="create")
        except FileExistsError:
            return False
        except (NotImplementedError, TypeError):
            if self._system.exists(path):
                return False
            self._system.pipe_file(path, content)
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nothing can be locked there."""
        yield


def _missing(place: str, name: str) -> DomainNerError:
    return DomainNerError(f"{place} lacks the file {name}.", "Restore it from a backup of the registry.")


def _changed(place: str, name: str) -> DomainNerError:
    return DomainNerError(f"{place}: somebody else changed {name} at the same moment.", "Look at it, and run it again.")
