"""Files with a token and a tag per line: CoNLL and its relatives, CoNLL-U, and token CSV."""
