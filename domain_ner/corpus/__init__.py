"""Builds the corpus from passages: splits, near-duplicates, the tokenizer and its learned splits, documents.

Knows no export format.
Public: `divide` (`splits`), `SplitAssignment` (`assignments`), `group_near_duplicates` (`near_duplicates`), `make_doc`
(`docs`), `flatten` (`overlaps`), `create_tokenizer` (`tokenizer`), `learn_splits` (`token_splits`), `CorpusFile`
(`corpus_file`).
"""
