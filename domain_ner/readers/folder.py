"""Finds the exports of a folder and tells the format of each by its content."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from domain_ner.errors import DomainNerError
from domain_ner.readers import (
    argilla,
    brat,
    conll,
    conllu,
    dataturks,
    docbin,
    doccano,
    gliner,
    hf_json,
    label_studio,
    label_studio_table,
    prodigy,
    spacy_json,
    token_csv,
    webanno,
)
from domain_ner.readers.decoding import read_sample
from domain_ner.records import ExportFile, Format, ReaderOptions, Sample, unreadable

# In the order they are asked: the more particular shape first.
FORMATS = cast(
    tuple[Format, ...],
    (
        prodigy, label_studio, label_studio_table, dataturks, argilla, gliner, hf_json, spacy_json, doccano, webanno,
        conllu, brat, docbin, token_csv, conll,
    ),
)  # fmt: skip
# What stands beside exports and is none: documents, configurations of the tools, the texts of brat's pairs.
LEFT_ALONE = {".md", ".conf", ".xml", ".yml", ".yaml", ".cfg", ".arrow"}
LEFT_ALONE_NAMES = {"README", "LICENSE", "dataset_info.json", "state.json", "dataset_dict.json"}
BRAT_PARTNERS = (".ann", ".a1")
BINARY = {".spacy", ".zip"}


def find_exports(folder: Path, *, format: str = "", options: ReaderOptions = ReaderOptions()) -> list[ExportFile]:  # noqa: B008
    """Every export in a folder and its subfolders, in the order of their names; or the one file that `folder` is.

    format: the `NAME` of a format, for all files; empty: told by the content of each.
    Hidden files, Markdown, configurations and the texts of brat's pairs are left alone.
    Raises DomainNerError when there is nothing to read, or for a file that is of no known format.
    """
    paths = [folder] if folder.is_file() else _files(folder)
    if not paths:
        raise DomainNerError(
            f"No annotations: {folder} {'holds no file' if folder.is_dir() else 'does not exist'}.",
            f"Put the export of the annotation tool into {folder}; formats: {', '.join(f.NAME for f in FORMATS)}.",
        )
    root = folder.parent if folder.is_file() else folder
    return [_export_file(path, path.relative_to(root).as_posix(), _format(path, format), options) for path in paths]


def detect(path: Path) -> Format | None:
    """The format of a file, by its content; None where no reader knows it.

    Raises DomainNerError for a file without any text, and for one that is binary and no DocBin or zip.
    """
    if not path.stat().st_size and path.suffix not in BRAT_PARTNERS:  # brat's .ann of a text without entities is empty
        raise DomainNerError(f"{path} is empty (0 bytes).", "Export again, or remove the file.")
    if path.suffix.lower() in BINARY or not path.stat().st_size:
        sample = Sample(path, "", whole=False)
    else:
        text, whole = read_sample(path)
        if not text and path.suffix not in BRAT_PARTNERS:
            raise DomainNerError(f"{path} is empty: it holds white space alone.", "Export again, or remove the file.")
        sample = Sample(path, text.removeprefix("\ufeff"), whole)
    return next((format for format in FORMATS if _recognises(format, sample)), None)


def _recognises(format: Format, sample: Sample) -> bool:
    try:
        return format.recognises(sample)
    except (DomainNerError, OSError):
        raise
    except Exception as err:
        raise unreadable(sample.path, format.TITLE, err) from err


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path.relative_to(folder)))
    return [path for path in found if not _is_left_alone(path)]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _is_left_alone(path: Path) -> bool:
    if path.suffix.lower() in LEFT_ALONE or path.name in LEFT_ALONE_NAMES:
        return True
    partner = path.suffix == ".txt" and any(path.with_suffix(suffix).is_file() for suffix in BRAT_PARTNERS)
    return partner or (path.suffix == ".a2" and path.with_suffix(".a1").is_file())


def _format(path: Path, name: str) -> Format:
    if name:
        return _named(name)
    found = detect(path)
    if found is None:
        raise DomainNerError(
            f"{path} is of no known format; expected one of {', '.join(format.TITLE for format in FORMATS)}.",
            "Export in one of these, name it in vars.reading (format=…), or move the file elsewhere.",
        )
    return found


def _named(name: str) -> Format:
    found: Sequence[Format] = [format for format in FORMATS if name == format.NAME]
    if not found:
        raise DomainNerError(
            f"vars.reading has format={name}; expected one of {', '.join(format.NAME for format in FORMATS)}."
        )
    return found[0]


def _export_file(path: Path, name: str, format: Format, options: ReaderOptions) -> ExportFile:
    return ExportFile(name, path, format.NAME, format.TITLE, format.read, options)
