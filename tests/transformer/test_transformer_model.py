"""The transformer component in a pipeline, with tiny encoders of each family."""

import os
import subprocess
import sys
from contextlib import nullcontext

import pytest
import spacy
import torch
from pipelines import convert, create_config, fetch
from spacy.training import Example
from spacy.util import load_model_from_config
from thinc.api import Config, fix_random_seed
from tiny_encoders import CLASSES, FAMILIES

from domain_ner.errors import DomainNerError
from domain_ner.training.freezing import create_unfreeze
from domain_ner.transformer.architectures import create_transformer_model

TEXTS = ["", "The checkout-api calls Redis.", "Ask the SRE team about MAX_RETRIES=5 in /api/v1/orders. " * 30]


@pytest.fixture(scope="module")
def config_of(tiny_encoder, example_rows, tmp_path_factory):
    """A function from a family to its training config on a few passages."""
    corpus = convert(tmp_path_factory.mktemp("corpus"), example_rows[:24])
    made = {}

    def get(family):
        if family not in made:
            folder = tmp_path_factory.mktemp(family)
            path = create_config(folder, fetch(folder, tiny_encoder(family)), corpus)
            made[family] = Config().from_disk(path, interpolate=False)
        return made[family]

    return get


@pytest.fixture
def initialized(config_of):
    """A function from a family to an untrained pipeline with its encoder loaded."""

    def get(family):
        fix_random_seed(0)
        nlp = load_model_from_config(config_of(family), auto_fill=True)
        nlp.initialize(lambda: [example(nlp)])
        return nlp

    return get


def example(nlp, text=TEXTS[1]):
    return Example.from_dict(nlp.make_doc(text), {"entities": [(4, 16, "SERVICE"), (23, 28, "INFRA")]})


def entities(docs):
    return [[(ent.start, ent.end, ent.label_) for ent in doc.ents] for doc in docs]


@pytest.mark.parametrize("family", CLASSES)
def test_learns_two_entities_by_heart_and_keeps_them_on_disk(initialized, family, tmp_path):
    nlp = initialized(family)
    optimizer = nlp.create_optimizer()
    optimizer.schedules.clear()
    optimizer.learn_rate = 0.003
    for _ in range(60):
        nlp.update([example(nlp)], sgd=optimizer)
    expected = [[(1, 4, "SERVICE"), (5, 6, "INFRA")]]
    assert entities([nlp(TEXTS[1])]) == expected
    nlp.to_disk(tmp_path / "nlp")
    assert entities([spacy.load(tmp_path / "nlp")(TEXTS[1])]) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_pipe_equals_call_for_empty_short_and_long_documents(initialized, family):
    nlp = initialized(family)
    assert entities(nlp.pipe(TEXTS)) == entities([nlp(text) for text in TEXTS])


SEVERAL = """
import os, sys, spacy, torch
assert torch.get_num_threads() == 2
nlp, texts = spacy.load(sys.argv[1]), ["The checkout-api calls Redis. " * 30] * 8
one = [doc.to_json() for doc in nlp.pipe(texts)]
several = [doc.to_json() for doc in nlp.pipe(texts, n_process=2, batch_size=4)]
assert one == several and len(one) == 8 and torch.get_num_threads() == 2
assert "TOKENIZERS_PARALLELISM" not in os.environ
"""


def test_several_processes_do_not_wait_for_ever(initialized, tmp_path):
    initialized("bert").to_disk(tmp_path / "nlp")
    env = os.environ | {"OMP_NUM_THREADS": "2"}
    env.pop("TOKENIZERS_PARALLELISM", None)
    command = [sys.executable, "-c", SEVERAL, str(tmp_path / "nlp")]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "parallelism" not in ran.stderr


def test_a_batch_of_empty_documents_and_an_empty_batch(initialized):
    nlp = initialized("roberta")
    assert [len(doc) for doc in nlp.pipe(["", ""])] == [0, 0]
    assert list(nlp.pipe([])) == []


def test_trains_on_a_batch_with_an_empty_document(initialized):
    nlp = initialized("roberta")
    empty = Example.from_dict(nlp.make_doc(""), {"entities": []})
    assert nlp.update([empty, example(nlp)])["crf_ner"] > 0


def test_bytes_round_trip(initialized, config_of):
    nlp = initialized("deberta-v3")
    other = load_model_from_config(config_of("deberta-v3"), auto_fill=True).from_bytes(nlp.to_bytes())
    one, two = (pipeline(TEXTS[1])._.trf_data.model_output.last_hidden_state for pipeline in (nlp, other))
    assert (one == two).all()


