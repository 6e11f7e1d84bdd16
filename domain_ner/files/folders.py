"""Folders removed at once, and copied without copying."""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from domain_ner.files.temporary import temporary_path


def discard(folder: Path) -> None:
    """Remove a folder at once: a process that is killed meanwhile leaves all of it in its place, or nothing."""
    if folder.is_dir():
        with temporary_path(folder) as aside:
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
