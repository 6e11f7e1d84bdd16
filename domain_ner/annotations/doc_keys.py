"""Where a spaCy document holds what a passage has beside its text and its entities. Names alone, no spaCy."""

# Span groups: where `spancat` looks for spans, and what `ner` is told are wrong ones (its `incorrect_spans_key`).
SPANS_KEY = "sc"
REJECTED_KEY = "incorrect_spans"
# Keys of `doc.user_data`.
SOURCE_KEY = "source"
META_KEY = "meta"
DOCUMENT_KEY = "document"
ANNOTATOR_KEY = "annotator"
ORIGINAL_KEY = "original_text"
# Of silver documents (`training.silver`): how much the loss counts, and another model's marginals.
WEIGHT_KEY = "weight"
MARGINALS_KEY = "tag_marginals"
