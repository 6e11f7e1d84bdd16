"""Finds the exports in a folder, and detects the format of each by its content."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from domain_ner.annotations.records import ExportFile, Format, ReaderOptions, Sample, unreadable
from domain_ner.errors import DomainNerError, raise_for
from domain_ner.readers.formats import FORMATS
from domain_ner.readers.text_files.decoding import read_sample
from domain_ner.readers.text_files.xml_text import find_root
from domain_ner.readers.unread import detection as unread
from domain_ner.readers.unread.signatures import UnsupportedFormat

# Files beside exports that are not exports: documents, configurations of tools, the texts of brat's pairs.
LEFT_ALONE = {".md", ".conf", ".yml", ".yaml", ".cfg", ".arrow"}
# Exceptions: these are exports.
DOCUMENTS = {".md", ".yml", ".yaml"}
# Root elements of XML beside exports: Label Studio's labelling interface, the type system of a CAS.
LEFT_ALONE_ROOTS = {"View", "typeSystemDescription"}
LEFT_ALONE_NAMES = {"dataset_info.json", "state.json", "dataset_dict.json", "settings.json"}
# Names of files that describe a data set, in any case.
ABOUT = re.compile(r"(readme([-_][^.]*)?|licen[cs]e|copying|citation|changelog)(\.(txt|rst|cff|bib))?", re.IGNORECASE)
# Files that systems and office programs put into folders.
HIDDEN = re.compile(r"\.|__MACOSX|~\$|(ehthumbs(_vista)?|thumbs)\.db$|desktop\.ini$", re.IGNORECASE)
BRAT_PARTNERS = (".ann", ".a1")
BINARY = {".spacy", ".zip"}
MAX_NAMED = 5


def find_exports(folder: Path, *, format: str = "", options: ReaderOptions = ReaderOptions()) -> list[ExportFile]:  # noqa: B008
    """Find every export in a folder and its subfolders, sorted by name; or the one file that `folder` is.

    format: the `NAME` of a format, for all files; empty: detect each by content.
    Hidden files, documents, configurations and the texts of brat's pairs are ignored; linked folders are read.
    Raises DomainNerError when there is nothing to read, and for files that are unreadable or of unknown format.
    """
    candidates = [folder] if folder.is_file() else _files(folder) if folder.is_dir() else []
    paths = [path for path in candidates if path == folder or not _is_left_alone(path)]
    if not paths:
        raise DomainNerError(
            f"No annotations: {folder} {_holds(candidates, folder) if folder.is_dir() else 'does not exist'}.",
            f"Put the export of the annotation tool into {folder}; formats: {', '.join(f.NAME for f in FORMATS)}.",
        )
    root = folder.parent if folder.is_file() else folder
    return [_export_file(path, path.relative_to(root).as_posix(), _format(path, format), options) for path in paths]


def detect(path: Path) -> Format | None:
    """Detect the format of a file by its content; None if no reader recognises it.

    Raises DomainNerError for a file without text, for a binary file that is not a DocBin or zip, and for known
    but unsupported formats.
    """
    if not path.stat().st_size and path.suffix not in BRAT_PARTNERS:  # brat's .ann of a text without entities is empty
        raise DomainNerError(f"{path} is empty (0 bytes).", "Export it again, or remove the file.")
    if path.suffix.lower() in BINARY or not path.stat().st_size:
        sample = Sample(path, "", whole=False)
    else:
        _refuse(path, unread.find_unread_bytes(path))
        text, whole = read_sample(path)
        if not text and path.suffix not in BRAT_PARTNERS:
            raise DomainNerError(f"{path} is empty: it has only white space.", "Export it again, or remove the file.")
        sample = Sample(path, text.removeprefix("\ufeff"), whole)
        _refuse(path, unread.find_unread(sample.text))
    detected = next((format for format in FORMATS if _recognises(format, sample)), None)
    if detected is None and path.suffix.lower() == ".zip":
        _refuse(path, unread.find_unread_zip(path))
    return detected


def _refuse(path: Path, unsupported: UnsupportedFormat | None) -> None:
    if unsupported:
        raise DomainNerError(f"{path} is {unsupported.description}, which is not supported.", unsupported.advice)


def _recognises(format: Format, sample: Sample) -> bool:
    try:
        return format.recognises(sample)
    except (DomainNerError, OSError):
        raise
    except Exception as err:
        raise unreadable(sample.path, format.TITLE, err) from err


def _files(folder: Path) -> list[Path]:
    """List every file below a folder, sorted by name. A folder behind several links is read once.

    Raises DomainNerError for unreadable entries, so that no export is skipped.
    """
    faults: list[str] = []

    def refuse(error: OSError) -> None:
        faults.append(f"{error.filename}: {error.strerror}; expected a folder that you may read")

    files: list[Path] = []
    for path in _walk(folder, refuse):
        fault = _fault(path)
        if fault:
            faults.append(f"{path}: {fault}")
        else:
            files.append(path)
    raise_for(
        faults,
        summary=f"Cannot read {{n}} of the files and folders in {folder}:",
        fix="Repair them, or move them elsewhere.",
    )
    return sorted(files)


def _walk(folder: Path, refuse: Callable[[OSError], None]) -> Iterator[Path]:
    seen: set[Path] = set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=refuse):
        real = Path(place).resolve()
        if real in seen:  # reached through a link before, or a link to a folder above
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        yield from (Path(place, name) for name in names if not _is_hidden(name))


def _fault(path: Path) -> str:
    """Say why a file cannot be read; empty if it can."""
    if path.is_symlink() and not path.exists():
        return f"a link to {path.readlink()}, which does not exist"
    if not path.is_file():
        return "not a file, but a pipe, a socket or a device"
    return "" if os.access(path, os.R_OK) else "you may not read it"


def _holds(left_alone: Sequence[Path], folder: Path) -> str:
    """Describe the content of a folder without exports."""
    if not left_alone:
        return "has no file"
    listed = ", ".join(path.relative_to(folder).as_posix() for path in left_alone[:MAX_NAMED])
    more = f" and {len(left_alone) - MAX_NAMED} more" if len(left_alone) > MAX_NAMED else ""
    return f"has no file of a supported kind, only {listed}{more}"


def _is_hidden(name: str) -> bool:
    return bool(HIDDEN.match(name))


def _is_left_alone(path: Path) -> bool:
    suffix = path.suffix.lower()
    if ABOUT.fullmatch(path.name):
        return True
    if suffix == ".xml":
        root = find_root(_beginning(path))
        return root is not None and root.name in LEFT_ALONE_ROOTS
    if suffix in LEFT_ALONE or path.name in LEFT_ALONE_NAMES:
        return suffix not in DOCUMENTS or unread.find_unread(_beginning(path)) is None
    partner = path.suffix == ".txt" and any(path.with_suffix(suffix).is_file() for suffix in BRAT_PARTNERS)
    return partner or (path.suffix == ".a2" and path.with_suffix(".a1").is_file())


def _beginning(path: Path) -> str:
    """Return the beginning of a text; empty if the file is not text."""
    try:
        return read_sample(path)[0]
    except DomainNerError:
        return ""


def _format(path: Path, name: str) -> Format:
    if name:
        return _named(name)
    detected = detect(path)
    if detected is None:
        root = find_root(_beginning(path)) if path.suffix.lower() != ".zip" else None
        what = f"XML with the root element <{root.name}>, " if root else ""
        raise DomainNerError(
            f"{path} is {what}of no known format; expected one of {', '.join(format.TITLE for format in FORMATS)}.",
            "Export in one of these, name it in vars.reading (format=…), or move the file elsewhere.",
        )
    return detected


def _named(name: str) -> Format:
    matches: Sequence[Format] = [format for format in FORMATS if name == format.NAME]
    if not matches:
        raise DomainNerError(
            f"vars.reading has format={name}; expected one of {', '.join(format.NAME for format in FORMATS)}."
        )
    return matches[0]


def _export_file(path: Path, name: str, format: Format, options: ReaderOptions) -> ExportFile:
    return ExportFile(name, path, format.NAME, format.TITLE, format.read, options)
