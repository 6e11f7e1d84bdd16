"""Files and folders written whole or not at all, and safe from a power cut. Knows no format."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from domain_ner.files.locks import cannot_write
from domain_ner.files.renaming import rename_all, replace
from domain_ner.files.syncing import make_folder, names_no_file, sync, sync_folder
from domain_ner.files.temporary import temporary_path


@dataclass
class _Together:
    """What waits for its name: (temporary path, target), in the order it was written. begun: temporary paths."""

    rooms: ExitStack
    waiting: list[tuple[Path, Path]] = field(default_factory=list)
    begun: list[Path] = field(default_factory=list)

    def holds(self, target: Path) -> bool:
        """Whether a path lies in a folder that waits for its own name."""
        return any(one in target.parents for one in self.begun)


_written_together: ContextVar[_Together | None] = ContextVar("written together", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Within it, what is written keeps its temporary name to the end; then all of it gets its own, or nothing does.

    So a full or a read-only disk, or Ctrl-C, never leaves one file new and another old. What is written there cannot be
    read there.
    """
    with ExitStack() as rooms:
        batch = _Together(rooms)
        token = _written_together.set(batch)
        try:
            yield
        finally:
            _written_together.reset(token)
        rename_all(batch.waiting)


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; a clean exit renames it to `target`, any other leaves `target` as it was.

    All of it is on the disk before it gets its name, and the name before this returns: a power cut leaves the former or
    the new one. What killed processes left in the folder is removed. Within `together` the name comes at its end.
    target: a file or a folder. The caller creates the temporary path as the one or the other.
    Raises DomainNerError when the folder cannot be written to, or the disk is full.
    """
    try:
        make_folder(target.parent)
    except OSError as err:
        raise cannot_write(target, err) from err
    batch = _written_together.get()
    if batch is not None and batch.holds(target):
        batch = None
    with ExitStack() as own:
        temporary = (own if batch is None else batch.rooms).enter_context(temporary_path(target))
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
            if names_no_file(err):
                raise cannot_write(target, err) from err
            raise


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text with `\\n` line ends, whole or not at all."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf8", newline="\n")
