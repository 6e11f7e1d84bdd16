"""Where the CAS of an export are: in a file, in a zip, or in the zips within a project's zip, each with its types."""

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
# Of a zip in a zip, which is held in memory.
MAX_INNER_BYTES = 1 << 28
# Of a damaged zip Python's own reader also says that a place is not in the file, or a name has no end.
BROKEN = (OSError, ValueError, LookupError, *BROKEN_ZIP)


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
    """Whether a zip holds a CAS, or is the export of a project with some. One that cannot be read is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(True for _ in _in_archive(archive, path.name, FileLog(path.name)))
    except (DomainNerError, *BROKEN):
        return False


def cas_files(path: Path, log: FileLog) -> Iterator[CasFile]:
    """The CAS of a file or zip, in the order of their names.

    Raises DomainNerError for a zip that cannot be read, or that unpacks to more than 1 GiB, and for XMI without types.
    """
    if path.suffix.lower() != ".zip":
        types = _beside(path, log.file)
        if not types and find_root(read_sample(path)[0]):
            raise DomainNerError(
                f"{path} has no type system: TypeSystem.xml is not beside it, nor in a folder above.",
                "Put it there, as the export has it, or the whole zip in the place of both.",
            )
        yield _cas_file(log.file, path, types)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _in_archive(archive, log.file, log)
    except BROKEN as err:
        raise DomainNerError(f"{path} is no readable zip: {err}.", "Download the export again.") from err


def _in_archive(archive: zipfile.ZipFile, name: str, log: FileLog, *, is_inner: bool = False) -> Iterator[CasFile]:
    """name: of the archive."""
    require_size(archive.infolist(), name, MAX_UNPACKED_BYTES)
    members = [(one, _kind(archive, one)) for one in _members(archive)]
    types = [one for one, kind in members if kind == TYPE_SYSTEM_ROOT]
    for twice in duplicate_names(one for one, _ in members):
        log.note("a name that two files in the zip have, both of which are read", case=twice)
    for member, kind in members:
        inside = f"{name}/{member.filename}"
        if kind == XMI_ROOT:
            folder = PurePosixPath(member.filename).parent
            near = [one for one in types if PurePosixPath(one.filename).parent == folder]
            yield _cas_file(inside, _path(archive, member), [_path(archive, one) for one in near or types])
        elif member.filename.lower().endswith(".zip") and not is_inner:
            yield from _in_inner(archive, member, inside, log)


def _in_inner(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, log: FileLog) -> Iterator[CasFile]:
    """What is in a zip within a zip; one that cannot be read is a problem in the log."""
    try:
        require_size([member], name, MAX_INNER_BYTES)
        with zipfile.ZipFile(io.BytesIO(archive.read(member))) as inner:
            yield from _in_archive(inner, name, log, is_inner=True)
    except (DomainNerError, *BROKEN) as err:
        log.n_documents += 1
        told = err.message if isinstance(err, DomainNerError) else f"no readable zip ({err})"
        log.problem(0, f"{member.filename}: {told}")


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of an archive that may be a CAS, or hold one."""
    paths = [(PurePosixPath(one.filename), one) for one in archive.infolist() if one.filename and not one.is_dir()]
    return [
        one
        for path, one in sorted(paths, key=lambda each: each[0])
        if path.suffix.lower() in (*SUFFIXES, ".zip") and not path.name.startswith(".") and "__MACOSX" not in path.parts
    ]


def _kind(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    """XMI_ROOT for any CAS, TYPE_SYSTEM_ROOT for types; empty for others, and what cannot be read."""
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
    return cast("Path", Member(archive, member))  # has what decoding asks of a path


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
