"""`crf_ner`: a named-entity recogniser that gives the exact probability of each entity.

From the ground up: `lattice`, `decoding` and `loss` (torch alone), `model` (thinc), `pipe` (spaCy).
Public: `create_crf_ner` (`factory`), `CRFRecognizer` (`pipe`), `create_crf_model` (`model`), `fit` (`fitting`).
"""
