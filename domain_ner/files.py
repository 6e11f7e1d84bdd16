"""Files written whole or not at all and safe from a power cut, temporary folders that leave nothing behind, checksums.

Knows no format.
"""

import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from domain_ner.locks import acquire, cannot_write, take_over

CHUNK_BYTES = 1 << 20
# From linux/fcntl.h and linux/fs.h: paths are relative to the working folder; swap the two.
_HERE, _RENAME_EXCHANGE = -100, 2
# Above so many files, everything the system has in memory is written at once: that is faster than one file at a time.
_MAX_SYNCED = 100
# A temporary folder beside its target, as mkdtemp names it; the file in it that its process keeps locked.
_ROOM = re.compile(r"\.(?P<name>.+)-[a-z0-9_]{8}")
_LOCK = "domain-ner.lock"
_SCRATCH = "domain-ner"
# What a full or broken disk answers, without the name of the file.
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
SEAL = "checksums.json"


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@dataclass
class _Together:
    """What waits for its name: (temporary path, target), in the order it was written. begun: temporary paths."""

    rooms: ExitStack
    waiting: list[tuple[Path, Path]] = field(default_factory=list)
    begun: list[Path] = field(default_factory=list)

    def holds(self, target: Path) -> bool:
        """Whether a path lies in a folder that waits for its own name."""
        return any(one in target.parents for one in self.begun)


_written_together: ContextVar[_Together | None] = ContextVar("written together", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Within it, what is written keeps its temporary name to the end; then all of it gets its own, or nothing does.

    So a full or a read-only disk, or Ctrl-C, never leaves one file new and another old. What is written there cannot be
    read there.
    """
    with ExitStack() as rooms:
        batch = _Together(rooms)
        token = _written_together.set(batch)
        try:
            yield
        finally:
            _written_together.reset(token)
        _rename_all(batch.waiting)


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; a clean exit renames it to `target`, any other leaves `target` as it was.

    All of it is on the disk before it gets its name, and the name before this returns: a power cut leaves the former or
    the new one. What killed processes left in the folder is removed. Within `together` the name comes at its end.
    target: a file or a folder. The caller creates the temporary path as the one or the other.
    Raises DomainNerError when the folder cannot be written to, or the disk is full.
    """
    try:
        make_folder(target.parent)
    except OSError as err:
        raise cannot_write(target, err) from err
    batch = _written_together.get()
    if batch is not None and batch.holds(target):
        batch = None
    with ExitStack() as own:
        temporary = (own if batch is None else batch.rooms).enter_context(_room(target))
        if batch is not None:
            batch.begun.append(temporary)
        try:
            yield temporary
            sync(temporary)
            if batch is None:
                _replace(temporary, target)
                _sync_folder(target.parent)
            else:
                batch.waiting.append((temporary, target))
        except OSError as err:
            if names_no_file(err):
                raise cannot_write(target, err) from err
            raise


def names_no_file(err: OSError) -> bool:
    """Whether this is what the system says of a full or a broken disk while something is written."""
    return err.errno in _DISK_ERRORS and err.filename is None


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder among the system's temporary ones, and remove it; those of killed processes are removed."""
    with _room(Path(tempfile.gettempdir()) / _SCRATCH, only=_SCRATCH) as folder:
        folder.mkdir()
        yield folder


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text with `\\n` line ends, whole or not at all."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf8", newline="\n")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that a power cut does not take them."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        _sync_folder(one.parent)


def sync(path: Path) -> None:
    """Return when a file, or all that a folder holds, is on the disk."""
    if not path.is_dir():
        _sync_file(path)
        return
    found = [(Path(folder), files) for folder, _, files in os.walk(path)]
    if sum(len(files) for _, files in found) > _MAX_SYNCED and hasattr(os, "sync"):
        os.sync()
        return
    for folder, files in found:
        for one in (folder / name for name in files):
            if one.is_file():
                _sync_file(one)
        _sync_folder(folder)


