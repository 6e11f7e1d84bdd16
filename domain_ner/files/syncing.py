"""Waits until files and folders are synced to disk."""

import errno
import os
from pathlib import Path

# Above so many files, one sync of the whole system is faster than one file at a time.
_MAX_SYNCED = 100
# Errors of a full or broken disk; they come without a file name.
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


def is_disk_error(err: OSError) -> bool:
    """Whether this is the error of a full or broken disk during a write."""
    return err.errno in _DISK_ERRORS and err.filename is None


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, and sync them so that they survive a power cut."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)


def sync(path: Path) -> None:
    """Return when a file, or everything in a folder, is on disk."""
    if not path.is_dir():
        _sync_file(path)
        return
    walked = [(Path(folder), files) for folder, _, files in os.walk(path)]
    if sum(len(files) for _, files in walked) > _MAX_SYNCED and hasattr(os, "sync"):
        os.sync()
        return
    for folder, files in walked:
        for file in (folder / name for name in files):
            if file.is_file():
                _sync_file(file)
        sync_folder(folder)


def _sync_file(path: Path) -> None:
    # Windows syncs only files that are open for writing.
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0) if os.name == "nt" else os.O_RDONLY
    opened = os.open(path, flags)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def sync_folder(folder: Path) -> None:
    """Sync the entries of a folder where the system can (not on Windows, nor on some network drives)."""
    try:
        if os.name != "nt":
            _sync_file(folder)
    except OSError as err:
        if err.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):
            raise
