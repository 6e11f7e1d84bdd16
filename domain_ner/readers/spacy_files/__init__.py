"""spaCy's own files: DocBin, the training JSON of v2, and training data as JSON or Python."""
