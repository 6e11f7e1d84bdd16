"""The transformer of a pipeline: spacy-transformers' model with an exact token alignment."""
