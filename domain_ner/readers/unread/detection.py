"""Detects common unsupported formats, so that the error names them and says what to do."""

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from domain_ner.files.archives import BROKEN_ZIP
from domain_ner.readers.json_files.json_rows import first_values
from domain_ner.readers.text_files.xml_text import Root, find_root
from domain_ner.readers.unread.signatures import (
    JSON_SIGNATURES,
    MAGIC,
    OFFICE,
    PROJECT,
    TEXT_ONLY,
    TEXT_SIGNATURES,
    WRITE,
    XML_ROOTS,
    XML_SIGNATURES,
    ZIP_MAGIC,
    UnsupportedFormat,
)
from domain_ner.readers.webanno.projects import FOLDERS

PRODIGY_KEYS = {"_task_hash", "_input_hash", "_view_id", "answer"}
N_NAMED = 3


def find_unread(text: str) -> UnsupportedFormat | None:
    """Detect the unsupported format of a file that begins with `text`; None if it is unknown."""
    root = find_root(text)
    if root:
        return _xml(root)
    detected = next((kind for pattern, kind in TEXT_SIGNATURES if pattern.search(text)), None)
    return detected or (_json(text) if text.lstrip().startswith(("{", "[")) else None)


def find_unread_bytes(path: Path) -> UnsupportedFormat | None:
    """Detect the unsupported format of a binary file by its first bytes; None if it is unknown."""
    with path.open("rb") as stream:
        start = stream.read(16)
    detected = next((kind for magic, kind in MAGIC if start.startswith(magic)), None)
    if detected or not start.startswith(ZIP_MAGIC):
        return detected
    names = _names(path)
    by_member = (kind for part, _, kind in OFFICE if any(name.startswith(part) for name in names))
    by_suffix = (kind for _, suffixes, kind in OFFICE if path.suffix.lower() in suffixes)
    return next(by_member, None) or next(by_suffix, None)


def find_unread_zip(path: Path) -> UnsupportedFormat | None:
    """Describe a zip that no reader recognises; None if it cannot be opened."""
    names = _names(path)
    if not names:
        return None
    if any(name.endswith(".tsv") and {*PurePosixPath(name).parts} & {*FOLDERS} for name in names):
        return UnsupportedFormat("an INCEpTION or WebAnno project in WebAnno TSV", f"Unpack it. {PROJECT}")
    listed = ", ".join(names[:N_NAMED]) + (f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else "")
    return UnsupportedFormat(f"a zip with {listed}", "Unpack it: only zips of doccano and INCEpTION are read directly.")


def _names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return [name for name in archive.namelist() if not name.endswith("/")]
    except (OSError, ValueError, LookupError, *BROKEN_ZIP):
        return []


def _xml(root: Root) -> UnsupportedFormat | None:
    detected = next((kind for pattern, kind in XML_SIGNATURES if pattern.search(root.rest)), None)
    return XML_ROOTS.get(root.name) or detected


def _json(text: str) -> UnsupportedFormat | None:
    row = _first(first_values(text))
    if not isinstance(row, Mapping):
        return None
    detected = next((kind for paths, kind in JSON_SIGNATURES if all(_holds(row, path) for path in paths)), None)
    if detected:
        return detected
    jobs = [key for key in row if f"{key}-metadata" in row and _holds(row[key], "annotations.entities")]
    if jobs and "source" in row:
        what = f"`source`, and startOffset, endOffset and label of the entities in `{jobs[0]}`"
        return UnsupportedFormat("Amazon SageMaker Ground Truth (manifest)", f"{WRITE}: {what}.")
    media = next((key for key in ("audio", "image", "video") if key in row), "")
    if media and "text" not in row and row.keys() & PRODIGY_KEYS:
        return UnsupportedFormat(f"Prodigy ({media})", TEXT_ONLY)
    return None


def _holds(value: Any, path: str) -> bool:
    """Whether a value has a key at the end of a path of keys; for a list, the first item counts."""
    for key in path.split("."):
        value = _first(value)
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True


def _first(value: Any) -> Any:
    while isinstance(value, list | tuple):
        value = value[0] if value else None
    return value
