"""Where the CAS of an export are: in a file, in a zip, or in the zips within a project's zip, each with its types."""

import io
import struct
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import cast

from domain_ner.archives import BROKEN_ZIP, Member
from domain_ner.errors import DomainNerError
from domain_ner.readers.decoding import read_sample
from domain_ner.readers.json_rows import first_values
from domain_ner.readers.projects import project_place
from domain_ner.readers.xml_text import find_root
from domain_ner.records import FileLog

XMI_ROOT, TYPE_SYSTEM_ROOT = "XMI", "typeSystemDescription"
JSON_KEYS = {"%TYPES", "%FEATURE_STRUCTURES", "%VIEWS"}
SUFFIXES = (".xmi", ".xml", ".json")
MAX_UNPACKED = 1 << 31
MAX_INNER_ZIP = 1 << 28
# Of a damaged zip Python's own reader also says that a place is not in the file, or a name has no end.
BROKEN = (OSError, ValueError, LookupError, struct.error, *BROKEN_ZIP)


@dataclass(frozen=True)
class CasFile:
    """A CAS. name: as findings cite it. path: of the file or member. type_systems: of XMI, those beside it.

    document, annotator: as its place in a project tells; empty where it is in none.
    """

    name: str
    path: Path
    type_systems: tuple[Path, ...]
    document: str
    annotator: str


def is_cas(text: str) -> bool:
    """Whether a file that begins with `text` is XMI, or a CAS in JSON."""
    root = find_root(text)
    if root:
        return root.name == XMI_ROOT
    first = next(iter(first_values(text)), None) if text.lstrip().startswith("{") else None
    return isinstance(first, dict) and bool(first.keys() & JSON_KEYS)


def is_cas_archive(path: Path) -> bool:
    """Whether a zip holds a CAS, or is the export of a project with some."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(True for _ in _in_archive(archive, path.name, FileLog(path.name)))
    except (DomainNerError, *BROKEN):
        return False


def cas_files(path: Path, log: FileLog) -> Iterator[CasFile]:
    """The CAS of a file or zip, in the order of their names.

    Raises DomainNerError for a zip that cannot be read, or that unpacks to more than 2 GiB.
    """
    if path.suffix.lower() != ".zip":
        yield _cas_file(log.file, path, _beside(path, log.file))
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _in_archive(archive, log.file, log)
    except BROKEN as err:
        raise DomainNerError(f"{path} is no readable zip: {err}.", "Download the export again.") from err


def _in_archive(archive: zipfile.ZipFile, name: str, log: FileLog, *, is_inner: bool = False) -> Iterator[CasFile]:
    """name: of the archive."""
    members = _members(archive, name)
    kinds = {member: _kind(archive, member) for member in members}
    types = {member: _path(archive, member, name) for member, kind in kinds.items() if kind == TYPE_SYSTEM_ROOT}
    for member, kind in kinds.items():
        if kind == XMI_ROOT:
            folder = PurePosixPath(member).parent
            near = [path for one, path in types.items() if PurePosixPath(one).parent == folder]
            yield _cas_file(f"{name}/{member}", _path(archive, member, name), near or list(types.values()))
        elif member.lower().endswith(".zip") and not is_inner:
            yield from _in_inner(archive, member, f"{name}/{member}", log)


def _in_inner(archive: zipfile.ZipFile, member: str, name: str, log: FileLog) -> Iterator[CasFile]:
    if archive.getinfo(member).file_size > MAX_INNER_ZIP:
        raise DomainNerError(f"{name} has more than {MAX_INNER_ZIP:,} bytes, a zip in a zip.", "Unpack it by itself.")
    try:
        with zipfile.ZipFile(io.BytesIO(archive.read(member))) as inner:
            yield from _in_archive(inner, name, log, is_inner=True)
    except BROKEN as err:
        log.n_documents += 1
        log.problem(0, f"{member}: no readable zip ({err})")


def _members(archive: zipfile.ZipFile, name: str) -> list[str]:
    """The files of an archive that may be a CAS, or hold one."""
    infos = [info for info in archive.infolist() if info.filename and not info.is_dir()]
    size = sum(info.file_size for info in infos)
    if size > MAX_UNPACKED:
        raise DomainNerError(
            f"{name} unpacks to {size:,} bytes; at most {MAX_UNPACKED:,} are read.", "Export less at once."
        )
    paths = [PurePosixPath(info.filename) for info in infos]
    found = [
        str(path)
        for path in sorted(paths)
        if path.suffix.lower() in (*SUFFIXES, ".zip") and not path.name.startswith(".") and "__MACOSX" not in path.parts
    ]
    twice = [member for member, n in Counter(found).items() if n > 1]
    if twice:
        raise DomainNerError(f"{name} holds two files called {twice[0]}.", "Export again, or unpack it.")
    return found


def _kind(archive: zipfile.ZipFile, member: str) -> str:
    """XMI_ROOT for any CAS, TYPE_SYSTEM_ROOT for types; empty for others, and what cannot be read."""
    if member.lower().endswith(".zip") or not archive.getinfo(member).file_size:
        return ""
    if member.lower().endswith(".xmi"):
        return XMI_ROOT
    try:
        text = read_sample(_path(archive, member, ""))[0]
    except (DomainNerError, *BROKEN):
        return ""
    if is_cas(text):
        return XMI_ROOT
    root = find_root(text)
    return root.name if root and root.name == TYPE_SYSTEM_ROOT else ""


def _path(archive: zipfile.ZipFile, member: str, name: str) -> Path:
    return cast("Path", Member(archive, archive.getinfo(member)))  # has what decoding asks of a path


def _beside(path: Path, name: str) -> Sequence[Path]:
    """The type systems in the folder of a file, else in the nearest folder above it that has any."""
    folders = list(path.parents)[: len(PurePosixPath(name).parts)]
    return next(filter(None, (_type_systems_in(folder, folder.stat().st_mtime_ns) for folder in folders)), ())


@lru_cache(maxsize=16)  # for each file of a folder asks
def _type_systems_in(folder: Path, changed: int) -> tuple[Path, ...]:
    """changed: when, so that what is remembered is not of another time."""
    return tuple(one for one in sorted(folder.glob("*.[xX][mM][lL]")) if one.is_file() and _is_type_system(one))


def _is_type_system(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as stream:
        root = find_root(stream.read(1 << 12))
    return root is not None and root.name == TYPE_SYSTEM_ROOT


def _cas_file(name: str, path: Path, type_systems: Sequence[Path]) -> CasFile:
    return CasFile(name, path, tuple(type_systems), *project_place(name))
