"""An optimised pipeline: finds what the trained one finds, with nothing of PyTorch imported."""

import copy
import json
import os
import subprocess
import sys
from multiprocessing import get_start_method, set_start_method

import pytest
import spacy
from pipelines import convert, create_config, fetch, learn_by_heart
from spacy.training import Example
from spacy.util import load_model_from_config
from thinc.api import Config, fix_random_seed
from torchless import link_packages

from domain_ner.errors import DomainNerError
from domain_ner.optimizing.pipeline import optimize

TEXT = "The checkout-api calls Redis."
TEXTS = ["", TEXT, "Nothing here.", f"{TEXT} " * 40, "Then the checkout-api failed, and Redis\n\nwith it. "]
SPANS = [(4, 16, "SERVICE"), (23, 28, "INFRA")]
RUNTIMES = ["onnx", "onnx-int8"]


def learned(tiny_encoder, example_rows, folder, family="roberta", *options):
    """A pipeline that knows one sentence by heart."""
    corpus = convert(folder / "corpus", example_rows[:24])
    config = create_config(folder, fetch(folder, tiny_encoder(family)), corpus, *options)
    fix_random_seed(0)
    nlp = load_model_from_config(Config().from_disk(config, interpolate=False), auto_fill=True)
    given = [Example.from_dict(nlp.make_doc(TEXT), {"entities": SPANS})]
    given += [Example.from_dict(nlp.make_doc("Nothing here."), {"entities": []})]
    return learn_by_heart(nlp, given, learn_rate=0.003, n_steps=60)


@pytest.fixture(scope="module")
def saved(tiny_encoder, example_rows, tmp_path_factory):
    """The trained pipeline in a folder, and its optimised forms beside it."""
    folder = tmp_path_factory.mktemp("pipelines")
    learned(tiny_encoder, example_rows, folder).to_disk(folder / "torch")
    for runtime in RUNTIMES:
        optimize(spacy.load(folder / "torch"), runtime).to_disk(folder / runtime)
    return folder


def found(doc):
    return [(ent.start_char, ent.end_char, ent.label_, round(ent._.confidence, 3)) for ent in doc.ents]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_it_finds_what_the_trained_pipeline_finds(saved, runtime):
    trained, optimized = spacy.load(saved / "torch"), spacy.load(saved / runtime)
    assert optimized.pipe_names == ["crf_ner"]
    for doc, expected in zip(optimized.pipe(TEXTS), trained.pipe(TEXTS), strict=True):
        assert [ent[:3] for ent in found(doc)] == [ent[:3] for ent in found(expected)]
        for ent, other in zip(doc.ents, expected.ents, strict=True):
            assert ent._.confidence == pytest.approx(other._.confidence, abs=1e-4 if runtime == "onnx" else 0.05)
    assert [ent[:3] for ent in found(optimized(TEXT))] == SPANS


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_pipe_equals_call(saved, runtime):
    nlp = spacy.load(saved / runtime)
    assert [found(doc) for doc in nlp.pipe(TEXTS)] == [found(nlp(text)) for text in TEXTS]


WITHOUT = """
import json
import spacy
nlp = spacy.load(sys.argv[1])
docs = [[[ent.start_char, ent.end_char, ent.label_] for ent in doc.ents] for doc in nlp.pipe(json.loads(sys.argv[2]))]
assert not {"torch", "transformers", "spacy_transformers", "onnx"} & sys.modules.keys()
print(json.dumps(docs))
"""


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory):
    """A function that predicts with a pipeline in an environment without PyTorch."""
    *python, script = link_packages(tmp_path_factory.mktemp("packages"))

    def predict(pipeline, texts):
        command = [*python, script + WITHOUT, str(pipeline), json.dumps(texts)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout.splitlines()[-1])

    return predict


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_it_loads_and_predicts_where_there_is_no_torch(saved, without_torch, runtime):
    expected = [[[*ent[:3]] for ent in found(doc)] for doc in spacy.load(saved / runtime).pipe(TEXTS)]
    assert without_torch(saved / runtime, TEXTS) == expected


def test_there_is_no_torch_in_that_environment(saved, without_torch):
    with pytest.raises(AssertionError, match="transformer"):
        without_torch(saved / "torch", TEXTS)


