"""Hugging Face, both ways: a pipeline as `AutoModelForTokenClassification`, and such a checkpoint as a pipeline.

Public: `export` (`exporting`), `measure_parity` (`parity`), `import_checkpoint` (`importing`).
"""
