"""Locks that a process holds while it lives, so that a dead one never blocks. Knows nothing of what they guard.

By flock(2). Where the system or the file system has none (Windows, some network drives), nothing is locked.
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
def held(target: Path, command: str, *, shared: bool = False) -> Iterator[None]:
    """Keep `target` for this process; others that ask for it are told who holds it.

    target: a file or a folder, there or not; `.NAME.lock` beside it says who holds it. command: what the others are
    told. shared: for reading, together with others that read.
    Where the file cannot be made, nothing is kept: whoever writes there is told by what it writes.
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
    """Raise DomainNerError while a process holds something in a folder."""
    for path in folder.glob(".*.lock"):
        lock = take_over(path)
        if lock is not None:
            os.close(lock)
        elif path.exists():
            raise _in_use(folder / path.name.removeprefix(".").removesuffix(".lock"), path)


def _in_use(target: Path, path: Path) -> DomainNerError:
    return DomainNerError(f"{target} is in use by {_holders(path)}.", "Wait until that has ended, or stop it.")


def cannot_write(target: Path, err: OSError) -> DomainNerError:
    """The error for a place that cannot be written to."""
    return DomainNerError(
        f"Cannot write {target}: {err.strerror or err}.",
        f"Make {target.parent} a folder you may write to, or free space.",
    )


def acquire(path: Path, *, shared: bool = False) -> int | None:
    """Lock a file, made where it is missing; gives its descriptor, which holds the lock until it is closed.

    None where another process holds it.
    """
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if _flock(lock, shared=shared) is False:
            os.close(lock)
            return None
        if _is_at(lock, path):
            return lock
        os.close(lock)  # who held it has removed it in the meantime


def take_over(path: Path) -> int | None:
    """Lock a file that is there and that for certain no living process holds; None for any other."""
    try:
        lock = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    if _flock(lock, shared=False) and _is_at(lock, path):
        return lock
    os.close(lock)
    return None


def _flock(lock: int, *, shared: bool) -> bool | None:
    """Whether the lock was had; None where there are no locks."""
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
    """Whether the open file is still the one of that name."""
    try:
        here, there = os.fstat(lock), path.stat()
    except OSError:
        return False
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _sign(lock: int, command: str, *, alone: bool) -> None:
    row = {"pid": os.getpid(), "command": command, "since": datetime.now().strftime("%Y-%m-%d %H:%M:%S")}
    if alone:
        os.ftruncate(lock, 0)
    os.lseek(lock, 0, os.SEEK_END)
    os.write(lock, (json.dumps(row) + "\n").encode())


def _release(lock: int, path: Path) -> None:
    # The last one removes the file: where others read, it cannot be had alone.
    if _flock(lock, shared=False) is not False and _is_at(lock, path):
        with suppress(OSError):
            path.unlink()
    os.close(lock)


def _holders(path: Path) -> str:
    """Who wrote into a lock's file and still lives: number, command and since when."""
    told = []
    with suppress(OSError, ValueError, KeyError, TypeError):
        for row in map(json.loads, path.read_text(encoding="utf8").splitlines()):
            if _is_alive(row["pid"]):
                told.append(f"process {row['pid']} ({row['command']}, since {row['since']})")
    return " and ".join(told) or "another process"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
