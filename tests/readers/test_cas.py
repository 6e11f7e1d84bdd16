"""UIMA CAS as the library writes it, in XMI and JSON: layers, features and offsets."""

import re

import pytest
from cas_exports import (
    ANNA,
    LINK,
    META,
    NER,
    PERSON,
    POS,
    SECTION,
    SKILL,
    TEXT,
    found,
    make,
    ner,
    read,
    recognises,
    types,
)

from domain_ner.errors import DomainNerError


@pytest.fixture(params=["xmi", "json"])
def write(request, tmp_path):
    """Write a CAS as the library does, as XMI beside its type system and as JSON."""

    def write_cas(made):
        path = tmp_path / f"doc.{request.param}"
        if request.param == "json":
            made.to_json(path)
        else:
            (tmp_path / "TypeSystem.xml").write_text(made.typesystem.to_xml(), "utf8")
            made.to_xmi(path)
        return path

    return write_cas


def test_what_the_library_writes_is_recognised_and_read(write):
    path = write(ANNA)
    ((record,), log) = read(path)
    assert recognises(path)
    assert (record.text, found(record)) == (TEXT, [("Anna Smith", "PER"), ("New York", "LOC")])
    assert (record.document, record.annotator, record.answer, log.n_documents) == ("doc", "", "accepted", 1)
    assert log.notes == [f"entities from the layer {NER}, feature value"]


def test_offsets_are_utf16_in_the_file_and_code_points_in_the_record(write):
    path = write(ANNA)
    assert re.search(r'"?begin"?[=:] ?"?3\b', path.read_text("utf8"))
    ((record,), _) = read(path)
    assert (record.spans[0].start, record.spans[0].end) == (2, 12)


def test_nested_overlapping_and_stacked_annotations_are_all_read(write):
    spans = ner("Anna Smith", "PER"), ner("Anna", "FIRST"), ner("Smith went", "X"), ner("Anna", "ALSO")
    ((record,), _) = read(write(make(*spans)))
    assert sorted(found(record)) == [("Anna", "ALSO"), ("Anna", "FIRST"), ("Anna Smith", "PER"), ("Smith went", "X")]


def test_a_subtype_of_named_entity_is_the_label_if_there_is_no_value(write):
    spans = ("Anna", PERSON, {}), ("Smith", PERSON, {"value": "LAST"}), ("York", NER, {})
    ((record,), _) = read(write(make(*spans)))
    assert found(record) == [("Anna", "Person"), ("Smith", "LAST"), ("York", None)]


def test_line_ends_and_white_space_of_the_text_are_kept(write):
    text = " Anna\n\tSmith  \n😀 Bob "
    ((record,), _) = read(write(make(ner("Bob", "PER"), text=text)))
    assert (record.text, found(record)) == (text, [("Bob", "PER")])


def test_other_layers_are_left_out_if_there_are_named_entities(write):
    ((record,), _) = read(
        write(make(ner("Anna", "PER"), ("went", POS, {"PosValue": "V"}), ("York", SKILL, {"label": "A"})))
    )
    assert found(record) == [("Anna", "PER")]


def test_the_only_custom_layer_is_read_with_the_feature_that_looks_like_a_label(write):
    ((record,), log) = read(
        write(make(("went", POS, {"PosValue": "V"}), ("York", SKILL, {"level": "1", "label": "A"})))
    )
    assert found(record) == [("York", "A")]
    assert log.notes == [f"entities from the layer {SKILL}, feature label"]


def test_the_user_chooses_between_two_custom_layers(write):
    path = write(make(("York", SKILL, {"level": "1", "label": "A"}), ("Anna", SECTION, {})))
    with pytest.raises(DomainNerError, match=r"the layers webanno\S+ and webanno\S+ may each have the entities"):
        read(path)
    assert found(read(path, field="Section")[0][0]) == [("Anna", "Section")]
    assert found(read(path, field="Skill|level")[0][0]) == [("York", "1")]
    assert found(read(path, field=f"{SKILL}|label")[0][0]) == [("York", "A")]


def test_built_in_layers_are_read_if_the_user_names_them(write):
    assert found(read(write(make(("went", POS, {"PosValue": "V"}))), field="POS")[0][0]) == [("went", "V")]


def test_an_unknown_layer_is_reported_with_the_existing_ones(write):
    records, log = read(write(ANNA), field="Skull")
    assert [record.spans for record in records] == [()]
    assert log.notes[0] == "no layer has Skull (layers: NamedEntity): read as annotated without any"


