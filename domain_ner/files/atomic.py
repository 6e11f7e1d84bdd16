"""Writes files and folders whole or not at all, safe from a power cut. Knows no format."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from domain_ner.files.locks import cannot_write
from domain_ner.files.renaming import rename_all, replace
from domain_ner.files.syncing import is_disk_error, make_folder, sync, sync_folder
from domain_ner.files.temporary import temporary_path


@dataclass
class _Batch:
    """What is written within `together`. waiting: (temporary path, target) in order; begun: all temporary paths."""

    temp_folders: ExitStack
    waiting: list[tuple[Path, Path]] = field(default_factory=list)
    begun: list[Path] = field(default_factory=list)

    def holds(self, target: Path) -> bool:
        """Whether a path lies in a folder of this batch that has not been renamed yet."""
        return any(folder in target.parents for folder in self.begun)


_current_batch: ContextVar[_Batch | None] = ContextVar("current batch", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Rename all that is written in this context at its end: either every file gets its name, or none does.

    A full or read-only disk, or Ctrl-C, then never leaves one file new and another old. Until the end, files written
    in the context cannot be read under their names.
    """
    with ExitStack() as temp_folders:
        batch = _Batch(temp_folders)
        token = _current_batch.set(batch)
        try:
            yield
        finally:
            _current_batch.reset(token)
        rename_all(batch.waiting)


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; a clean exit renames it to `target`, any other leaves `target` as it was.

    The content is synced to disk before the rename, and the rename before this returns. A power cut therefore leaves
    the old or the new file. Leftovers of killed processes in the folder are removed. Within `together` the rename
    happens at its end.
    target: a file or a folder. The caller creates the temporary path as a file or as a folder.
    Raises DomainNerError when the folder cannot be written to, or the disk is full.
    """
    try:
        make_folder(target.parent)
    except OSError as err:
        raise cannot_write(target, err) from err
    batch = _current_batch.get()
    if batch is not None and batch.holds(target):
        batch = None
    with ExitStack() as own:
        temporary = (own if batch is None else batch.temp_folders).enter_context(temporary_path(target))
        if batch is not None:
            batch.begun.append(temporary)
        try:
            yield temporary
            sync(temporary)
            if batch is None:
                replace(temporary, target)
                sync_folder(target.parent)
            else:
                batch.waiting.append((temporary, target))
        except OSError as err:
            if is_disk_error(err):
                raise cannot_write(target, err) from err
            raise


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text with `\\n` line ends, whole or not at all."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf8", newline="\n")
