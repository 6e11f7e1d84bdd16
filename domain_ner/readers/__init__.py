"""Readers of annotation exports: from files of an annotation tool to passages. One module a format."""

from domain_ner.readers.folder import Annotations, ReadResult, merge, read_annotations, read_folder

__all__ = ["Annotations", "ReadResult", "merge", "read_annotations", "read_folder"]
