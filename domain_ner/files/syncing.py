"""Waits until files and folders are on the disk."""

import errno
import os
from pathlib import Path

# Above so many files, everything the system has in memory is written at once: that is faster than one file at a time.
_MAX_SYNCED = 100
# What a full or broken disk answers, without the name of the file.
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


def names_no_file(err: OSError) -> bool:
    """Whether this is what the system says of a full or a broken disk while something is written."""
    return err.errno in _DISK_ERRORS and err.filename is None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that a power cut does not take them."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync_folder(one.parent)


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
        sync_folder(folder)


def _sync_file(path: Path) -> None:
    # Windows syncs only what is open for writing.
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0) if os.name == "nt" else os.O_RDONLY
    opened = os.open(path, flags)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder be on the disk, where the system can (not on Windows, nor on some network drives)."""
    try:
        if os.name != "nt":
            _sync_file(folder)
    except OSError as err:
        if err.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):
            raise
