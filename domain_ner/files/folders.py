"""Removes folders atomically, empties them, copies them as hard links, and checks what would be replaced."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from domain_ner.errors import DomainNerError
from domain_ner.files.temporary import sweep, temporary_path

# Keeps an empty folder in the repository.
KEPT = ".gitkeep"


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


def remove_made(path: Path) -> Iterator[Path]:
    """Remove a file, or what is in a folder but for its `.gitkeep`; gives each when it is removed.

    What killed processes left beside it is removed too, without a word.
    """
    sweep(path.parent)
    for made in sorted(path.iterdir()) if path.is_dir() else [path]:
        if made.name != KEPT and made.exists():
            shutil.rmtree(made) if made.is_dir() else made.unlink()
            yield made


def require_replaceable(folder: Path, mark: str, what: str) -> None:
    """Raise DomainNerError if something lies in an output's place that is not such an output: it would be lost.

    mark: a pattern of file names, one of which each such output holds. what: its name for the message.
    """
    is_folder = folder.is_dir()
    if not folder.exists() or (is_folder and (any(folder.glob(mark)) or _is_empty(folder))):
        return
    kind = "a folder with something else" if is_folder else "a file"
    raise DomainNerError(f"{folder} is {kind}; expected {what}, or nothing there.", "Name another folder.")


def _is_empty(folder: Path) -> bool:
    return all(path.name.startswith(".") for path in folder.iterdir())


def link_folder(source: Path, copy: Path) -> None:
    """Copy a folder whose files are never edited in place; uses hard links where the file system has them."""

    def link(source_file: str, copied_file: str) -> None:
        try:
            os.link(source_file, copied_file)
        except OSError:
            shutil.copy2(source_file, copied_file)

    shutil.copytree(source, copy, copy_function=link)
