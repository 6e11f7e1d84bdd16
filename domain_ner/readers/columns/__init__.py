"""Files of a token and a tag a line: CoNLL and its relatives, CoNLL-U, and token CSV."""
