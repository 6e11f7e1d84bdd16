"""Derives document and annotator from a file's place in a project export of INCEpTION or WebAnno."""

from pathlib import PurePosixPath

# Each has a folder per document, with a file per annotator, or a zip with it.
FOLDERS = ("annotation", "curation")
# Instead of an annotator's name: the document before anybody annotated it.
UNTOUCHED = "INITIAL_CAS"


def project_place(name: str) -> tuple[str, str]:
    """Return (document, annotator) of `annotation/DOCUMENT/…/ANNOTATOR.tsv`; two empty strings for other places."""
    path = PurePosixPath(name)
    for n, part in enumerate(path.parts[:-2]):
        if part in FOLDERS:
            return path.parts[n + 1], path.stem
    return "", ""
