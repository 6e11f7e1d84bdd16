"""Annotations that a trained pipeline makes: what it is sure of is an annotation, what it is unsure of is unknown.

Public: `complete` (`completing`), `Completed` (`completing`).
"""
