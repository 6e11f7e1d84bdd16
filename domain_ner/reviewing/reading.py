"""Reads the exports of reviewed tasks."""

from collections.abc import Sequence
from pathlib import Path

from domain_ner.annotations.passages import Passage
from domain_ner.conversion.exports import ImportSettings, read_annotations, require_usable


def read_reviews(exports: Sequence[Path], settings: ImportSettings) -> list[Passage]:
    """Read files and folders of exports as merged passages, one for each text of a file or folder.

    Raises DomainNerError for unreadable documents or annotations, and for contradicting annotators.
    """
    passages = list[Passage]()
    for export in exports:
        read = read_annotations(export, settings)
        require_usable(read, max_loss=0)
        passages += read.merged
    return passages
