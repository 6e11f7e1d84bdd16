import io
import json
import re
import zipfile

import cassis
import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.conversion.offsets import locate
from domain_ner.errors import DomainNerError
from domain_ner.readers.text_files.decoding import read_sample
from domain_ner.readers.webanno import cas, cas_files

DKPRO = "de.tudarmstadt.ukp.dkpro.core.api"
NER, PERSON = f"{DKPRO}.ner.type.NamedEntity", f"{DKPRO}.ner.type.Person"
POS, META = f"{DKPRO}.lexmorph.type.pos.POS", f"{DKPRO}.metadata.type.DocumentMetaData"
SKILL, SECTION, LINK = "webanno.custom.Skill", "webanno.custom.Section", "webanno.custom.Link"
TEXT = "😀 Anna Smith went to New York."


def types(*more):
    """A type system as projects have it: layers of the tools, and some of their own. more: further features."""
    found = cassis.TypeSystem()
    for name, features in {
        NER: ["value", "identifier"],
        POS: ["PosValue"],
        SKILL: ["level", "label"],
        SECTION: [],
    }.items():
        kind = found.create_type(name)
        for feature in features:
            found.create_feature(kind, feature, "uima.cas.String")
    found.create_type(PERSON, NER)
    meta = found.create_type(META, "uima.tcas.DocumentAnnotation")
    found.create_feature(meta, "documentTitle", "uima.cas.String")
    link = found.create_type(LINK)
    for feature in ("Governor", "Dependent"):
        found.create_feature(link, feature, "uima.tcas.Annotation")
    found.create_feature(found.get_type(SKILL), "tags", "uima.cas.StringArray")
    for feature in more:
        found.create_feature(found.get_type(SKILL), feature, "uima.cas.String")
    return found


def make(*spans, text=TEXT, system=None):
    """A CAS. spans: (words, type, features), each at the first place where the text has the words."""
    system = system or types()
    found = cassis.Cas(system)
    found.sofa_string, found.sofa_mime = text, "text/plain"
    for words, kind, features in spans:
        start = text.index(words)
        found.add(system.get_type(kind)(begin=start, end=start + len(words), **features))
    return found


def ner(words, value):
    return words, NER, {"value": value}


ANNA = make(ner("Anna Smith", "PER"), ner("New York", "LOC"))


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


@pytest.fixture
def write_zip(tmp_path):
    def write_members(members, name="export.zip"):
        path = tmp_path / name
        path.write_bytes(zipped(members))
        return path

    return write_members


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def exported(made, user="admin"):
    """The zip that INCEpTION makes of one annotator's work on one document."""
    return {f"{user}.xmi": made.to_xmi(), "TypeSystem.xml": made.typesystem.to_xml()}


def read(path, *, name="", **options):
    log = FileLog(name or path.name)
    return list(cas.read(path, ReaderOptions(**options), log)), log


def recognises(path):
    text, whole = ("", False) if path.suffix == ".zip" else read_sample(path)
    return cas.recognises(Sample(path, text, whole))


def found(record):
    located = zip(record.spans, locate(record, None), strict=True)
    return [(record.text[at.start : at.end], span.label) for span, at in located if at.start is not None]


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


def test_a_type_below_named_entity_is_a_label_where_it_has_no_value(write):
    spans = ("Anna", PERSON, {}), ("Smith", PERSON, {"value": "LAST"}), ("York", NER, {})
    ((record,), _) = read(write(make(*spans)))
    assert found(record) == [("Anna", "Person"), ("Smith", "LAST"), ("York", None)]


def test_line_ends_and_white_space_of_the_text_are_kept(write):
    text = " Anna\n\tSmith  \n😀 Bob "
    ((record,), _) = read(write(make(ner("Bob", "PER"), text=text)))
    assert (record.text, found(record)) == (text, [("Bob", "PER")])


def test_other_layers_are_left_out_where_there_are_named_entities(write):
    ((record,), _) = read(
        write(make(ner("Anna", "PER"), ("went", POS, {"PosValue": "V"}), ("York", SKILL, {"label": "A"})))
    )
    assert found(record) == [("Anna", "PER")]


def test_the_one_custom_layer_is_read_with_the_feature_that_looks_like_a_label(write):
    ((record,), log) = read(
        write(make(("went", POS, {"PosValue": "V"}), ("York", SKILL, {"level": "1", "label": "A"})))
    )
    assert found(record) == [("York", "A")]
    assert log.notes == [f"entities from the layer {SKILL}, feature label"]


