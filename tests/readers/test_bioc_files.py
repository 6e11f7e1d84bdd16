"""BioC files of services and other programs: JSON of several shapes, damaged files, and other formats."""

import json

import pytest
from bioc import biocxml
from bioc_exports import TITLE, annotation, collection, found, passage, read, recognises

from domain_ner.errors import DomainNerError


@pytest.fixture
def write_text(tmp_path):
    def write_one(text, name="export.xml"):
        path = tmp_path / name
        path.write_text(text if isinstance(text, str) else json.dumps(text), "utf8")
        return path

    return write_one


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("<offset>0</offset>", "<offset>x</offset>", "ValueError"),
        ("<offset>0</offset>", "", "TypeError"),
        (' id="T1"', "", "KeyError: 'id'"),
        ('offset="2"', 'offset=""', "ValueError"),
    ],
)
def test_a_bad_document_is_a_problem_and_the_others_are_read(write_text, old, new, told):
    whole = collection(*[[passage(0, TITLE, annotation(2, "Anna"))]] * 3)
    text = biocxml.dumps(whole)
    first, second, third = text.split("<document>")[1:]
    head = text.split("<document>")[0]
    records, log = read(write_text("<document>".join([head, first, second.replace(old, new), third])))
    assert [record.document for record in records] == ["doc1", "doc3"]
    ((line, message),) = log.problems
    assert (line, log.n_documents) == (6 + first.count("\n"), 3)
    assert told in message


def test_a_truncated_file_is_reported_with_the_number_of_documents_read(write_text):
    text = biocxml.dumps(collection(*[[passage(0, TITLE)]] * 3))
    records, log = read(write_text(text[: text.rindex("<passage>")]))
    assert len(records) == 2
    (problem,) = log.failures
    assert problem.message == "XML ends early; 2 good documents before it"
    assert (problem.cost, problem.n_behind) == ("rest", None)


def test_the_number_of_documents_after_broken_xml_is_estimated(write_text):
    text = biocxml.dumps(collection(*[[passage(0, TITLE)]] * 100))
    parts = text.split("<document>")
    parts[21] = parts[21].replace("</passage>", "</message>")
    records, log = read(write_text("<document>".join(parts)))
    assert len(records) == 20
    (problem,) = log.failures
    assert problem.cost == "rest"
    assert "invalid XML (Opening and ending tag mismatch" in problem.message
    assert 75 <= problem.n_behind <= 85


def test_the_dtd_of_bioc_is_ignored_and_entity_declarations_are_refused(write_text):
    head, body = biocxml.dumps(collection([passage(0, TITLE, annotation(2, "Anna"))])).split("?>", 1)
    path = write_text(f'{head}?><!DOCTYPE collection SYSTEM "BioC.dtd">{body}')
    assert recognises(path)
    assert found(read(path)[0][0]) == [("Anna", "PER")]
    path = write_text(f'{head}?><!DOCTYPE collection SYSTEM "BioC.dtd" [ <!ENTITY a "b"> ]>{body}')
    assert recognises(path)
    with pytest.raises(DomainNerError, match="has a document type declaration"):
        read(path)


MARK = {"infons": {"type": "PER"}, "text": "Anna", "locations": [{"offset": 0, "length": 4}]}
PASSAGE = {"offset": 0, "text": "Anna left", "annotations": [MARK]}
DOCUMENT = {"id": "7", "passages": [PASSAGE]}
SENTENCE = {"bioctype": "BioCSentence"} | PASSAGE


@pytest.mark.parametrize(
    "whole",
    [
        {"PubTator3": [DOCUMENT]}, {"documents": [DOCUMENT]}, [{"source": "PMC", "documents": [DOCUMENT]}], DOCUMENT,
        [DOCUMENT], {"bioctype": "BioCPassage"} | PASSAGE, SENTENCE,
    ],
)  # fmt: skip
def test_json_of_web_services_and_json_with_missing_keys_is_read(write_text, whole):
    path = write_text(whole, "export.json")
    ((record,), log) = read(path)
    assert recognises(path)
    assert (record.text, found(record), log.problems) == ("Anna left", [("Anna", "PER")], [])


def test_json_lines_are_read(write_text):
    path = write_text("".join(f"{json.dumps(DOCUMENT | {'id': n})}\n" for n in range(3)), "export.jsonl")
    records, _ = read(path)
    assert recognises(path)
    assert [(record.document, record.line) for record in records] == [("0", 1), ("1", 2), ("2", 3)]


@pytest.mark.parametrize(
    "bad",
    [
        5,
        {"passages": [7]},
        {"passages": 3},
        {"passages": [PASSAGE], "infons": "x"},
        {"passages": [PASSAGE | {"text": []}]},
        {"passages": [{"offset": "x", "sentences": [{"offset": 1}]}]},
    ],
)
def test_bad_json_documents_are_problems_and_the_others_are_read(write_text, bad):
    records, log = read(write_text({"documents": [DOCUMENT, bad, DOCUMENT]}, "export.json"))
    assert len([record for record in records if record.spans]) == 2
    assert log.n_documents == 3
    assert len(log.problems) + len(records) == 3


@pytest.mark.parametrize(("offset", "length"), [("0", 4.0), (0.0, "4")])
def test_whole_numbers_are_read_as_offsets_however_they_are_written(write_text, offset, length):
    mark = MARK | {"locations": [{"offset": offset, "length": length}]}
    path = write_text({"documents": [{"passages": [PASSAGE | {"offset": "0", "annotations": [mark]}]}]}, "export.json")
    assert found(read(path)[0][0]) == [("Anna", "PER")]


def test_offsets_that_are_not_numbers_are_a_fault(write_text):
    mark = MARK | {"locations": [{"offset": "x", "length": 4}]}
    path = write_text({"documents": [{"passages": [PASSAGE | {"annotations": [mark]}]}]}, "export.json")
    assert "expected whole numbers" in read(path)[0][0].spans[0].fault


@pytest.mark.parametrize(
    "text", ["<collection><x/></collection>", "<View/>", '{"documents": [{"text": "a"}]}', "[]", "[1]", "{", "x"]
)
def test_other_files_are_not_recognised(write_text, text):
    assert not recognises(write_text(text, "some.json"))
