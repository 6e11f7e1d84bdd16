"""An imported classifier as a package: it predicts the same from its wheel."""

import pytest
import spacy
from pipelines import run
from spacy.tokens import DocBin
from tiny_taggers import WORDS, build_tagger
from wheels import load_wheel, pickles_in

from domain_ner.packaging.wheels import predict

pytestmark = pytest.mark.slow


def test_an_imported_pipeline_is_calibrated_scored_and_packaged(tiny_encoder, tmp_path):
    """ModernBERT with labels without beginnings: this needs every layer that only imports use."""
    folder = build_tagger(tiny_encoder("modernbert"), tmp_path / "tagger", ["O", "LOC", "PER"], spread=3.0)
    model, corpus = tmp_path / "model", tmp_path / "corpus.spacy"
    run("import_hf", folder, model)
    nlp = spacy.load(model)
    docs = [nlp(f"{WORDS} {n}") for n in range(30)]
    assert sum(len(doc.ents) for doc in docs) > 0
    for doc in docs:
        doc.user_data.clear()
    DocBin(docs=docs, store_user_data=True).to_disk(corpus)
    calibrated = tmp_path / "calibrated"
    run("calibrate_model", model, corpus, calibrated, tmp_path / "calibration.json", "--threshold", "f1")
    run("evaluate_model", calibrated, corpus, tmp_path / "metrics.json")
    texts = [doc.text for doc in docs]
    assert predict(load_wheel(calibrated, tmp_path), texts) == predict(spacy.load(calibrated), texts)
    assert pickles_in(calibrated) == []
