"""Removes folders atomically, and copies them as hard links."""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from domain_ner.files.temporary import temporary_path


def discard(folder: Path) -> None:
    """Remove a folder atomically: a kill in between leaves all of it, or nothing."""
    if folder.is_dir():
        with temporary_path(folder) as aside:
            folder.rename(aside)


def remove_within(folder: Path, names: Iterable[str]) -> None:
    """Remove the folders of these names from a folder, and then the folder itself if it is empty."""
    for name in names:
        discard(folder / name)
    with suppress(OSError):
        folder.rmdir()


def link_folder(source: Path, copy: Path) -> None:
    """Copy a folder whose files are never edited in place; uses hard links where the file system has them."""

    def link(source_file: str, copied_file: str) -> None:
        try:
            os.link(source_file, copied_file)
        except OSError:
            shutil.copy2(source_file, copied_file)

    shutil.copytree(source, copy, copy_function=link)
