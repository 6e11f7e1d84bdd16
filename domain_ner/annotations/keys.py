"""Keys of corpus documents that several rooms read or write."""

# The span group of rejected spans: the `incorrect_spans_key` of spaCy's `ner`.
REJECTED_KEY = "incorrect_spans"