def test_frozen_embeddings_stay_and_the_rest_learns(initialized):
    nlp = initialized("bert")
    transformer = nlp.get_pipe("transformer").model.transformer
    embeddings = transformer.get_input_embeddings().weight
    layer = transformer.encoder.layer[0].output.dense.weight
    before, layer_before = embeddings.detach().clone(), layer.detach().clone()
    optimizer = nlp.create_optimizer()
    optimizer.schedules.clear()
    optimizer.learn_rate = 0.01
    for _ in range(3):  # the head's weights are zero at first, and so is the first gradient that reaches the encoder
        nlp.update([example(nlp)], sgd=optimizer)
    layer_after = nlp.get_pipe("transformer").model.transformer.encoder.layer[0].output.dense.weight
    assert (transformer.get_input_embeddings().weight == before).all()
    assert not (layer_after == layer_before).all()


def test_frozen_layers_stay_until_they_are_let_learn(initialized):
    nlp = initialized("bert")
    model = nlp.get_pipe("transformer").model
    before = snapshot(model)
    unfreeze = create_unfreeze(layers=2, epochs=1, one_by_one=True, embeddings=True)
    optimizer = optimizer_of(nlp)
    changed = []
    for epoch in range(3):
        for _ in range(3):
            unfreeze(nlp, {"step": 0, "epoch": epoch})
            nlp.update([example(nlp)], sgd=optimizer)
        changed.append({part for part in ("embeddings.word", "layer.0.", "layer.1.") if differs(model, before, part)})
    assert changed == [set(), {"layer.1."}, {"layer.1.", "layer.0.", "embeddings.word"}]


def test_lower_layers_learn_more_slowly(initialized, config_of):
    """Adam's first step is as long as the rate, whatever the gradient."""
    nlp = initialized("bert")
    model = nlp.get_pipe("transformer").model
    model.attrs["layer_decay"], model.attrs["learn_rate_factor"] = 0.5, 1.0
    optimizer = optimizer_of(nlp)
    nlp.update([example(nlp)], sgd=optimizer)  # the head's first gradient for the encoder is 0
    before, weights = snapshot(model), dict(model.transformer.named_parameters())
    optimizer.mom1.clear()
    optimizer.mom2.clear()
    optimizer.nr_update.clear()
    nlp.update([example(nlp)], sgd=optimizer)
    steps = [
        float(
            (weights[f"encoder.layer.{n}.output.dense.bias"] - before[f"encoder.layer.{n}.output.dense.bias"])
            .detach()
            .abs()
            .max()
        )
        for n in range(2)
    ]
    assert steps[0] == pytest.approx(steps[1] / 2, rel=0.05)


def test_averaged_weights_are_used_and_put_back(initialized):
    nlp = initialized("bert")
    model = nlp.get_pipe("transformer").model
    optimizer = optimizer_of(nlp)
    optimizer.averages = {}
    for _ in range(5):
        nlp.update([example(nlp)], sgd=optimizer)
    own, part = snapshot(model), "layer.1.output.dense.weight"
    average = optimizer.averages[model.shim.id, f"encoder.{part}"]
    with nlp.use_params(optimizer.averages):
        assert differs(model, own, part)
        inside = snapshot(model)[f"encoder.{part}"]
        assert (inside.numpy() == average).all()
    assert not differs(model, own, "")


def snapshot(model):
    return {name: weights.detach().clone() for name, weights in model.transformer.named_parameters()}


def differs(model, before, part):
    return any(
        not (weights == before[name]).all() for name, weights in model.transformer.named_parameters() if part in name
    )


def optimizer_of(nlp):
    """Adam with a constant, high rate."""
    optimizer = nlp.create_optimizer()
    optimizer.schedules.clear()
    optimizer.learn_rate = 0.01
    optimizer.L2 = 0.0
    return optimizer


def test_an_uninitialized_pipeline_says_what_to_do(config_of):
    nlp = load_model_from_config(config_of("bert"), auto_fill=True)
    with pytest.raises(DomainNerError, match="has no encoder yet"):
        nlp("Some text")


def test_a_slow_tokenizer_is_refused(config_of):
    config = config_of("bert").copy()
    config["components"]["transformer"]["model"]["tokenizer_config"]["use_fast"] = False
    nlp = load_model_from_config(config, auto_fill=True)
    with pytest.raises(Exception, match="no fast tokenizer"):
        nlp.initialize(lambda: [example(nlp)])


