"""`domain_ner` as a library: its names are imported when they are used, and each is the function of its room."""

import subprocess
import sys

import pytest
import spacy

import domain_ner
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.errors import DomainNerError

TEXT = "Redis failed <b>twice</b> in Oslo."


def test_importing_it_imports_no_framework():
    code = "import sys, domain_ner; print(*{'spacy', 'torch', 'numpy', 'srsly'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


@pytest.mark.parametrize("name", domain_ner.__all__)
def test_each_name_is_there_and_says_what_it_does(name):
    assert getattr(domain_ner, name).__doc__
    assert name in dir(domain_ner)


def test_a_name_that_is_none_of_them_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = domain_ner.trian


def test_a_passage_is_shown_with_its_entities_as_html_and_as_lines():
    shown = domain_ner.show(Passage(TEXT, (LabelledSpan(0, 5, "INFRA"), LabelledSpan(29, 33, "CITY")), "a:1"))
    assert repr(shown) == "'Redis' INFRA [0:5]\n'Oslo' CITY [29:33]"
    assert "&lt;b&gt;" in shown._repr_html_()
    assert shown._repr_html_().count("<mark") == 2


def test_a_document_is_shown_with_its_entities_and_without_any():
    nlp = spacy.blank("en")
    doc = nlp(TEXT)
    assert repr(domain_ner.show(doc)) == "no entities"
    doc.ents = [doc.char_span(0, 5, label="INFRA")]
    assert repr(domain_ner.show(doc)) == "'Redis' INFRA [0:5]"


def test_exports_are_read_with_their_problems_and_outcomes(write_jsonl):
    span = {"start": 0, "end": 5, "label": "INFRA"}
    path = write_jsonl(
        [{"text": TEXT, "spans": [span], "answer": "accept"}, {"text": TEXT, "spans": [span | {"end": 99}]}]
    )
    read = domain_ner.read_exports(path.parent, labels=["INFRA"])
    assert [passage.text for passage in read.merged] == [TEXT]
    assert len(read.problems) == 1


@pytest.mark.parametrize("call", [
    lambda folder: domain_ner.read_exports(folder / "missing"),
    lambda folder: domain_ner.load(folder / "missing"),
    lambda folder: domain_ner.read_corpus(folder / "missing.spacy"),
    lambda folder: domain_ner.train(folder, folder / "out", encoder="cnn", project=folder),
    lambda folder: domain_ner.calibrate(spacy.blank("en"), folder / "dev.spacy", threshold=2),
])  # fmt: skip
def test_what_cannot_be_done_is_the_one_error_of_the_package(tmp_path, call):
    with pytest.raises(DomainNerError):
        call(tmp_path)


def test_a_margin_that_is_no_number_of_points_is_refused(tmp_path):
    with pytest.raises(DomainNerError, match="margin is 101"):
        domain_ner.compare(tmp_path, tmp_path, tmp_path / "test.spacy", margin=101)
