"""From passages to the corpus: splits, near-duplicates, the tokenizer and what it learns, and documents.

Knows no export format.
Public: `divide` (`splits`), `Assigned` (`assignments`), `group_near_duplicates` (`near_duplicates`), `make_doc`
(`docs`), `flatten` (`overlaps`), `create_tokenizer` (`tokenizer`), `learn_splits` (`token_splits`), `CorpusFile`
(`corpus_file`).
"""