def test_it_asks_for_what_it_needs_and_for_nothing_else(saved):
    trained, optimized = (spacy.load(saved / name).meta["requirements"] for name in ("torch", "onnx"))
    assert any(requirement.startswith("torch") for requirement in trained)
    assert optimized == ["threadpoolctl>=3.1,<4", "onnxruntime>=1.20", "tokenizers>=0.21"]


def test_bytes_and_copies_predict_the_same(saved):
    nlp = spacy.load(saved / "onnx-int8")
    expected = found(nlp(TEXT))
    again = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert found(again(TEXT)) == expected
    model = nlp.get_pipe("crf_ner").model
    for copied in (model.copy(), copy.deepcopy(model)):
        scores, expected = (layers.predict([nlp.make_doc(TEXT)])[0] for layers in (copied, model))
        assert abs(scores - expected).max() < 1e-4


def test_it_can_be_sourced_and_excluded(saved):
    source, nlp = spacy.load(saved / "onnx-int8"), spacy.blank("en")
    nlp.tokenizer = source.tokenizer
    nlp.add_pipe("crf_ner", source=source)
    assert found(nlp(TEXT)) == found(source(TEXT))
    assert spacy.load(saved / "onnx-int8", exclude=["crf_ner"])(TEXT).ents == ()


@pytest.fixture(params=["fork", "spawn"])
def starting(request):
    before = get_start_method()
    set_start_method(request.param, force=True)
    yield
    set_start_method(before, force=True)


def test_several_processes_predict_the_same(saved, starting):
    nlp = spacy.load(saved / "onnx-int8")
    given = TEXTS * 4
    expected = [found(doc) for doc in nlp.pipe(given)]  # its sessions and threads are of this process
    assert [found(doc) for doc in nlp.pipe(given, n_process=2, batch_size=4)] == expected


def test_the_number_of_threads_can_be_set_when_it_is_loaded(saved):
    nlp = spacy.load(saved / "onnx-int8", config={"components.crf_ner.model.tok2vec.transformer.threads": 2})
    encoder = nlp.get_pipe("crf_ner").model.get_ref("tok2vec").layers[0].shims[0]._model
    assert encoder.threads == 2
    assert found(nlp(TEXT)) == found(spacy.load(saved / "onnx-int8")(TEXT))


def test_an_encoder_that_two_components_hear_is_refused(saved):
    nlp = spacy.load(saved / "torch")
    other = spacy.load(saved / "torch")
    nlp.add_pipe("crf_ner", name="second", source=other)
    with pytest.raises(DomainNerError, match="2 components listen to transformer; expected one"):
        optimize(nlp, "onnx")


def test_a_damaged_encoder_is_an_error_that_says_what_to_do(saved, tmp_path):
    nlp = spacy.load(saved / "onnx-int8")
    shim = nlp.get_pipe("crf_ner").model.get_ref("tok2vec").layers[0].shims[0]
    with pytest.raises(DomainNerError, match="encoder in this pipeline cannot be read"):
        shim.from_bytes(b"\x81\xa4onnx\xa0")


def test_a_missing_onnxruntime_is_an_error_that_says_what_to_install(saved):
    code = "import sys; sys.modules['onnxruntime'] = None; import spacy; spacy.load(sys.argv[1])"
    ran = subprocess.run(
        [sys.executable, "-c", code, str(saved / "onnx-int8")], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONIOENCODING": "utf8"},
    )  # fmt: skip
    assert ran.returncode != 0
    assert "needs onnxruntime and tokenizers" in ran.stderr and "pip install onnxruntime tokenizers" in ran.stderr


def test_another_head_can_be_optimised_too(tiny_encoder, example_rows, tmp_path):
    nlp = learned(tiny_encoder, example_rows, tmp_path, "bert", "--head", "transition")
    expected = [[(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] for doc in nlp.pipe(TEXTS)]
    optimize(nlp, "onnx").to_disk(tmp_path / "nlp")
    again = spacy.load(tmp_path / "nlp")
    assert "transformer" not in again.pipe_names
    assert [[(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] for doc in again.pipe(TEXTS)] == expected