def _sync_file(path: Path) -> None:
    # Windows syncs only what is open for writing.
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0) if os.name == "nt" else os.O_RDONLY
    opened = os.open(path, flags)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _sync_folder(folder: Path) -> None:
    """Let the names in a folder be on the disk, where the system can (not on Windows, nor on some network drives)."""
    try:
        if os.name != "nt":
            _sync_file(folder)
    except OSError as err:
        if err.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):
            raise


@contextmanager
def _room(target: Path, *, only: str = "") -> Iterator[Path]:
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
            _sync_folder(room)  # without the lock's name nobody could tell later that the room is nobody's
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


def _replace(temporary: Path, target: Path) -> None:
    """Put `temporary` in the place of `target`; a folder that is there takes the place of `temporary`."""
    if not target.is_dir():
        temporary.replace(target)
    elif not _exchange(temporary, target):
        # A rename cannot replace a full folder, so that there is a moment without one.
        aside = temporary.with_name(f"{target.name}.old")
        target.rename(aside)
        try:
            temporary.rename(target)
        except OSError:
            aside.rename(target)
            raise


def _rename_all(waiting: Sequence[tuple[Path, Path]]) -> None:
    """Give each its name; where one cannot have it, those before it are as they were."""
    undo = ExitStack()
    for temporary, target in waiting:
        try:
            _swap(temporary, target, undo)
        except OSError as err:
            undo.close()
            raise cannot_write(target, err) from err
    for folder in {target.parent for _, target in waiting}:
        _sync_folder(folder)


def _swap(temporary: Path, target: Path, undo: ExitStack) -> None:
    """Put `temporary` in the place of `target`, whose former content is kept; `undo` is told how to go back."""
    if not target.exists():
        temporary.rename(target)
        undo.callback(target.rename, temporary)
    elif _exchange(temporary, target):
        undo.callback(_exchange, temporary, target)
    else:
        aside = temporary.with_name(f"{target.name}.old")
        target.rename(aside)
        undo.callback(aside.rename, target)
        temporary.rename(target)
        undo.callback(target.rename, temporary)


def _exchange(one: Path, other: Path) -> bool:
    """Let two paths change places at once, where the system can (Linux: renameat2); tells whether it did."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    return rename is not None and rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _RENAME_EXCHANGE) == 0


def discard(folder: Path) -> None:
    """Remove a folder at once: a process that is killed meanwhile leaves all of it in its place, or nothing."""
    if folder.is_dir():
        with _room(folder) as aside:
            folder.rename(aside)


def remove_within(folder: Path, names: Iterable[str]) -> None:
    """Remove folders of these names from a folder, and the folder itself where nothing else is in it."""
    for name in names:
        discard(folder / name)
    with suppress(OSError):
        folder.rmdir()


def link_folder(source: Path, copy: Path) -> None:
    """Copy a folder whose files nobody changes in their place; takes no room where the file system has hard links."""

    def link(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)

    shutil.copytree(source, copy, copy_function=link)


def sha256_of_folder(folder: Path) -> str:
    """A SHA-256 of the names and the bytes of all files in a folder, those in its folders included."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    told = "".join(f"{path.relative_to(folder).as_posix()} {sha256(path)}\n" for path in files)
    return hashlib.sha256(told.encode()).hexdigest()


def seal(folder: Path) -> None:
    """Write the checksums of all files of a folder into it, for `find_damage`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    checksums = {path.relative_to(folder).as_posix(): sha256(path) for path in files}
    (folder / SEAL).write_text(json.dumps(checksums, indent=1) + "\n", encoding="utf8")


def find_damage(folder: Path) -> str:
    """What is wrong with a sealed folder: a file that is missing, empty or of other bytes. Empty: nothing."""
    try:
        checksums = json.loads((folder / SEAL).read_text(encoding="utf8"))
        for name, checksum in checksums.items():
            path = folder / name
            if not path.is_file():
                return f"{name} is missing"
            if sha256(path) != checksum:
                return f"{name} holds other bytes than were written" if path.stat().st_size else f"{name} is empty"
    except FileNotFoundError:
        return f"{SEAL} is missing"
    except (OSError, ValueError, AttributeError) as err:
        return f"{SEAL} cannot be read ({type(err).__name__})" if not isinstance(err, OSError) else str(err)
    return ""
