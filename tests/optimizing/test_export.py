"""Every family of encoders in ONNX: the same vectors as in PyTorch, for any batch and length."""

import tempfile

import numpy as np
import onnx
import pytest
import spacy
import torch
from thinc.types import Ragged
from tiny_encoders import FAMILIES, WIDTH
from transformer_models import model_of

from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.architectures import create_onnx_encoder
from domain_ner.onnx_encoder.encoder_file import FLOAT32, INT8, EncoderFile
from domain_ner.optimizing import export
from domain_ner.optimizing.pipeline import encoder_file
from domain_ner.transformer.pooling import create_first_and_mean

TEXTS = [
    "Ask the SRE team  about MAX_RETRIES=5 in /api/v1/orders. " * 12,
    "The checkout-api calls Redis.",
    "Größe 日本語 🔥\n\nµs",
    "",
    "x",
]


@pytest.fixture(scope="module")
def docs():
    tokenizer = create_tokenizer()(spacy.blank("en"))
    return [tokenizer(text) for text in TEXTS]


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tiny_encoder):
    """A torch model of each family, with windows of 64 wordpieces."""
    made = model_of(tiny_encoder(request.param))
    made.initialize()
    return made


@pytest.fixture(scope="module")
def files(model):
    return {precision: encoder_file(model, precision) for precision in (FLOAT32, INT8)}


def layer_of(file, threads=1):
    layer = create_onnx_encoder(create_first_and_mean(), 0, 4, threads)
    layer.shims[0].use(file)
    return layer


def torch_vectors(model, docs):
    """As the recogniser gets them from the listener, with the same pooling."""
    pooling, vectors = create_first_and_mean(), []
    for data in model.predict(docs).doc_data:
        states = data.model_output.get("last_hidden_state")
        pieces = states.reshape(-1, WIDTH)[data.align.dataXd] if states is not None else np.zeros((0, WIDTH), "f")
        vectors.append(pooling.predict(Ragged(pieces, data.align.lengths)))
    return vectors


def test_float32_gives_the_vectors_of_torch(model, files, docs):
    assert model.count_windows([docs[0]]) > 1
    found = layer_of(files[FLOAT32]).predict(docs)
    for vectors, expected, doc in zip(found, torch_vectors(model, docs), docs, strict=True):
        assert vectors.shape == (len(doc), 2 * WIDTH)
        assert np.abs(vectors - expected).max(initial=0) < 1e-5


def test_int8_is_near_and_the_same_alone_and_among_others(model, files, docs):
    """In torch's own unit: these encoders have random weights, and vectors of a standard deviation of 1."""
    layer = layer_of(files[INT8])
    together, alone = layer.predict(docs), [layer.predict([doc])[0] for doc in docs]
    for vectors, single, expected in zip(together, alone, torch_vectors(model, docs), strict=True):
        assert np.abs(vectors - expected).max(initial=0) < 0.05
        assert np.abs(vectors - single).max(initial=0) < 1e-5


def test_int8_quantises_every_matrix_of_the_layers(files):
    int8 = onnx.load_from_string(files[INT8].onnx).graph
    weights = {tensor.name for tensor in int8.initializer}
    assert any(node.op_type == "MatMulIntegerToFloat" for node in int8.node)
    assert not any(node.op_type == "MatMul" and node.input[1] in weights for node in int8.node)
    assert len(files[INT8].onnx) < len(files[FLOAT32].onnx)


def test_the_export_is_one_file_with_free_batch_and_length(files):
    for file in files.values():
        graph = onnx.load_from_string(file.onnx).graph
        assert not any(tensor.external_data for tensor in graph.initializer)
        for given in graph.input:
            assert [dim.dim_param for dim in given.type.tensor_type.shape.dim] == ["n_rows", "length"]
        assert file.facts.opset == 17
        assert EncoderFile.from_bytes(file.to_bytes()) == file
        assert str(tempfile.gettempdir()).encode() not in file.onnx


def test_several_threads_give_the_same(files, docs):
    for file in files.values():
        given = docs * 20  # several batches
        for vectors, expected in zip(layer_of(file, 2).predict(given), layer_of(file, 1).predict(given), strict=True):
            assert np.abs(vectors - expected).max(initial=0) < 1e-6


def test_the_trained_encoder_is_left_as_it_was(model):
    encoder = model.transformer
    encoder.train()
    before = {name: weights.clone() for name, weights in encoder.state_dict().items()}
    attention = encoder.config._attn_implementation
    export.export_encoder(encoder)
    assert encoder.training and encoder.config._attn_implementation == attention
    assert all(torch.equal(weights, before[name]) for name, weights in encoder.state_dict().items())
    assert all(weights.requires_grad for weights in encoder.parameters())


def test_an_export_that_computes_something_else_is_refused(model, monkeypatch):
    monkeypatch.setattr(export, "_difference", lambda encoder, exported: 0.1)
    with pytest.raises(DomainNerError, match="computes other vectors than PyTorch"):
        export.export_encoder(model.transformer)
