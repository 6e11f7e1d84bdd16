"""Releases of a pipeline: a registry of immutable versions, and the steps that make a new one.

`registry` keeps the versions, in a folder or behind an fsspec URL (`stores`); `gate` compares a candidate with the
pipeline in use; `release` makes a version from what the workflow built.
Public: `Registry` (`registry`), `ReleaseRecord` (`records`), `release` (`release`), `Candidate` (`candidate`).
"""
