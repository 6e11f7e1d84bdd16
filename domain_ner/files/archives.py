"""Reads zip archives (wheels too) from untrusted sources, and never writes outside the target folder."""

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

# Raised for a damaged, encrypted or foreign zip; the last two come from its list of members.
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, struct.error, OverflowError)
# Wheels of pipelines and encoders have at most a few GB.
MAX_UNPACKED_BYTES = 1 << 36


def is_inside(name: str) -> bool:
    """Whether an untrusted name stays below the folder that it is joined to, on any operating system."""
    is_absolute = PureWindowsPath(name).anchor != "" or ":" in name
    return not is_absolute and "\\" not in name and not {"", ".", ".."} & set(name.split("/"))


def require_inside(names: Iterable[str], source: str) -> None:
    """Raise DomainNerError for a name that would leave its folder. source: where the names come from."""
    outside = [name for name in names if not is_inside(name)]
    if outside:
        raise DomainNerError(
            f"{source} names the file {outside[0]!r}, which would land outside its folder. Nothing of it is used.",
            "Do not trust it, and report it to its publisher.",
        )


def unpack(archive: Path, folder: Path, *, below: str = "") -> None:
    """Copy the files below a folder of the archive into `folder`. below: that folder; empty for all files.

    Raises DomainNerError before a file is written, when the archive is not a zip or unpacks to too much. The same for
    a member that would land outside, is a link, or has the name of another; and later for a damaged member.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            require_inside([member.filename.removesuffix("/") for member in members], str(archive))
            _require_no_links(members, archive)
            require_size(members, archive, MAX_UNPACKED_BYTES)
            if duplicates := duplicate_names(members):
                raise DomainNerError(
                    f"{archive} holds two files called {duplicates[0]!r}.", "Download or build it again."
                )
            for member in members:
                path = PurePosixPath(member.filename)
                if path.is_relative_to(below) and not member.is_dir():
                    _copy(opened, member, folder / path.relative_to(below))
    except (OSError, *BROKEN_ZIP) as err:
        raise DomainNerError(f"Cannot read {archive}: {err}", "Download or build it again.") from err


def require_size(members: Iterable[zipfile.ZipInfo], source: str | Path, limit: int) -> None:
    """Raise DomainNerError if members unpack to more than `limit` bytes. source: where they come from."""
    n_bytes = sum(member.file_size for member in members)
    if n_bytes > limit:
        raise DomainNerError(
            f"{source} unpacks to {n_bytes:,} bytes; expected at most {limit:,}. Nothing of it is used.",
            "If you trust it, unpack it yourself and use the files.",
        )


def duplicate_names(members: Iterable[zipfile.ZipInfo]) -> list[str]:
    """List the names that more than one member has."""
    return [name for name, n in Counter(member.filename for member in members).items() if n > 1]


def _require_no_links(members: Iterable[zipfile.ZipInfo], archive: Path) -> None:
    links = [member.filename for member in members if stat.S_ISLNK(member.external_attr >> 16)]
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
    """A file in an archive, for reading only: it is never written anywhere, whatever its name.

    Has the methods of a path that reading text needs. zipfile.Path would do, but hangs on some names before
    Python 3.12.5.
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
        except ValueError as err:  # the name cannot be decoded, or the offset is impossible
            raise zipfile.BadZipFile(str(err)) from err
        with opened as stream:
            yield stream if "b" in mode else TextIOWrapper(stream, encoding=encoding, **options)
