"""Zip archives (wheels are some) that come from elsewhere: nothing is written outside the folder it is meant for."""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from domain_ner.errors import DomainNerError

BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError)


def is_inside(name: str) -> bool:
    """Whether a name that came from elsewhere stays below the folder that it is joined to, on any system."""
    is_absolute = PureWindowsPath(name).anchor != "" or ":" in name
    return not is_absolute and "\\" not in name and not {"", ".", ".."} & set(name.split("/"))


def require_inside(names: Iterable[str], source: str) -> None:
    """Raise DomainNerError for a name that does not stay below its folder. source: what the names are from."""
    outside = [name for name in names if not is_inside(name)]
    if outside:
        raise DomainNerError(
            f"{source} names the file {outside[0]!r}, which would land outside its folder: nothing of it is used.",
            "Do not trust it, and tell whoever publishes it.",
        )


def unpack(archive: Path, folder: Path, *, below: str = "") -> None:
    """Copy the files below a folder of the archive (all of them: "") into `folder`.

    Raises DomainNerError, before a file is written, when it is no zip, or when any member of it would land outside or
    is a link; and when a member is damaged.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            require_inside([one.filename.removesuffix("/") for one in members], str(archive))
            _require_no_links(members, archive)
            for one in members:
                path = PurePosixPath(one.filename)
                if path.is_relative_to(below) and not one.is_dir():
                    _copy(opened, one, folder / path.relative_to(below))
    except (OSError, *BROKEN_ZIP) as err:
        raise DomainNerError(f"Cannot read {archive}: {err}", "Download or build it again.") from err


def _require_no_links(members: Iterable[zipfile.ZipInfo], archive: Path) -> None:
    links = [one.filename for one in members if stat.S_ISLNK(one.external_attr >> 16)]
    if links:
        raise DomainNerError(
            f"{archive} holds a symbolic link, {links[0]!r}; expected plain files: nothing of it is used.",
            "Do not trust it, and tell whoever publishes it.",
        )


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as stream:
        shutil.copyfileobj(source, stream)


class Member:
    """A file in an archive, for what only reads: it is never written anywhere, whatever its name.

    Has what reading text asks of a path. zipfile.Path would do, but waits for ever on some names before Python 3.12.5.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._member = name
        self.name = PurePosixPath(name).name
        self.suffix = PurePosixPath(name).suffix

    def __str__(self) -> str:
        return f"{self._archive.filename}/{self._member}"

    @contextmanager
    def open(self, mode: str = "r", *, encoding: str = "utf-8", **options: Any) -> Iterator[IO[Any]]:
        """Open it to read bytes (`rb`) or text."""
        with self._archive.open(self._member) as stream:
            yield stream if "b" in mode else TextIOWrapper(stream, encoding=encoding, **options)
