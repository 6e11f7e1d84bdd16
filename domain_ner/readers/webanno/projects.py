"""Where a file stands in the export of a project of INCEpTION or WebAnno: whose work it is, on which document."""

from pathlib import PurePosixPath

# In each of these a folder a document, and in that a file an annotator, or a zip with it.
FOLDERS = ("annotation", "curation")
# In the place of an annotator's name: the document as it was before anybody annotated it.
UNTOUCHED = "INITIAL_CAS"


def project_place(name: str) -> tuple[str, str]:
    """(document, annotator) of `annotation/DOCUMENT/…/ANNOTATOR.tsv`; two empty strings for other places."""
    path = PurePosixPath(name)
    for n, part in enumerate(path.parts[:-2]):
        if part in FOLDERS:
            return path.parts[n + 1], path.stem
    return "", ""
