"""Encoders under transformers' token classifiers, and the fit of their weights."""

import pytest
import torch
from tiny_encoders import FAMILIES, SIZES
from torch import nn
from transformers import (
    AlbertConfig,
    AlbertModel,
    AutoModel,
    CLIPTextConfig,
    CLIPTextModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
)

from domain_ner.errors import DomainNerError
from domain_ner.huggingface.tagger import fit_classifier, make_tagger, probe, require_linear

LABELS = ["O", "B-X", "I-X"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_classifier_reads_the_encoders_output_in_every_family(tiny_encoder, family):
    encoder = AutoModel.from_pretrained(tiny_encoder(family)).eval()
    tagger = make_tagger(encoder, LABELS)
    ids = torch.arange(5, 15)[None]
    mask = torch.ones_like(ids)
    with torch.no_grad():
        hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        logits = tagger.model(input_ids=ids, attention_mask=mask).logits
        torch.testing.assert_close(logits, tagger.classifier(hidden), rtol=1e-3, atol=1e-3)
    assert tagger.model.config.id2label == dict(enumerate(LABELS))


@pytest.mark.parametrize(
    ("model", "config"),
    [
        (ElectraModel, ElectraConfig(vocab_size=50, embedding_size=16, **SIZES)),
        (DistilBertModel, DistilBertConfig(vocab_size=50, dim=32, n_layers=2, n_heads=2, hidden_dim=64)),
        (AlbertModel, AlbertConfig(vocab_size=50, embedding_size=16, **SIZES)),
    ],
    ids=["electra", "distilbert", "albert"],
)
def test_other_model_types_are_supported_too(model, config):
    make_tagger(model(config).eval(), LABELS)


def test_a_modernbert_with_biases_and_a_dead_dimension_is_passed_through(tiny_encoder):
    encoder = AutoModel.from_pretrained(tiny_encoder("modernbert"), norm_bias=True).eval()
    with torch.no_grad():
        encoder.final_norm.weight.normal_()
        encoder.final_norm.bias.normal_()
    require_linear(make_tagger(encoder, LABELS))


def test_a_model_type_without_a_token_classifier_is_refused():
    encoder = CLIPTextModel(CLIPTextConfig(vocab_size=50, **SIZES))
    with pytest.raises(DomainNerError, match="no token classifier for encoders of type 'clip_text_model'"):
        make_tagger(encoder, LABELS)


def test_a_classifier_with_more_than_one_layer_is_refused(tiny_encoder):
    tagger = make_tagger(AutoModel.from_pretrained(tiny_encoder("bert")).eval(), LABELS)
    tagger.model.dropout = nn.Sequential(nn.Linear(32, 32), nn.GELU())
    with pytest.raises(DomainNerError, match="BertForTokenClassification has more than one linear layer"):
        require_linear(tagger)


def test_the_probe_avoids_padding(tiny_encoder):
    logits, hidden = probe(make_tagger(AutoModel.from_pretrained(tiny_encoder("mpnet")).eval(), LABELS))
    assert logits.shape[:2] == hidden.shape[:2] and logits.isfinite().all()


def test_the_fit_finds_the_classifier_that_gave_the_probabilities():
    torch.manual_seed(0)
    features = torch.randn(3000, 8) * torch.tensor([1, 1, 1, 1, 10, 0.1, 1, 5.0]) + 3
    source, fitted = nn.Linear(8, 4), nn.Linear(8, 4)
    probs = source(features).softmax(1).detach()
    assert fit_classifier(fitted, features, probs) < 1e-3
    torch.testing.assert_close(fitted(features).softmax(1), probs, atol=0.03, rtol=0)


def test_the_fit_bears_probabilities_of_0_and_1():
    features = torch.eye(3).repeat(20, 1)
    probs = torch.eye(3).repeat(20, 1)
    classifier = nn.Linear(3, 3)
    assert 0 <= fit_classifier(classifier, features, probs) < 0.05
    assert classifier.weight.isfinite().all()
