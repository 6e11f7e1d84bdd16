"""spaCy's own files: DocBin, v2's training JSON, and training data as JSON or Python."""
