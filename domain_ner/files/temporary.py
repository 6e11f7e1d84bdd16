"""Temporary folders that are removed even if the process is killed: the next process sweeps them."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from domain_ner.files.locks import acquire, cannot_write, take_over
from domain_ner.files.syncing import sync_folder

# A temporary folder beside its target, as mkdtemp names it; and the file in it that its process keeps locked.
_TEMPORARY = re.compile(r"\.(?P<name>.+)-[a-z0-9_]{8}")
_LOCK = "domain-ner.lock"
_SCRATCH = "domain-ner"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty system temporary folder and remove it at the end; sweeps those of killed processes."""
    with temporary_path(Path(tempfile.gettempdir()) / _SCRATCH, only=_SCRATCH) as folder:
        folder.mkdir()
        yield folder


@contextmanager
def temporary_path(target: Path, *, only: str = "") -> Iterator[Path]:
    """Yield a free path named like `target` in a temporary folder beside it: one file system, so renames are atomic.

    The folder belongs to this process as long as it lives. only: sweep only folders of this name.
    """
    try:
        sweep(target.parent, only=only)
        temp_folder, lock = _make_folder(target)
    except OSError as err:
        raise cannot_write(target, err) from err
    try:
        try:
            sync_folder(
                temp_folder
            )  # if the lock's name were lost, nobody could tell that the temp_folder is abandoned
        except OSError as err:
            raise cannot_write(target, err) from err
        yield temp_folder / target.name
    finally:
        _clear(temp_folder)
        os.close(lock)


def _make_folder(target: Path) -> tuple[Path, int]:
    while True:
        temp_folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            lock = acquire(temp_folder / _LOCK)
        except FileNotFoundError:  # another process swept it before it was locked
            continue
        except OSError:  # the disk is full
            temp_folder.rmdir()
            raise
        if lock is not None:
            return temp_folder, lock


def sweep(folder: Path, *, only: str = "") -> None:
    """Remove the temporary folders of killed processes, and none that a living process uses.

    only: sweep only folders of this name; empty: all.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in list(entries):
            match = _TEMPORARY.fullmatch(entry.name)
            if match and only in ("", match["name"]) and entry.is_dir(follow_symlinks=False):
                _sweep_folder(Path(entry.path), match["name"])


def _sweep_folder(temp_folder: Path, name: str) -> None:
    try:
        temp_folder.rmdir()  # killed before it was locked; if it was just created, its owner creates another
    except OSError:
        lock = take_over(temp_folder / _LOCK)
        if lock is None:
            return
        try:
            aside, target = temp_folder / f"{name}.old", temp_folder.parent / name
            if aside.exists() and not target.exists():  # killed between the two renames of `replace`
                aside.rename(target)
            _clear(temp_folder)
        finally:
            os.close(lock)


def _clear(temp_folder: Path) -> None:
    """Remove a temporary folder, its lock last: if killed in between, the rest can still be swept."""
    with suppress(OSError):
        for path in temp_folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _LOCK:
                path.unlink()
        if [path.name for path in temp_folder.iterdir()] == [_LOCK]:
            (temp_folder / _LOCK).unlink()
            temp_folder.rmdir()
