"""What each family of encoders must do, whatever its attention, positions and wordpieces."""

import json
import shutil

import numpy as np
import pytest
import spacy
import torch
from tiny_encoders import FAMILIES, WIDTH
from transformer_models import model_of

from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.encoders.card import make_card
from domain_ner.encoders.presets import Preset
from domain_ner.transformer.layers import find_layers, layer_depths
from domain_ner.transformer.shim import plain
from domain_ner.transformer.tokenizing import align_doc

TEXTS = [
    "Ask the SRE team  about MAX_RETRIES=5 in /api/v1/orders. " * 12,
    "The checkout-api calls Redis.",
    "Größe 日本語 🔥\n\nµs",
    "x",
]


@pytest.fixture(scope="module")
def docs():
    tokenizer = create_tokenizer()(spacy.blank("en"))
    return [tokenizer(text) for text in TEXTS]


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tiny_encoder):
    """A model of each family, with windows of 64 wordpieces."""
    made = model_of(tiny_encoder(request.param))
    made.initialize()
    yield made
    made.freeze(n_layers=0, embeddings=False)


def states(data):
    return [torch.tensor(one.model_output.last_hidden_state) for one in data.doc_data]


def test_each_token_has_the_vectors_of_its_own_wordpieces_in_windows_or_not(model, docs):
    found = model.predict(docs)
    assert [model.count_windows([doc]) > 1 for doc in docs] == [True, False, False, False]
    for doc, data in zip(docs, found.doc_data, strict=True):
        encoding = model.tokenizer(doc.text, add_special_tokens=False, return_offsets_mapping=True)
        expected = [len(pieces) for pieces in align_doc(doc, np.array(encoding["offset_mapping"]))]
        assert data.align.lengths.tolist() == expected
        assert all(length or token.is_space for token, length in zip(doc, expected, strict=True))
        n_windows, longest, width = data.model_output.last_hidden_state.shape
        assert (n_windows, width) == (model.count_windows([doc]), WIDTH) and longest <= 64
        assert data.align.dataXd.max() < n_windows * longest


def test_a_batch_gives_what_each_document_gives_alone(model, docs):
    """Whatever it is padded with."""
    for together, doc in zip(states(model.predict(docs)), docs, strict=True):
        torch.testing.assert_close(together, states(model.predict([doc]))[0], rtol=1e-4, atol=1e-5)


def test_padding_changes_nothing_in_bfloat16_either(model, docs, monkeypatch):
    """As a CPU with units for it trains: by plain products for short sequences, by the fused kernel for long ones."""
    monkeypatch.setattr("domain_ner.transformer.model.has_cpu_bfloat16", lambda: True)
    monkeypatch.setitem(model.attrs, "cpu_bfloat16", True)
    without_dropout(model.transformer)
    for longest in (64, 256):
        monkeypatch.setitem(model.attrs, "window", longest)
        monkeypatch.setattr(model.tokenizer, "model_max_length", 256)
        together = states(model(docs, is_train=True)[0])
        for states_of_doc, doc in zip(together, docs, strict=True):
            alone = states(model([doc], is_train=True)[0])[0]
            assert states_of_doc.isfinite().all()
            torch.testing.assert_close(states_of_doc, alone, rtol=0.05, atol=0.05)


def test_what_is_frozen_gets_no_gradient_and_the_rest_does(model, docs):
    encoder = model.transformer
    name, layers = find_layers(encoder)
    model.freeze(n_layers=1, embeddings=True)
    encoder.zero_grad()
    batch, backprop = model(docs[1:2], is_train=True)
    gradient = torch.ones_like(states(batch)[0]).numpy()
    gradient[..., ::2] = -1  # or the last layer norm takes it all away
    backprop(batch.unsplit_by_doc([[gradient]]))
    frozen = [*layers[0].parameters(), encoder.get_input_embeddings().weight]
    assert len(layers) == 2 and not any(weights.requires_grad or weights.grad is not None for weights in frozen)
    assert all(
        weights.grad is not None and weights.grad.any() for weights in layers[1].parameters() if weights.dim() > 1
    )
    above = layer_depths(encoder)
    assert {above[key] for key in above if key.startswith(f"{name}.0.")} == {1}
    assert {above[key] for key in above if key.startswith(f"{name}.1.")} == {0}
    below = [key for key in above if "embeddings" in key or "relative_attention_bias" in key]
    assert below and {above[key] for key in below} == {2}


def without_dropout(encoder):
    for module in encoder.modules():
        for name in ("p", "dropout_prob", "attention_dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)


def test_modernbert_is_neither_compiled_nor_run_by_flash_attention_once_it_is_loaded(tiny_encoder, tmp_path):
    made = model_of(tiny_encoder("modernbert"))
    made.initialize()
    loaded = model_of(tmp_path).from_bytes(made.to_bytes()).transformer.config
    assert (loaded.reference_compile, loaded._attn_implementation) == (False, "sdpa")
    bert = model_of(tiny_encoder("mpnet"))
    bert.initialize()
    assert plain(bert.transformer.config).to_dict() == bert.transformer.config.to_dict()


@pytest.mark.parametrize(("family", "expected"), [("mpnet", 128), ("xlm-roberta", 128), ("bert", 130)])
def test_positions_that_count_from_the_padding_shorten_the_longest_window(tiny_encoder, tmp_path, family, expected):
    shutil.copytree(tiny_encoder(family), tmp_path / "mine")
    path = tmp_path / "mine" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"max_position_embeddings": 130}))
    assert make_card(Preset(name="mine"), tmp_path / "mine").max_length == expected
