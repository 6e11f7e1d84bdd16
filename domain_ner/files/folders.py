"""Folders removed at once, emptied, and copied without copying."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from domain_ner.files.temporary import sweep, temporary_path

# Keeps an empty folder in the repository.
KEPT = ".gitkeep"


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


def remove_made(path: Path) -> Iterator[Path]:
    """Remove a file, or what is in a folder but for its `.gitkeep`; gives each when it is removed.

    What killed processes left beside it is removed too, without a word.
    """
    sweep(path.parent)
    for made in sorted(path.iterdir()) if path.is_dir() else [path]:
        if made.name != KEPT and made.exists():
            shutil.rmtree(made) if made.is_dir() else made.unlink()
            yield made


def link_folder(source: Path, copy: Path) -> None:
    """Copy a folder whose files nobody changes in their place; takes no room where the file system has hard links."""

    def link(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)

    shutil.copytree(source, copy, copy_function=link)
