"""Annotations as all of the package sees them: records of exports, passages and what becomes of them, tag schemes,
other names for labels.

Pure Python: no spaCy, no format.
Public: `Record` (`records`), `SourceSpan` (`records`), `Format` (`records`), `Passage` (`passages`), `LabelledSpan`
(`passages`), `TagScheme` (`tag_schemes`), `LabelNames` (`label_names`), `Outcome` (`outcomes`), `SPANS_KEY`
(`doc_keys`).
"""
