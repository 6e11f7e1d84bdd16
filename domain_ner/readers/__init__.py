"""Readers of annotation exports: from files of an annotation tool to passages. One module a format."""

from domain_ner.readers.folder import ReadResult, read_folder

__all__ = ["ReadResult", "read_folder"]
