"""`crf_ner`: a named-entity recogniser that gives the exact probability of each entity.

From the ground up: `charts` and `decoding` (NumPy alone); `lattice` and `loss` (PyTorch alone, to learn); `model`
(thinc); `pipe` (spaCy).
Public: `create_crf_ner` (`factory`), `CRFRecognizer` (`pipe`), `create_crf_model` (`model`), `fit` (`fitting`).
"""
