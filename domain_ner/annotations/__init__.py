"""The package's data model of annotations: export records, passages, outcomes, tag schemes, and renamed labels.

Pure Python: knows no spaCy and no export format.
Public: `Record` (`records`), `SourceSpan` (`records`), `Format` (`records`), `Passage` (`passages`), `LabelledSpan`
(`passages`), `TagScheme` (`tag_schemes`), `LabelNames` (`label_names`), `Outcome` (`outcomes`), `SPANS_KEY`
(`doc_keys`).
"""
