"""What spaCy imports and searches for a pipeline: only what the pipeline names."""

import subprocess
import sys
from unittest import mock

import numpy as np
import pytest
import spacy
import srsly
from conftest import ROOT
from spacy.training import Example
from spacy.util import registry
from srsly import msgpack
from thinc.api import Config

import domain_ner
from domain_ner.corpus.languages import blank
from domain_ner.corpus.registries import factories_of, factories_of_config, find_codecs_once
from domain_ner.evaluation.predicting import load_pipeline

FACTORIES = registry._entry_point_factories
LOADS = """
import sys
from domain_ner.corpus.languages import blank
from domain_ner.evaluation.predicting import load_pipeline
blank("en")
nlp = load_pipeline(sys.argv[1])
print(nlp.pipe_names, "spacy_transformers" in sys.modules)
"""


@pytest.fixture
def pipeline(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("crf_ner")
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("Redis"), {"entities": [(0, 5, "INFRA")]})])
    nlp.to_disk(tmp_path / "nlp")
    return tmp_path / "nlp"


def test_a_pipeline_without_a_transformer_imports_none(pipeline):
    ran = subprocess.run([sys.executable, "-c", LOADS, pipeline], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.split("\n")[0] == "['crf_ner'] False"


def test_afterwards_spacy_finds_every_factory_again(pipeline):
    blank("en")
    load_pipeline(pipeline)
    assert FACTORIES.entry_points
    assert "transformer" in FACTORIES.get_all()
    spacy.blank("en").add_pipe("transformer")


def test_to_a_pipeline_of_a_notebook_any_component_can_be_added(pipeline):
    with mock.patch.object(FACTORIES, "get_entry_points", wraps=FACTORIES.get_entry_points) as searched:
        load_pipeline(pipeline)
        assert not searched.called
        domain_ner.load(str(pipeline))
        assert searched.called


@pytest.mark.parametrize("components", [{"ner": {"source": "en_other"}}, {"odd": {}}, {"odd": "text"}])
def test_what_a_component_comes_from_is_not_guessed(components):
    with factories_of_config(Config({"components": components})):
        assert FACTORIES.entry_points


@pytest.mark.parametrize("content", ["[components\n", None])
def test_a_config_that_cannot_be_read_limits_nothing(tmp_path, content):
    if content is not None:
        (tmp_path / "config.cfg").write_text(content)
    for name in (tmp_path, str(tmp_path), "no_such_package"):
        with factories_of(name):
            assert FACTORIES.entry_points


def test_codecs_are_searched_once_and_arrays_still_travel():
    given = {"vectors": np.arange(6, dtype="f").reshape(2, 3), "text": "é"}
    packed = srsly.msgpack_dumps(given)
    find_codecs_once()
    find_codecs_once()
    assert not msgpack.msgpack_decoders.entry_points
    assert srsly.msgpack_dumps(given) == packed
    assert np.array_equal(srsly.msgpack_loads(packed)["vectors"], given["vectors"])
