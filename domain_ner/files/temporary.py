"""Temporary folders that leave nothing behind, whatever kills the process."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from domain_ner.files.locks import acquire, cannot_write, take_over
from domain_ner.files.syncing import sync_folder

# A temporary folder beside its target, as mkdtemp names it; the file in it that its process keeps locked.
_ROOM = re.compile(r"\.(?P<name>.+)-[a-z0-9_]{8}")
_LOCK = "domain-ner.lock"
_SCRATCH = "domain-ner"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder among the system's temporary ones, and remove it; those of killed processes are removed."""
    with temporary_path(Path(tempfile.gettempdir()) / _SCRATCH, only=_SCRATCH) as folder:
        folder.mkdir()
        yield folder


@contextmanager
def temporary_path(target: Path, *, only: str = "") -> Iterator[Path]:
    """A free path of that name in a temporary folder beside `target`: on its file system, so that a rename is atomic.

    The folder is this process's as long as it lives. only: sweep no others than those of this name.
    """
    try:
        sweep(target.parent, only=only)
        room, lock = _make_room(target)
    except OSError as err:
        raise cannot_write(target, err) from err
    try:
        try:
            sync_folder(room)  # without the lock's name nobody could tell later that the room is nobody's
        except OSError as err:
            raise cannot_write(target, err) from err
        yield room / target.name
    finally:
        _clear(room)
        os.close(lock)


def _make_room(target: Path) -> tuple[Path, int]:
    while True:
        room = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            lock = acquire(room / _LOCK)
        except FileNotFoundError:  # another process swept it before it was locked
            continue
        except OSError:  # the disk is full
            room.rmdir()
            raise
        if lock is not None:
            return room, lock


def sweep(folder: Path, *, only: str = "") -> None:
    """Remove the temporary folders of processes that were killed, and none that a living one uses.

    only: those of this name; empty: all.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in list(entries):
            match = _ROOM.fullmatch(entry.name)
            if match and only in ("", match["name"]) and entry.is_dir(follow_symlinks=False):
                _sweep_room(Path(entry.path), match["name"])


def _sweep_room(room: Path, name: str) -> None:
    try:
        room.rmdir()  # killed before it was locked; one that was just made is made anew
    except OSError:
        lock = take_over(room / _LOCK)
        if lock is None:
            return
        try:
            aside, target = room / f"{name}.old", room.parent / name
            if aside.exists() and not target.exists():  # killed between the two renames of `_replace`
                aside.rename(target)
            _clear(room)
        finally:
            os.close(lock)


def _clear(room: Path) -> None:
    """Remove a temporary folder, its lock last: what a kill leaves of it can be swept."""
    with suppress(OSError):
        for path in room.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _LOCK:
                path.unlink()
        if [path.name for path in room.iterdir()] == [_LOCK]:
            (room / _LOCK).unlink()
            room.rmdir()
