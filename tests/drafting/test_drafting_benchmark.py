"""`benchmark-drafts`: drafts of annotated passages are scored on what people annotated."""

import sys

import pytest
from conftest import GUIDE, ROOT
from llm_server import Behaviour, serving
from spacy.tokens import DocBin

sys.path.append(str(ROOT / "benchmarks"))

import drafting

from domain_ner.corpus.languages import blank
from domain_ner.errors import DomainNerError

TEXT = "The checkout-api reads from Redis, says SRE."
SPANS = [(4, 16, "SERVICE"), (28, 33, "INFRA"), (40, 43, "TEAM")]


@pytest.fixture
def corpus(tmp_path):
    """A corpus of one passage."""
    doc = blank("en")(TEXT)
    doc.ents = [doc.char_span(start, end, label) for start, end, label in SPANS]
    DocBin(docs=[doc]).to_disk(tmp_path / "test.spacy")
    return tmp_path / "test.spacy"


def run(corpus, tmp_path, llm="", model=""):
    drafting.main(corpus, GUIDE, llm, model, "", 100, 0, 512, 1, 30.0, tmp_path / "cache", tmp_path / "drafts.md")
    return (tmp_path / "drafts.md").read_text(encoding="utf8")


def test_each_source_is_scored_on_the_annotations(corpus, tmp_path):
    with serving(Behaviour({"Redis": "INFRA", "SRE": "SERVICE"})) as url:
        told = run(corpus, tmp_path, url, "m")
    by_llm = told[told.index("`llm`") :]
    assert "1 passages of test.spacy, 3 entities" in told
    assert "`gazetteer`: 1 passages read" in told
    assert "| INFRA | 100.0 | 100.0 | 100.0 | 1 | 1 |" in by_llm
    assert "| TEAM | 0.0 | 0.0 | 0.0 | 0 | 1 |" in by_llm
    assert "| micro | 50.0 | 33.3 | 40.0 | 2 | 3 |" in by_llm
    assert "The model: model m," in told and "calls 1" in told


def test_without_a_model_the_guides_names_alone_are_scored(corpus, tmp_path):
    told = run(corpus, tmp_path)
    assert "gazetteer" in told and "llm" not in told


def test_a_url_without_a_model_is_refused(corpus, tmp_path):
    with pytest.raises(DomainNerError, match="belong together"):
        run(corpus, tmp_path, "http://127.0.0.1:1")
