"""The transformer of a pipeline: spacy-transformers' model with an exact token alignment.

Public: `create_transformer_model` (`architectures`), `create_lexical_listener` (`lexical`), `create_first_and_mean`
(`pooling`), `ExactTransformerModel` (`model`).
"""
