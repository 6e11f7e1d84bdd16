"""The transformer of a pipeline: spacy-transformers' model with an exact alignment of tokens and wordpieces.

Public: `create_transformer_model` (`architectures`), `create_lexical_listener` (`lexical`), `create_first_and_mean`
(`pooling`), `ExactTransformerModel` (`model`).
"""
