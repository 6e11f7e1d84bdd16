"""Annotations that a trained pipeline makes: what it is sure of is an annotation, what it is unsure of is unknown.

`completing` adds types to annotated passages, `combining` labels raw texts, `teaching` lets a pipeline teach another.
Public: `complete` (`completing`), `Completed` (`completing`), `label_texts` (`combining`), `taught` (`teaching`).
"""
