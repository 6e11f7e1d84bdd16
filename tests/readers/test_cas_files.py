"""CAS files: where the type system lies, and what is damaged."""

import json

import cassis
import pytest
from cas_exports import ANNA, NER, SECTION, TEXT, found, make, ner, read, recognises, types

from domain_ner.errors import DomainNerError


def test_xmi_without_its_type_system_is_an_error(tmp_path):
    ANNA.to_xmi(tmp_path / "doc.xmi")
    with pytest.raises(DomainNerError, match=r"(?s)doc.xmi has no type system: there is no TypeSystem.xml.*Put it"):
        read(tmp_path / "doc.xmi")


def test_the_type_system_may_be_in_any_parent_folder_up_to_that_of_the_exports(tmp_path):
    inner = tmp_path / "exports" / "a" / "b"
    inner.mkdir(parents=True)
    ANNA.to_xmi(inner / "doc.xmi")
    (tmp_path / "types.xml").write_text(ANNA.typesystem.to_xml())
    with pytest.raises(DomainNerError, match="has no type system"):
        read(inner / "doc.xmi", name="a/b/doc.xmi")
    (tmp_path / "types.xml").rename(tmp_path / "exports" / "types.xml")
    ((record,), _) = read(inner / "doc.xmi", name="a/b/doc.xmi")
    assert found(record) == [("Anna Smith", "PER"), ("New York", "LOC")]


def test_several_type_systems_are_merged(tmp_path):
    one, other = cassis.TypeSystem(), cassis.TypeSystem()
    one.create_feature(one.create_type(NER), "value", "uima.cas.String")
    other.create_type(SECTION)
    both = cassis.merge_typesystems(one, other)
    make(ner("Anna", "PER"), ("York", SECTION, {}), system=both).to_xmi(tmp_path / "doc.xmi")
    (tmp_path / "a.xml").write_text(one.to_xml())
    (tmp_path / "b.xml").write_text(other.to_xml())
    assert found(read(tmp_path / "doc.xmi")[0][0]) == [("Anna", "PER")]


def test_a_type_missing_from_the_type_system_is_a_problem(tmp_path):
    made = make(ner("Anna", "PER"), ("York", SECTION, {}))
    made.to_xmi(tmp_path / "doc.xmi")
    (tmp_path / "TypeSystem.xml").write_text(types().to_xml().replace(SECTION, "webanno.custom.Other"))
    records, log = read(tmp_path / "doc.xmi")
    assert (records, SECTION in log.problems[0][1]) == ([], True)


@pytest.mark.parametrize("broken", ["", "</xmi:XMI>", "{}", "<xmi:XMI xmlns:xmi='http://www.omg.org/XMI'/>"])
def test_a_damaged_file_is_a_problem(tmp_path, broken):
    (tmp_path / "TypeSystem.xml").write_text(types().to_xml())
    ANNA.to_xmi(tmp_path / "doc.xmi")
    text = (tmp_path / "doc.xmi").read_text("utf8")
    (tmp_path / "doc.xmi").write_text(broken or text[: len(text) // 2])
    records, log = read(tmp_path / "doc.xmi")
    assert (records, len(log.problems), log.n_documents) == ([], 1, 1)


def test_entity_declarations_are_refused(tmp_path):
    (tmp_path / "TypeSystem.xml").write_text(types().to_xml())
    head, body = ANNA.to_xmi().split("?>", 1)
    (tmp_path / "doc.xmi").write_text(f'{head}?><!DOCTYPE xmi:XMI [ <!ENTITY a "b"> ]>{body}', "utf8")
    assert recognises(tmp_path / "doc.xmi")
    assert "has a document type declaration" in read(tmp_path / "doc.xmi")[1].problems[0][1]


def test_json_without_types_is_a_problem(tmp_path):
    path = tmp_path / "doc.json"
    whole = json.loads(ANNA.to_json())
    path.write_text(json.dumps({key: value for key, value in whole.items() if key != "%TYPES"}))
    assert recognises(path)
    assert "it has no type system" in read(path)[1].problems[0][1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"begin": 3', '"begin": "3"'),
        ('"begin": 3', '"begin": null'),
        ('"%SUPER_TYPE": "uima.tcas.Annotation"', '"%SUPER_TYPE": "no.such.Type"'),
        (json.dumps(TEXT, ensure_ascii=False), "5"),
    ],
)
def test_json_with_an_invalid_value_is_a_problem(tmp_path, old, new):
    path = tmp_path / "doc.json"
    text = ANNA.to_json()
    assert old in text
    path.write_text(text.replace(old, new), "utf8")
    records, log = read(path)
    assert (records, len(log.problems), log.n_documents) == ([], 1, 1)
