"""Files written whole or not at all, and their checksums. Knows no format."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain_ner.errors import DomainNerError

CHUNK_BYTES = 1 << 20


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
    """Put `temporary` in the place of `target`. A folder is set aside first, since rename cannot replace a full one."""
    if target.is_dir():
        aside = temporary.with_name(f"{target.name}.old")
        target.rename(aside)
        try:
            temporary.rename(target)
        except OSError:
            aside.rename(target)
            raise
    else:
        temporary.replace(target)


def _remove(temporary: Path) -> None:
    shutil.rmtree(temporary.parent, ignore_errors=True)