def test_a_copy_keeps_the_exact_alignment(initialized):
    model = initialized("deberta-v3").get_pipe("transformer").model
    assert model.copy()._func is model._func


def test_a_pipeline_trained_in_mixed_precision_loads_and_predicts_without_a_gpu(initialized, tmp_path, recwarn):
    nlp = initialized("roberta")
    nlp.to_disk(tmp_path / "nlp")
    config = tmp_path / "nlp" / "config.cfg"
    config.write_text(config.read_text().replace("mixed_precision = false", "mixed_precision = true"))
    assert entities([spacy.load(tmp_path / "nlp")(TEXTS[1])]) == entities([nlp(TEXTS[1])])
    assert not [warning for warning in recwarn if "CUDA" in str(warning.message)]


@pytest.mark.parametrize(("has_units", "dtype"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_trains_in_bfloat16_where_it_has_units_for_it(initialized, monkeypatch, has_units, dtype):
    model = initialized("bert").get_pipe("transformer").model
    used = []
    monkeypatch.setattr(model.shim, "_mixed_precision", True)
    monkeypatch.setattr(torch, "autocast", lambda device, dtype: used.append((device, dtype)) or nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_units)
    monkeypatch.setattr("domain_ner.transformer.model.find_blocks", lambda encoder: [])  # as on a GPU
    docs = [initialized("bert").make_doc(TEXTS[1])]
    model(docs, True)
    model(docs, False)
    assert used == [("cuda", dtype), ("cuda", torch.float16)]


def test_without_spacy_transformers_the_error_says_what_to_install(config_of, monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy_transformers.layers.transformer_model", None)
    monkeypatch.delitem(sys.modules, "domain_ner.transformer.model", raising=False)
    with pytest.raises(DomainNerError, match="pip install spacy-transformers"):
        create_transformer_model("x", {}, {}, False, {}, 1.0, False, 0, 1.0, 0.0, False, 0, 50, 4096)


def test_settings_of_the_encoder_can_be_changed_at_load_and_it_stays_frozen(initialized, tmp_path):
    nlp = initialized("bert")
    nlp.to_disk(tmp_path / "nlp")
    model = {"window": 24, "overlap": 4, "max_batch_items": 64}
    loaded = spacy.load(tmp_path / "nlp", config={"components": {"transformer": {"model": model}}})
    transformer = loaded.get_pipe("transformer").model
    assert {name: transformer.attrs[name] for name in model} == model
    many, few = (one.get_pipe("transformer").model.count_windows([one.make_doc(TEXTS[2])]) for one in (loaded, nlp))
    assert many > few
    embeddings = loaded.get_pipe("transformer").model.transformer.get_input_embeddings().weight
    assert not embeddings.requires_grad
    before = embeddings.detach().clone()
    loaded.update([example(loaded)], sgd=loaded.resume_training())
    assert (embeddings == before).all()
    with pytest.raises(DomainNerError, match="overlap is 12"):
        spacy.load(tmp_path / "nlp", config={"components.transformer.model.window": 24,
                                             "components.transformer.model.overlap": 12})  # fmt: skip


def test_without_its_encoder_the_recogniser_predicts_nothing(initialized, tmp_path):
    nlp = initialized("bert")
    nlp.to_disk(tmp_path / "nlp")
    with pytest.raises(DomainNerError, match="gets no vectors"):
        spacy.load(tmp_path / "nlp", exclude=["transformer"])(TEXTS[1])
    with nlp.select_pipes(disable="transformer"), pytest.raises(DomainNerError, match="gets no vectors"):
        nlp(TEXTS[1])
    assert nlp(TEXTS[1])._.trf_data is not None


def test_the_lexical_features_can_be_left_out(tiny_encoder, example_rows, tmp_path):
    corpus, card = convert(tmp_path, example_rows[:24]), fetch(tmp_path, tiny_encoder("bert"))
    settings = "components.crf_ner.model.tok2vec.lexical=null"
    path = create_config(tmp_path, card, corpus, "--settings", settings)
    nlp = load_model_from_config(Config().from_disk(path, interpolate=False), auto_fill=True)
    nlp.initialize(lambda: [example(nlp)])
    assert "lexical_listener" not in [node.name for node in nlp.get_pipe("crf_ner").model.walk()]
    losses = nlp.update([example(nlp)], sgd=nlp.create_optimizer())
    assert losses["crf_ner"] > 0
