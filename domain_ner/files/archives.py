"""Zip archives (wheels are some) that come from elsewhere: nothing is written outside the folder it is meant for."""

import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from domain_ner.errors import DomainNerError

# What reading a damaged, encrypted or foreign zip raises; the last two of what its list of members holds.
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, struct.error, OverflowError)
# Wheels of pipelines and encoders are at most some GB.
MAX_UNPACKED_BYTES = 1 << 36


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

    Raises DomainNerError, before a file is written, when it is no zip, unpacks to too much, or when any member of it
    would land outside, is a link, or has the name of another; and when a member is damaged.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            require_inside([one.filename.removesuffix("/") for one in members], str(archive))
            _require_no_links(members, archive)
            require_size(members, archive, MAX_UNPACKED_BYTES)
            if twice := names_that_stand_twice(members):
                raise DomainNerError(f"{archive} holds two files called {twice[0]!r}.", "Download or build it again.")
            for one in members:
                path = PurePosixPath(one.filename)
                if path.is_relative_to(below) and not one.is_dir():
                    _copy(opened, one, folder / path.relative_to(below))
    except (OSError, *BROKEN_ZIP) as err:
        raise DomainNerError(f"Cannot read {archive}: {err}", "Download or build it again.") from err


def require_size(members: Iterable[zipfile.ZipInfo], source: str | Path, limit: int) -> None:
    """Raise DomainNerError for members that unpack to more than `limit` bytes. source: what they are from."""
    n_bytes = sum(one.file_size for one in members)
    if n_bytes > limit:
        raise DomainNerError(
            f"{source} unpacks to {n_bytes:,} bytes; expected at most {limit:,}: nothing of it is used.",
            "Unpack it yourself, if you trust it, and use the files.",
        )


def names_that_stand_twice(members: Iterable[zipfile.ZipInfo]) -> list[str]:
    """Names that more than one member has."""
    return [name for name, n in Counter(one.filename for one in members).items() if n > 1]


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

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        self._archive = archive
        self._member = member
        self.name = PurePosixPath(member.filename).name
        self.suffix = PurePosixPath(member.filename).suffix

    def __str__(self) -> str:
        return f"{self._archive.filename}/{self._member.filename}"

    @contextmanager
    def open(self, mode: str = "r", *, encoding: str = "utf-8", **options: Any) -> Iterator[IO[Any]]:
        """Open it to read bytes (`rb`) or text. Raises one of BROKEN_ZIP where it is damaged."""
        try:
            opened = self._archive.open(self._member)
        except ValueError as err:  # of a name that is no text, or a place that is none
            raise zipfile.BadZipFile(str(err)) from err
        with opened as stream:
            yield stream if "b" in mode else TextIOWrapper(stream, encoding=encoding, **options)
