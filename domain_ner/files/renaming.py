"""Renames finished files to their targets atomically: each replaces the former one, or nothing changes."""

import ctypes
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from domain_ner.files.locks import cannot_write
from domain_ner.files.syncing import sync_folder

# From linux/fcntl.h and linux/fs.h: paths are relative to the working folder; exchange the two.
_HERE, _RENAME_EXCHANGE = -100, 2


def replace(temporary: Path, target: Path) -> None:
    """Put `temporary` in the place of `target`; if `target` is a folder, the two are exchanged."""
    if not target.is_dir():
        temporary.replace(target)
    elif not _exchange(temporary, target):
        # A rename cannot replace a folder with content, so for a moment there is none.
        aside = temporary.with_name(f"{target.name}.old")
        target.rename(aside)
        try:
            temporary.rename(target)
        except OSError:
            aside.rename(target)
            raise


def rename_all(waiting: Sequence[tuple[Path, Path]]) -> None:
    """Rename every temporary path to its target; if one fails, undo those before it."""
    undo = ExitStack()
    for temporary, target in waiting:
        try:
            _swap(temporary, target, undo)
        except OSError as err:
            undo.close()
            raise cannot_write(target, err) from err
    for folder in {target.parent for _, target in waiting}:
        sync_folder(folder)


def _swap(temporary: Path, target: Path, undo: ExitStack) -> None:
    """Put `temporary` in the place of `target` and keep the former content; `undo` gets the way back."""
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


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two paths atomically if the system can (Linux: renameat2); returns whether it did."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    return rename is not None and rename(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _RENAME_EXCHANGE) == 0