def test_relations_are_not_entities(write):
    ((record,), _) = read(write(make(("went", LINK, {}), ("York", SECTION, {}))))
    assert found(record) == [("York", "Section")]


def test_each_value_of_a_multi_valued_feature_is_an_annotation(write):
    system = types()
    tags = system.get_type("uima.cas.StringArray")(elements=["A", "B"])
    ((record,), _) = read(write(make(("York", SKILL, {"tags": tags}), system=system)), field="Skill|tags")
    assert found(record) == [("York", "A"), ("York", "B")]


def test_without_a_label_feature_the_subtypes_of_the_layer_are_the_labels(write):
    system = types()
    system.create_type("clinic.Mention")
    system.create_feature(system.get_type("clinic.Mention"), "subject", "uima.cas.String")
    for kind in ("Drug", "Disease"):
        system.create_type(f"clinic.{kind}", "clinic.Mention")
    path = write(make(("Anna", "clinic.Drug", {"subject": "x"}), ("York", "clinic.Disease", {}), system=system))
    assert found(read(path, field="Mention")[0][0]) == [("Anna", "Drug"), ("York", "Disease")]
    assert found(read(path, field="Mention|subject")[0][0]) == [("Anna", "x"), ("York", "Disease")]


@pytest.mark.parametrize(("empty", "answer"), [("negative", "accepted"), ("skip", "not annotated")])
def test_the_user_chooses_what_a_document_without_annotations_means(write, empty, answer):
    ((record,), _) = read(write(make(text="Nobody.")), empty=empty)
    assert (record.text, record.answer) == ("Nobody.", answer)


def test_an_empty_text_is_read(write):
    ((record,), log) = read(write(make(text="")))
    assert (record.text, record.spans, log.problems) == ("", (), [])


def test_the_document_has_the_title_in_the_cas(write):
    ((record,), _) = read(write(make(ner("Anna", "PER"), (TEXT, META, {"documentTitle": "letter 7"}))))
    assert record.document == "letter 7"


def test_each_text_of_a_cas_is_a_record(tmp_path):
    made = make(ner("Anna", "PER"))
    view = made.create_view("translation")
    view.sofa_string, view.sofa_mime = "Anna ging.", "text/plain"
    view.add(made.typesystem.get_type(NER)(begin=0, end=4, value="PERSON"))
    (tmp_path / "TypeSystem.xml").write_text(made.typesystem.to_xml())
    made.to_xmi(tmp_path / "doc.xmi")
    records, _ = read(tmp_path / "doc.xmi")
    assert [found(record) for record in records] == [[("Anna", "PER")], [("Anna", "PERSON")]]


def test_an_offset_inside_a_character_is_a_fault(write):
    path = write(make(ner("Anna", "PER"), ner("York", "LOC")))
    path.write_text(re.sub(r'("?begin"?[=:] ?"?)3\b', r"\g<1>1", path.read_text("utf8")), "utf8")  # inside the emoji
    ((record,), _) = read(path)
    assert [(span.label, bool(span.fault)) for span in record.spans] == [("PER", True), ("LOC", False)]
    assert record.spans[0].fault == "its offsets are no place in the text"


@pytest.mark.parametrize("name", ["my label", "a-b", "x=1", "__init__", "class", "1st"])
def test_a_feature_whose_name_is_not_a_plain_word_is_refused_before_the_library_makes_a_class_of_it(write, name):
    records, log = read(write(make(("York", SKILL, {"label": "A"}), system=types("harmless"))))
    assert (len(records), log.problems) == (1, [])
    path = write(make(ner("Anna", "PER"), system=types("harmless")))
    for file in path.parent.iterdir():
        file.write_text(file.read_text("utf8").replace("harmless", name), "utf8")
    records, log = read(path)
    assert records == []
    assert f"the layer {SKILL} has a feature called {name!r}" in log.problems[0][1]


def test_the_spans_of_a_long_document_are_read_in_order(write):
    n = 500
    text = "😀 Bob. " * n
    system = types()
    made = make(text=text, system=system)
    for k in range(n):
        made.add(system.get_type(NER)(begin=k * 7 + 2, end=k * 7 + 5, value="PER"))
    ((record,), _) = read(write(made))
    assert found(record) == [("Bob", "PER")] * n
