"""`crf_ner`: a named-entity recogniser that says how sure it is."""
