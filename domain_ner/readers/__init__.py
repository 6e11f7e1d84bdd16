"""Readers of annotation exports: from files of an annotation tool to records. One module a format."""