def test_of_two_custom_layers_the_user_names_one(write):
    path = write(make(("York", SKILL, {"level": "1", "label": "A"}), ("Anna", SECTION, {})))
    with pytest.raises(DomainNerError, match=r"the layers webanno\S+ and webanno\S+ may each have the entities"):
        read(path)
    assert found(read(path, field="Section")[0][0]) == [("Anna", "Section")]
    assert found(read(path, field="Skill|level")[0][0]) == [("York", "1")]
    assert found(read(path, field=f"{SKILL}|label")[0][0]) == [("York", "A")]


def test_layers_of_the_tools_are_read_where_the_user_names_them(write):
    assert found(read(write(make(("went", POS, {"PosValue": "V"}))), field="POS")[0][0]) == [("went", "V")]


def test_an_unknown_layer_is_told_with_those_that_are_there(write):
    records, log = read(write(ANNA), field="Skull")
    assert [record.spans for record in records] == [()]
    assert log.notes[0] == "no layer has Skull (layers: NamedEntity): read as annotated without any"


def test_relations_are_no_entities(write):
    ((record,), _) = read(write(make(("went", LINK, {}), ("York", SECTION, {}))))
    assert found(record) == [("York", "Section")]


def test_of_a_layer_that_has_several_values_each_is_an_annotation(write):
    system = types()
    tags = system.get_type("uima.cas.StringArray")(elements=["A", "B"])
    ((record,), _) = read(write(make(("York", SKILL, {"tags": tags}), system=system)), field="Skill|tags")
    assert found(record) == [("York", "A"), ("York", "B")]


def test_without_a_feature_for_the_label_types_below_the_layer_are_the_labels(write):
    system = types()
    system.create_type("clinic.Mention")
    system.create_feature(system.get_type("clinic.Mention"), "subject", "uima.cas.String")
    for kind in ("Drug", "Disease"):
        system.create_type(f"clinic.{kind}", "clinic.Mention")
    path = write(make(("Anna", "clinic.Drug", {"subject": "x"}), ("York", "clinic.Disease", {}), system=system))
    assert found(read(path, field="Mention")[0][0]) == [("Anna", "Drug"), ("York", "Disease")]
    assert found(read(path, field="Mention|subject")[0][0]) == [("Anna", "x"), ("York", "Disease")]


@pytest.mark.parametrize(("empty", "answer"), [("negative", "accepted"), ("skip", "not annotated")])
def test_a_document_without_annotations_means_what_the_user_says(write, empty, answer):
    ((record,), _) = read(write(make(text="Nobody.")), empty=empty)
    assert (record.text, record.answer) == ("Nobody.", answer)


def test_an_empty_text_is_read(write):
    ((record,), log) = read(write(make(text="")))
    assert (record.text, record.spans, log.problems) == ("", (), [])


def test_the_document_is_called_as_the_cas_says(write):
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


def test_an_offset_that_is_no_place_in_the_text_is_a_fault(write):
    path = write(make(ner("Anna", "PER"), ner("York", "LOC")))
    path.write_text(re.sub(r'("?begin"?[=:] ?"?)3\b', r"\g<1>1", path.read_text("utf8")), "utf8")  # inside the emoji
    ((record,), _) = read(path)
    assert [(span.label, bool(span.fault)) for span in record.spans] == [("PER", True), ("LOC", False)]
    assert record.spans[0].fault == "its offsets are no place in the text"


@pytest.mark.parametrize("name", ["my label", "a-b", "x=1", "__init__", "class", "1st"])
def test_a_feature_whose_name_is_no_plain_word_is_refused_before_the_library_makes_a_class_of_it(write, name):
    records, log = read(write(make(("York", SKILL, {"label": "A"}), system=types("harmless"))))
    assert (len(records), log.problems) == (1, [])
    path = write(make(ner("Anna", "PER"), system=types("harmless")))
    for file in path.parent.iterdir():
        file.write_text(file.read_text("utf8").replace("harmless", name), "utf8")
    records, log = read(path)
    assert records == []
    assert f"the layer {SKILL} has a feature called {name!r}" in log.problems[0][1]


