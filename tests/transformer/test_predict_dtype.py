"""Prediction in half precision, by a setting at load."""

import numpy as np
import pytest
import spacy
from tiny_pipelines import SENTENCES, saved

from domain_ner.errors import DomainNerError
from domain_ner.training.loop import predict_as_trained
from domain_ner.transformer import model as module

SETTING = "components.transformer.model.predict_dtype"


@pytest.fixture(scope="module")
def pipeline(tiny_encoder, tmp_path_factory):
    return saved(tiny_encoder("bert"), tmp_path_factory.mktemp("saved"))[0]


def predicted(pipeline, config):
    """The vectors and the entities of each sentence."""
    nlp = spacy.load(pipeline, config=config)
    docs = list(nlp.pipe(text for text, _ in SENTENCES))
    vectors = [doc._.trf_data.model_output.last_hidden_state for doc in docs]
    assert all(vector.dtype == np.float32 for vector in vectors)
    return vectors, [[(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] for doc in docs]


def test_bfloat16_rounds_the_vectors_and_finds_the_same_entities(pipeline, monkeypatch):
    monkeypatch.setattr(module, "_has_units", lambda device, dtype: True)
    expected, entities = predicted(pipeline, {})
    rounded, same = predicted(pipeline, {SETTING: "bfloat16"})
    assert same == entities and any(entities)
    drifts = [np.abs(one - other).max() for one, other in zip(expected, rounded, strict=True)]
    assert 1e-4 < max(drifts) < 0.1


def test_a_processor_without_units_for_it_predicts_in_float32(pipeline, monkeypatch):
    monkeypatch.setattr(module, "_has_units", lambda device, dtype: False)
    for config in ({SETTING: "bfloat16"}, {SETTING: "float16"}, {SETTING: "float32"}):
        for one, other in zip(predicted(pipeline, {})[0], predicted(pipeline, config)[0], strict=True):
            assert np.array_equal(one, other)


def test_another_name_is_an_error_that_lists_the_known_ones(pipeline):
    with pytest.raises(DomainNerError, match=r"predict_dtype is 'int8'.*auto, float32, bfloat16, float16"):
        spacy.load(pipeline, config={SETTING: "int8"})


@pytest.mark.parametrize(
    ("trains_in", "has_units", "chosen", "expected"),
    [
        (True, True, "auto", "bfloat16"),
        (True, False, "auto", "auto"),
        (False, True, "auto", "auto"),
        (True, True, "float32", "float32"),
    ],
)
def test_training_predicts_in_what_it_trains_in_unless_told_otherwise(  # noqa: PLR0917
    pipeline, monkeypatch, trains_in, has_units, chosen, expected
):
    monkeypatch.setattr(module, "has_cpu_bfloat16", lambda: has_units)
    nlp = spacy.load(pipeline, config={"components.transformer.model.cpu_bfloat16": trains_in, SETTING: chosen})
    attrs = nlp.get_pipe("transformer").model.attrs
    with predict_as_trained(nlp):
        assert attrs["predict_dtype"] == expected
    assert attrs["predict_dtype"] == chosen
