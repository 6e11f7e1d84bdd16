"""Files written whole or not at all, and their checksums. Knows no format."""

import ctypes
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from domain_ner.errors import DomainNerError

CHUNK_BYTES = 1 << 20
# From linux/fcntl.h and linux/fs.h: paths are relative to the working folder; swap the two.
_HERE, _RENAME_EXCHANGE = -100, 2


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; a clean exit renames it to `target`, any other leaves `target` as it was.

    target: a file or a folder. The caller creates the temporary path as the one or the other.
    Raises DomainNerError when the folder cannot be written to.
    """
    temporary = _temporary_beside(target)
    try:
        yield temporary
        _replace(temporary, target)
    finally:
        _remove(temporary)


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text with `\\n` line ends, whole or not at all."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf8", newline="\n")


def _temporary_beside(target: Path) -> Path:
    """A free path in the folder of `target`: on the same file system, so that a rename is atomic."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        room = tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent)
    except OSError as err:
        raise DomainNerError(
            f"Cannot write {target}: {err.strerror}.", f"Make {target.parent} a folder you may write to, or free space."
        ) from err
    return Path(room) / target.name


def _replace(temporary: Path, target: Path) -> None:
    """Put `temporary` in the place of `target`; a folder that is there takes the place of `temporary`."""
    if not target.is_dir():
        temporary.replace(target)
    elif not _exchange(temporary, target):
        # A rename cannot replace a full folder, so that there is a moment without one.
        aside = temporary.with_name(f"{target.name}.old")
        target.rename(aside)
        try:
            temporary.rename(target)
        except OSError:
            aside.rename(target)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Let two paths change places at once, where the system can (Linux: renameat2); tells whether it did."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    return rename is not None and rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _RENAME_EXCHANGE) == 0


def _remove(temporary: Path) -> None:
    shutil.rmtree(temporary.parent, ignore_errors=True)


def remove_within(folder: Path, names: Iterable[str]) -> None:
    """Remove folders of these names from a folder, and the folder itself where nothing else is in it."""
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)
    with suppress(OSError):
        folder.rmdir()


def sha256_of_folder(folder: Path) -> str:
    """A SHA-256 of the names and the bytes of all files in a folder, those in its folders included."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    told = "".join(f"{path.relative_to(folder).as_posix()} {sha256(path)}\n" for path in files)
    return hashlib.sha256(told.encode()).hexdigest()