def test_xmi_without_its_type_system_is_an_error(tmp_path):
    ANNA.to_xmi(tmp_path / "doc.xmi")
    with pytest.raises(DomainNerError, match=r"(?s)doc.xmi has no type system: there is no TypeSystem.xml.*Put it"):
        read(tmp_path / "doc.xmi")


def test_in_a_zip_it_is_a_problem(write_zip):
    records, log = read(write_zip({"a.xmi": ANNA.to_xmi(), "b.json": ANNA.to_json()}))
    assert (len(records), log.n_documents) == (1, 2)
    assert log.problems == [
        (0, "a.xmi: its type system is not beside it: expected TypeSystem.xml, as the export has it")
    ]


def test_the_type_system_may_lie_in_a_folder_above_as_far_as_the_folder_of_the_exports(tmp_path):
    inner = tmp_path / "exports" / "a" / "b"
    inner.mkdir(parents=True)
    ANNA.to_xmi(inner / "doc.xmi")
    (tmp_path / "types.xml").write_text(ANNA.typesystem.to_xml())
    with pytest.raises(DomainNerError, match="has no type system"):
        read(inner / "doc.xmi", name="a/b/doc.xmi")
    (tmp_path / "types.xml").rename(tmp_path / "exports" / "types.xml")
    ((record,), _) = read(inner / "doc.xmi", name="a/b/doc.xmi")
    assert found(record) == [("Anna Smith", "PER"), ("New York", "LOC")]


def test_several_type_systems_count_together(tmp_path):
    one, other = cassis.TypeSystem(), cassis.TypeSystem()
    one.create_feature(one.create_type(NER), "value", "uima.cas.String")
    other.create_type(SECTION)
    both = cassis.merge_typesystems(one, other)
    make(ner("Anna", "PER"), ("York", SECTION, {}), system=both).to_xmi(tmp_path / "doc.xmi")
    (tmp_path / "a.xml").write_text(one.to_xml())
    (tmp_path / "b.xml").write_text(other.to_xml())
    assert found(read(tmp_path / "doc.xmi")[0][0]) == [("Anna", "PER")]


def test_a_type_that_the_type_system_does_not_know_is_a_problem(tmp_path):
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


def test_entities_are_refused(tmp_path):
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
def test_json_with_a_value_that_no_cas_has_is_a_problem(tmp_path, old, new):
    path = tmp_path / "doc.json"
    text = ANNA.to_json()
    assert old in text
    path.write_text(text.replace(old, new), "utf8")
    records, log = read(path)
    assert (records, len(log.problems), log.n_documents) == ([], 1, 1)


def test_the_zip_of_one_document_is_read(write_zip):
    path = write_zip(exported(ANNA, "letter"))
    ((record,), _) = read(path)
    assert recognises(path)
    assert (record.file, record.document, record.annotator) == ("export.zip/letter.xmi", "letter", "")
    assert found(record) == [("Anna Smith", "PER"), ("New York", "LOC")]


PROJECT = {
    "exportedproject123.json": '{"source_documents": [], "layers": []}',
    "annotation/one.txt/export1.zip": zipped(exported(ANNA, "ann")),
    "annotation/one.txt/export2.zip": zipped(exported(make(ner("Anna", "PER")), "bob")),
    "annotation/one.txt/INITIAL_CAS.zip": zipped(exported(make(), "INITIAL_CAS")),
    "annotation/two.txt/ann.json": make(ner("Bob", "PER"), text="Bob too.").to_json(),
    "curation/one.txt/CURATION_USER.json": ANNA.to_json(),
    "source/one.txt": TEXT,
    "__MACOSX/annotation/one.txt/._x.xmi": "x",
}


def test_the_zip_of_a_project_tells_documents_and_annotators(write_zip):
    path = write_zip(PROJECT)
    records, log = read(path)
    assert recognises(path)
    assert [(record.document, record.annotator, record.answer, len(record.spans)) for record in records] == [
        ("one.txt", "INITIAL_CAS", "not annotated", 0),
        ("one.txt", "ann", "accepted", 2),
        ("one.txt", "bob", "accepted", 1),
        ("two.txt", "ann", "accepted", 1),
        ("one.txt", "CURATION_USER", "accepted", 2),
    ]
    assert (log.n_documents, log.problems) == (5, [])
    assert records[1].file == "export.zip/annotation/one.txt/export1.zip/ann.xmi"


