"""How the encoder is written: as safetensors; what older pipelines hold is still read, if it is weights alone."""

import copy
import io
import pickle
from fractions import Fraction

import pytest
import srsly
import torch
from safetensors.torch import load
from spacy_transformers.layers.hf_shim import HFShim
from tiny_encoders import FAMILIES

from domain_ner.errors import DomainNerError
from domain_ner.transformer.architectures import create_transformer_model
from domain_ner.transformer.shim import weights_from_bytes, weights_to_bytes, without_code


def model_of(folder):
    return create_transformer_model(
        str(folder), {"use_fast": True, "model_max_length": 64}, {}, mixed_precision=False, grad_scaler_config={},
        learn_rate_factor=1.0, freeze_embeddings=False, freeze_layers=0, layer_decay=1.0, mask_share=0.0,
        cpu_bfloat16=False, window=0, overlap=4, max_batch_items=512,
    )  # fmt: skip


@pytest.fixture(scope="module")
def models(tiny_encoder):
    """A function from a family to its model, initialised."""
    made = {}

    def get(family):
        if family not in made:
            made[family] = model_of(tiny_encoder(family))
            made[family].initialize()
        return made[family]

    return get


def same(one, other):
    first, second = one.transformer.state_dict(), other.transformer.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_are_written_as_safetensors_and_read_the_same(models, family, tmp_path):
    model, message = models(family), srsly.msgpack_loads(models(family).shim.to_bytes())
    assert load(message["state"]).keys() == model.transformer.state_dict().keys()
    assert same(model_of(tmp_path).from_bytes(model.to_bytes()), model)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pipeline_that_spacy_transformers_wrote_is_still_read(models, family, tmp_path):
    model, other = models(family), model_of(tmp_path)
    old = HFShim.to_bytes(model.shim)
    assert srsly.msgpack_loads(old)["state"].startswith(b"PK")
    other.shim.from_bytes(old)
    assert same(other, model) and other.tokenizer.is_fast
    text = "The checkout-api calls Redis."
    assert other.tokenizer(text)["input_ids"] == model.tokenizer(text)["input_ids"]


def test_a_copy_writes_safetensors_too(models):
    copied = models("bert").copy()
    assert same(copied, models("bert")) and copied.shim is not models("bert").shim
    load(srsly.msgpack_loads(copied.shim.to_bytes())["state"])
    load(srsly.msgpack_loads(copy.deepcopy(models("bert").shim).to_bytes())["state"])


def test_a_model_without_its_encoder_yet_is_written_and_read(tmp_path):
    other = model_of("elsewhere").from_bytes(model_of(tmp_path).to_bytes())
    assert other.tokenizer is None and other._init_tokenizer_config["model_max_length"] == 64


def as_zip(content):
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    "state",
    [as_zip({"weight": Fraction(1, 2)}), pickle.dumps({"weight": Fraction(1, 2)}, protocol=2), b"neither", b""],
    ids=["a zip with another object", "a bare pickle of another object", "no weights", "nothing"],
)
def test_anything_but_weights_is_refused(state):
    with pytest.raises(DomainNerError, match="expected safetensors, or a pickle of tensors only"):
        weights_from_bytes(state)


def test_what_names_code_in_an_encoders_config_is_left_out():
    config = {"_attn_implementation": "some/where", "auto_map": {"AutoModel": "some.Code"}, "hidden_size": 8}
    assert without_code(config) == {"hidden_size": 8}


def test_weights_that_share_memory_are_all_there():
    tied = torch.nn.ModuleDict({"one": torch.nn.Linear(3, 3), "two": torch.nn.Linear(3, 3)})
    tied["two"].weight = tied["one"].weight
    found = weights_from_bytes(weights_to_bytes(tied))
    assert found.keys() == tied.state_dict().keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in tied.state_dict().items())


def test_a_tokenizer_file_outside_its_folder_is_refused(models, tmp_path):
    message = srsly.msgpack_loads(models("bert").shim.to_bytes())
    message["tokenizer"]["../evil.txt"] = b""
    with pytest.raises(DomainNerError, match="would land outside its folder"):
        model_of(tmp_path).shim.from_bytes(srsly.msgpack_dumps(message))


def test_the_config_keeps_small_numbers(models, tmp_path):
    loaded = model_of(tmp_path).from_bytes(models("bert").to_bytes())
    assert loaded.transformer.config.layer_norm_eps == models("bert").transformer.config.layer_norm_eps == 1e-12
