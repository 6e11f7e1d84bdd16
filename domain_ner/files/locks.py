"""Locks that a process holds while it lives, so that a dead process never blocks. Knows nothing of what they guard.

Uses flock(2). Where the system or the file system lacks it (Windows, some network drives), nothing is locked.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from domain_ner.errors import DomainNerError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def hold_lock(target: Path, command: str, *, shared: bool = False) -> Iterator[None]:
    """Lock `target` for this process; other processes that want it get an error that names this one.

    target: a file or a folder, which need not exist; `.NAME.lock` beside it names the holder. command: the name of the
    command, for the others' error. shared: lock for reading, together with other readers.
    If the lock file cannot be created, nothing is locked: the write itself will then raise the error.
    Raises DomainNerError while another process holds it.
    """
    path = target.absolute().parent / f".{target.absolute().name}.lock"
    with ExitStack() as stack:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = acquire(path, shared=shared)
            if lock is None:
                raise _in_use(target, path)
            stack.callback(_release, lock, path)
            _sign(lock, command, alone=not shared)
        yield


def require_free(folder: Path) -> None:
    """Raise DomainNerError while a process holds a lock in a folder."""
    for path in folder.glob(".*.lock"):
        lock = take_over(path)
        if lock is not None:
            os.close(lock)
        elif path.exists():
            raise _in_use(folder / path.name.removeprefix(".").removesuffix(".lock"), path)


def _in_use(target: Path, path: Path) -> DomainNerError:
    return DomainNerError(f"{target} is in use by {_holders(path)}.", "Wait until that has ended, or stop it.")


def cannot_write(target: Path, err: OSError) -> DomainNerError:
    """Make the error for a place that cannot be written to."""
    return DomainNerError(
        f"Cannot write {target}: {err.strerror or err}.",
        f"Make {target.parent} a folder you may write to, or free space.",
    )


def acquire(path: Path, *, shared: bool = False) -> int | None:
    """Lock a file, created if missing, and return its descriptor; closing that releases the lock.

    Returns None if another process holds it.
    """
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if _flock(lock, shared=shared) is False:
            os.close(lock)
            return None
        if _is_at(lock, path):
            return lock
        os.close(lock)  # its holder removed the file in the meantime


def take_over(path: Path) -> int | None:
    """Lock an existing file if certainly no living process holds it; else return None."""
    try:
        lock = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    if _flock(lock, shared=False) and _is_at(lock, path):
        return lock
    os.close(lock)
    return None


def _flock(lock: int, *, shared: bool) -> bool | None:
    """Whether the lock was acquired; None where locks are not supported."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_at(lock: int, path: Path) -> bool:
    """Whether the path still names the open file."""
    try:
        opened, named = os.fstat(lock), path.stat()
    except OSError:
        return False
    return (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino)


def _sign(lock: int, command: str, *, alone: bool) -> None:
    row = {"pid": os.getpid(), "command": command, "since": datetime.now().strftime("%Y-%m-%d %H:%M:%S")}
    if alone:
        os.ftruncate(lock, 0)
    os.lseek(lock, 0, os.SEEK_END)
    os.write(lock, (json.dumps(row) + "\n").encode())


def _release(lock: int, path: Path) -> None:
    # The last holder removes the file: while others read, an exclusive lock fails.
    if _flock(lock, shared=False) is not False and _is_at(lock, path):
        with suppress(OSError):
            path.unlink()
    os.close(lock)


def _holders(path: Path) -> str:
    """Describe the living processes that signed a lock file: number, command and start time."""
    holders = []
    with suppress(OSError, ValueError, KeyError, TypeError):
        for row in map(json.loads, path.read_text(encoding="utf8").splitlines()):
            if _is_alive(row["pid"]):
                holders.append(f"process {row['pid']} ({row['command']}, since {row['since']})")
    return " and ".join(holders) or "another process"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