def test_an_unpacked_project_is_read_alike(tmp_path):
    folder = tmp_path / "annotation" / "one.txt"
    folder.mkdir(parents=True)
    ANNA.to_json(folder / "ann.json")
    (folder / "export.zip").write_bytes(zipped(exported(ANNA, "bob")))
    for file, annotator in {"ann.json": "ann", "export.zip": "bob"}.items():
        ((record,), _) = read(folder / file, name=f"annotation/one.txt/{file}")
        assert (record.document, record.annotator) == ("one.txt", annotator)


def test_the_layer_is_one_for_the_whole_zip(write_zip):
    members = {"a.json": make(("York", SECTION, {})).to_json(), "b.json": ANNA.to_json()}
    records, _ = read(write_zip(members))
    assert [found(record) for record in records] == [[], [("Anna Smith", "PER"), ("New York", "LOC")]]


def test_a_damaged_member_does_not_cost_the_others(write_zip):
    members = {
        "annotation/one.txt/a.zip": b"no zip", "annotation/one.txt/b.zip": zipped(exported(ANNA)),
        "annotation/one.txt/c.xmi": "<broken", "annotation/two.txt/d.json": ANNA.to_json(),
    }  # fmt: skip
    records, log = read(write_zip(members))
    assert (len(records), log.n_documents) == (2, 4)
    assert [message.partition(":")[0] for _, message in log.problems] == [
        "annotation/one.txt/a.zip", "annotation/one.txt/c.xmi",
    ]  # fmt: skip


def test_a_wrong_checksum_is_told(write_zip):
    path = write_zip({"a.json": ANNA.to_json(), "b.xmi": ANNA.to_xmi(), "TypeSystem.xml": types().to_xml()})
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("b.xmi").header_offset
    raw = bytearray(path.read_bytes())
    raw[start + 100] ^= 1
    path.write_bytes(bytes(raw))
    records, log = read(path)
    assert (len(records), log.n_documents) == (1, 2)
    assert log.problems[0][1].startswith("b.xmi: ")


def test_a_zip_that_unpacks_to_more_than_is_read_is_refused(write_zip, monkeypatch):
    path = write_zip(exported(ANNA))
    monkeypatch.setattr(cas_files, "MAX_UNPACKED_BYTES", 100)
    with pytest.raises(DomainNerError, match=r"export.zip unpacks to [\d,]+ bytes; expected at most 100"):
        read(path)


@pytest.mark.parametrize("limit", ["MAX_INNER_BYTES", "MAX_UNPACKED_BYTES"])
def test_a_zip_in_a_zip_that_is_too_long_is_a_problem(write_zip, monkeypatch, limit):
    inner = zipped(exported(ANNA) | {"long.txt": "x" * 10_000})
    path = write_zip({"annotation/one.txt/a.zip": inner, "annotation/two.txt/b.json": ANNA.to_json()})
    monkeypatch.setattr(cas_files, limit, len(inner) - 1 if limit == "MAX_INNER_BYTES" else 10_000 + len(inner))
    records, log = read(path)
    assert (len(records), log.n_documents) == (1, 2)
    assert log.problems[0][1].startswith("annotation/one.txt/a.zip: export.zip/annotation/one.txt/a.zip unpacks to")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_both_read(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for words in ("Anna", "York"):
            archive.writestr("a.json", make(ner(words, "X")).to_json())
    records, log = read(path)
    assert [found(record) for record in records] == [[("Anna", "X")], [("York", "X")]]
    assert log.notes[0] == "two files in the zip have the same name; both are read: a.json"


def test_what_is_no_zip_is_an_error(tmp_path):
    (tmp_path / "export.zip").write_bytes(b"PK nothing")
    assert not recognises(tmp_path / "export.zip")
    with pytest.raises(DomainNerError, match="is not a readable zip"):
        read(tmp_path / "export.zip")


@pytest.mark.parametrize("members", [{"all.jsonl": '{"text": "a", "label": []}'}, {"a.xml": "<View/>"}, {}])
def test_other_zips_are_not_recognised(write_zip, members):
    assert not recognises(write_zip(members))


def test_the_documents_of_a_long_one_are_read_in_order(write):
    n = 500
    text = "😀 Bob. " * n
    system = types()
    made = make(text=text, system=system)
    for k in range(n):
        made.add(system.get_type(NER)(begin=k * 7 + 2, end=k * 7 + 5, value="PER"))
    ((record,), _) = read(write(made))
    assert found(record) == [("Bob", "PER")] * n
