"""A pipeline without a transformer: onnxruntime runs the convolutions of its tok2vec."""

import json
import subprocess

import numpy as np
import pytest
import spacy
from pipelines import convert, create_config, fetch, learn_by_heart
from spacy.ml.models.tok2vec import MaxoutWindowEncoder, MishWindowEncoder
from spacy.training import Example
from spacy.util import load_model_from_config
from thinc.api import Config, fix_random_seed
from torchless import link_packages

from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.sessions import Sessions
from domain_ner.onnx_encoder.tok2vec import ENCODED, MAX_ROWS, VECTORS
from domain_ner.optimizing import window_encoder
from domain_ner.optimizing.pipeline import optimize
from domain_ner.optimizing.window_encoder import export_window_encoder, is_window_encoder

TEXT = "The checkout-api calls Redis."
TEXTS = ["", TEXT, "Nothing here.", "  ", f"{TEXT} " * 200, "Then the checkout-api failed, and Redis\n\nwith it. "]
SPANS = [(4, 16, "SERVICE"), (23, 28, "INFRA")]
RUNTIMES = ["onnx", "onnx-int8"]


@pytest.fixture(scope="module")
def saved(example_rows, tmp_path_factory):
    """A pipeline that knows one sentence by heart, as `cnn` makes it, and its optimised forms beside it."""
    folder = tmp_path_factory.mktemp("pipelines")
    config = create_config(folder, fetch(folder, "cnn"), convert(folder / "corpus", example_rows[:24]))
    fix_random_seed(0)
    nlp = load_model_from_config(Config().from_disk(config, interpolate=False), auto_fill=True)
    given = [Example.from_dict(nlp.make_doc(TEXT), {"entities": SPANS})]
    given += [Example.from_dict(nlp.make_doc("Nothing here."), {"entities": []})]
    learn_by_heart(nlp, given, learn_rate=0.003, n_steps=60).to_disk(folder / "torch")
    for runtime in RUNTIMES:
        optimize(spacy.load(folder / "torch"), runtime).to_disk(folder / runtime)
    return folder


def found(doc):
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_it_finds_what_the_trained_pipeline_finds(saved, runtime):
    trained, optimized = spacy.load(saved / "torch"), spacy.load(saved / runtime)
    assert (trained.pipe_names, optimized.pipe_names) == (["tok2vec", "crf_ner"], ["crf_ner"])
    assert found(optimized(TEXT)) == SPANS
    for doc, expected in zip(optimized.pipe(TEXTS), trained.pipe(TEXTS), strict=True):
        assert found(doc) == found(expected)
        for ent, other in zip(doc.ents, expected.ents, strict=True):
            assert ent._.confidence == pytest.approx(other._.confidence, abs=1e-4 if runtime == "onnx" else 0.05)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_text_has_the_same_scores_alone_and_beside_others(saved, runtime):
    nlp = spacy.load(saved / runtime)
    recognizer = nlp.get_pipe("crf_ner")
    together = recognizer.tag_scores([nlp.make_doc(text) for text in TEXTS])
    for text, scores in zip(TEXTS, together, strict=True):
        (alone,) = recognizer.tag_scores([nlp.make_doc(text)])
        assert alone.shape == scores.shape
        assert np.allclose(alone, scores, atol=1e-4)


def test_parts_of_a_long_text_have_the_scores_of_the_whole(saved):
    """A token depends on few neighbours: a text of any length runs in passes of a fixed size."""
    text = " ".join(f"word{n % 97} checkout-api{n % 7}" for n in range(MAX_ROWS))
    trained, optimized = spacy.load(saved / "torch"), spacy.load(saved / "onnx")
    doc = optimized.make_doc(text)
    assert len(doc) > 2 * MAX_ROWS
    tok2vec = trained.get_pipe("tok2vec").model
    (expected,), (vectors,) = tok2vec.predict([doc]), optimized.get_pipe("crf_ner").model.layers[0].predict([doc])
    assert np.abs(expected - vectors).max() < 1e-4


WITHOUT = """
import json
import spacy
nlp = spacy.load(sys.argv[1])
docs = [[[ent.start_char, ent.end_char, ent.label_] for ent in doc.ents] for doc in nlp.pipe(json.loads(sys.argv[2]))]
assert not {"torch", "transformers", "spacy_transformers", "onnx", "tokenizers"} & sys.modules.keys()
print(json.dumps(docs))
"""


def test_it_needs_onnxruntime_and_nothing_of_pytorch(saved, tmp_path):
    trained, optimized = (spacy.load(saved / name) for name in ("torch", "onnx-int8"))
    assert trained.meta["requirements"] and optimized.meta["requirements"] == ["onnxruntime>=1.20"]
    *python, script = link_packages(tmp_path)
    command = [*python, script + WITHOUT, str(saved / "onnx-int8"), json.dumps(TEXTS)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1]) == [[[*ent] for ent in found(doc)] for doc in optimized.pipe(TEXTS)]


def test_the_default_model_of_the_recogniser_stays_as_it_is():
    """HashEmbedCNN: its config does not name the embedding by itself."""
    nlp = spacy.blank("en")
    nlp.add_pipe("crf_ner")
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc(TEXT), {"entities": SPANS})])
    expected = nlp.get_pipe("crf_ner").tag_scores([nlp.make_doc(TEXT)])[0]
    optimize(nlp, "onnx-int8")
    assert nlp.meta["requirements"] == []
    assert np.array_equal(nlp.get_pipe("crf_ner").tag_scores([nlp.make_doc(TEXT)])[0], expected)


def test_bytes_and_settings_are_loaded(saved):
    nlp = spacy.load(saved / "onnx-int8", config={"components.crf_ner.model.tok2vec.threads": 2})
    again = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert [found(doc) for doc in again.pipe(TEXTS)] == [found(doc) for doc in nlp.pipe(TEXTS)]
    assert again.get_pipe("crf_ner").model.get_ref("tok2vec").shims[0]._model.threads == 2
    empty = spacy.blank("en").from_config(nlp.config)
    with pytest.raises(DomainNerError, match="has no convolutions yet"):
        empty.get_pipe("crf_ner").model.get_ref("tok2vec").predict([nlp.make_doc(TEXT)])


def encoder(**settings):
    made = MaxoutWindowEncoder(**({"width": 16, "window_size": 1, "maxout_pieces": 3, "depth": 2} | settings))
    made.initialize(X=[np.zeros((2, 16), dtype=np.float32)])
    return made


@pytest.mark.parametrize("settings", [{}, {"window_size": 2, "depth": 1}, {"maxout_pieces": 2, "depth": 3}])
def test_convolutions_of_any_shape_are_exported(settings):
    made = encoder(**settings)
    rows = np.random.default_rng(1).normal(size=(7, 16)).astype(np.float32)
    (encoded,) = Sessions(export_window_encoder(made), 1).run([{VECTORS: rows}], ENCODED)
    assert np.abs(encoded - made.layers[0].predict(rows)).max() < 1e-5


def test_an_export_that_computes_something_else_is_refused(monkeypatch):
    monkeypatch.setattr(window_encoder, "EPSILON", 1.0)
    with pytest.raises(DomainNerError, match="computes other vectors than spaCy"):
        export_window_encoder(encoder())


def test_other_encoders_stay_as_they_are():
    other = MishWindowEncoder(width=16, window_size=1, depth=2)
    other.initialize(X=[np.zeros((2, 16), dtype=np.float32)])
    assert is_window_encoder(encoder()) and not is_window_encoder(other)
