"""Finds the CAS of an export: in a file, in a zip, or in the zips inside a project's zip, each with its types."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import cast

from domain_ner.annotations.records import FileLog
from domain_ner.errors import DomainNerError
from domain_ner.files.archives import BROKEN_ZIP, Member, duplicate_names, require_size
from domain_ner.readers.json_files.json_rows import first_values
from domain_ner.readers.text_files.decoding import read_sample
from domain_ner.readers.text_files.xml_text import find_root
from domain_ner.readers.webanno.projects import project_place

XMI_ROOT, TYPE_SYSTEM_ROOT = "XMI", "typeSystemDescription"
JSON_KEYS = {"%TYPES", "%FEATURE_STRUCTURES", "%VIEWS"}
SUFFIXES = (".xmi", ".xml", ".json")
MAX_UNPACKED_BYTES = 1 << 30
# Limit for a zip in a zip, which is held in memory.
MAX_INNER_BYTES = 1 << 28
# For a damaged zip, Python's reader may also report an offset outside the file, or an unterminated name.
BROKEN = (OSError, ValueError, LookupError, *BROKEN_ZIP)


@dataclass(frozen=True)
class CasFile:
    """A CAS. name: as reports cite it. path: of the file or member. type_systems: for XMI, those beside it.

    document, annotator: from its place in a project; empty if it is in none.
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
    """Whether a zip has a CAS, or is the export of a project with some. An unreadable zip has none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(True for _ in _in_archive(archive, path.name, FileLog(path.name)))
    except (DomainNerError, *BROKEN):
        return False


def cas_files(path: Path, log: FileLog) -> Iterator[CasFile]:
    """Yield the CAS of a file or zip, sorted by name.

    Raises DomainNerError for a zip that is unreadable or unpacks to more than 1 GiB, and for XMI without types.
    """
    if path.suffix.lower() != ".zip":
        types = _beside(path, log.file)
        if not types and find_root(read_sample(path)[0]):
            raise DomainNerError(
                f"{path} has no type system: there is no TypeSystem.xml beside it or in a folder above.",
                "Put it there, as in the export, or use the whole zip instead of both.",
            )
        yield _cas_file(log.file, path, types)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _in_archive(archive, log.file, log)
    except BROKEN as err:
        raise DomainNerError(f"{path} is not a readable zip: {err}.", "Download the export again.") from err


def _in_archive(archive: zipfile.ZipFile, name: str, log: FileLog, *, is_inner: bool = False) -> Iterator[CasFile]:
    """Yield the CAS in an archive. name: of the archive."""
    require_size(archive.infolist(), name, MAX_UNPACKED_BYTES)
    members = [(candidate, _kind(archive, candidate)) for candidate in _members(archive)]
    types = [candidate for candidate, kind in members if kind == TYPE_SYSTEM_ROOT]
    for twice in duplicate_names(candidate for candidate, _ in members):
        log.note("two files in the zip have the same name; both are read", case=twice)
    for member, kind in members:
        inside = f"{name}/{member.filename}"
        if kind == XMI_ROOT:
            folder = PurePosixPath(member.filename).parent
            near = [candidate for candidate in types if PurePosixPath(candidate.filename).parent == folder]
            yield _cas_file(inside, _path(archive, member), [_path(archive, candidate) for candidate in near or types])
        elif member.filename.lower().endswith(".zip") and not is_inner:
            yield from _in_inner(archive, member, inside, log)


def _in_inner(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, log: FileLog) -> Iterator[CasFile]:
    """Yield the CAS of a zip within a zip; an unreadable one is a problem in the log."""
    try:
        require_size([member], name, MAX_INNER_BYTES)
        with zipfile.ZipFile(io.BytesIO(archive.read(member))) as inner:
            yield from _in_archive(inner, name, log, is_inner=True)
    except (DomainNerError, *BROKEN) as err:
        log.n_documents += 1
        reason = err.message if isinstance(err, DomainNerError) else f"not a readable zip ({err})"
        log.problem(0, f"{member.filename}: {reason}")


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """List the files of an archive that may be, or contain, a CAS."""
    paths = [
        (PurePosixPath(member.filename), member)
        for member in archive.infolist()
        if member.filename and not member.is_dir()
    ]
    return [
        member
        for path, member in sorted(paths, key=lambda each: each[0])
        if path.suffix.lower() in (*SUFFIXES, ".zip") and not path.name.startswith(".") and "__MACOSX" not in path.parts
    ]


def _kind(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    """Return XMI_ROOT for any CAS, TYPE_SYSTEM_ROOT for types; empty for others, and for unreadable files."""
    name = member.filename.lower()
    if name.endswith(".zip") or not member.file_size:
        return ""
    if name.endswith(".xmi"):
        return XMI_ROOT
    try:
        text = read_sample(_path(archive, member))[0]
    except (DomainNerError, *BROKEN):
        return ""
    if is_cas(text):
        return XMI_ROOT
    root = find_root(text)
    return root.name if root and root.name == TYPE_SYSTEM_ROOT else ""


def _path(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Path:
    return cast("Path", Member(archive, member))  # has the methods that decoding needs


def _beside(path: Path, name: str) -> Sequence[Path]:
    """Find the type systems in the folder of a file, else in the nearest folder above that has any."""
    folders = list(path.parents)[: len(PurePosixPath(name).parts)]
    return next(filter(None, (_type_systems_in(folder, folder.stat().st_mtime_ns) for folder in folders)), ())


@lru_cache(maxsize=16)  # every file of a folder needs them
def _type_systems_in(folder: Path, changed: int) -> tuple[Path, ...]:
    """List the type systems of a folder. changed: its modification time, which invalidates the cache."""
    return tuple(path for path in sorted(folder.glob("*.[xX][mM][lL]")) if path.is_file() and _is_type_system(path))


def _is_type_system(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as stream:
        root = find_root(stream.read(1 << 12))
    return root is not None and root.name == TYPE_SYSTEM_ROOT


def _cas_file(name: str, path: Path, type_systems: Sequence[Path]) -> CasFile:
    return CasFile(name, path, tuple(type_systems), *project_place(name))
