"""Zips of CASes: of one document, of a project, and damaged ones."""

import zipfile

import pytest
from cas_exports import ANNA, SECTION, TEXT, exported, found, make, ner, read, recognises, types, zipped

from domain_ner.errors import DomainNerError
from domain_ner.readers.webanno import cas_files


@pytest.fixture
def write_zip(tmp_path):
    def write_members(members, name="export.zip"):
        path = tmp_path / name
        path.write_bytes(zipped(members))
        return path

    return write_members


def test_xmi_in_a_zip_without_its_type_system_is_a_problem(write_zip):
    records, log = read(write_zip({"a.xmi": ANNA.to_xmi(), "b.json": ANNA.to_json()}))
    assert (len(records), log.n_documents) == (1, 2)
    assert log.problems == [
        (0, "a.xmi: its type system is not beside it: expected TypeSystem.xml, as the export has it")
    ]


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


def test_the_zip_of_a_project_names_documents_and_annotators(write_zip):
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


def test_an_unpacked_project_is_read_like_its_zip(tmp_path):
    folder = tmp_path / "annotation" / "one.txt"
    folder.mkdir(parents=True)
    ANNA.to_json(folder / "ann.json")
    (folder / "export.zip").write_bytes(zipped(exported(ANNA, "bob")))
    for file, annotator in {"ann.json": "ann", "export.zip": "bob"}.items():
        ((record,), _) = read(folder / file, name=f"annotation/one.txt/{file}")
        assert (record.document, record.annotator) == ("one.txt", annotator)


def test_one_layer_is_chosen_for_the_whole_zip(write_zip):
    members = {"a.json": make(("York", SECTION, {})).to_json(), "b.json": ANNA.to_json()}
    records, _ = read(write_zip(members))
    assert [found(record) for record in records] == [[], [("Anna Smith", "PER"), ("New York", "LOC")]]


def test_damaged_members_are_problems_and_the_others_are_read(write_zip):
    members = {
        "annotation/one.txt/a.zip": b"no zip", "annotation/one.txt/b.zip": zipped(exported(ANNA)),
        "annotation/one.txt/c.xmi": "<broken", "annotation/two.txt/d.json": ANNA.to_json(),
    }  # fmt: skip
    records, log = read(write_zip(members))
    assert (len(records), log.n_documents) == (2, 4)
    assert [message.partition(":")[0] for _, message in log.problems] == [
        "annotation/one.txt/a.zip", "annotation/one.txt/c.xmi",
    ]  # fmt: skip


def test_a_wrong_checksum_is_a_problem(write_zip):
    path = write_zip({"a.json": ANNA.to_json(), "b.xmi": ANNA.to_xmi(), "TypeSystem.xml": types().to_xml()})
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("b.xmi").header_offset
    raw = bytearray(path.read_bytes())
    raw[start + 100] ^= 1
    path.write_bytes(bytes(raw))
    records, log = read(path)
    assert (len(records), log.n_documents) == (1, 2)
    assert log.problems[0][1].startswith("b.xmi: ")


def test_a_zip_that_unpacks_to_more_than_the_limit_is_refused(write_zip, monkeypatch):
    path = write_zip(exported(ANNA))
    monkeypatch.setattr(cas_files, "MAX_UNPACKED_BYTES", 100)
    with pytest.raises(DomainNerError, match=r"export.zip unpacks to [\d,]+ bytes; expected at most 100"):
        read(path)


@pytest.mark.parametrize("limit", ["MAX_INNER_BYTES", "MAX_UNPACKED_BYTES"])
def test_a_zip_in_a_zip_that_is_too_large_is_a_problem(write_zip, monkeypatch, limit):
    inner = zipped(exported(ANNA) | {"long.txt": "x" * 10_000})
    path = write_zip({"annotation/one.txt/a.zip": inner, "annotation/two.txt/b.json": ANNA.to_json()})
    monkeypatch.setattr(cas_files, limit, len(inner) - 1 if limit == "MAX_INNER_BYTES" else 10_000 + len(inner))
    records, log = read(path)
    assert (len(records), log.n_documents) == (1, 2)
    assert log.problems[0][1].startswith("annotation/one.txt/a.zip: export.zip/annotation/one.txt/a.zip unpacks to")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_with_the_same_name_are_both_read(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for words in ("Anna", "York"):
            archive.writestr("a.json", make(ner(words, "X")).to_json())
    records, log = read(path)
    assert [found(record) for record in records] == [[("Anna", "X")], [("York", "X")]]
    assert log.notes[0] == "two files in the zip have the same name; both are read: a.json"


def test_a_file_that_is_not_a_zip_is_an_error(tmp_path):
    (tmp_path / "export.zip").write_bytes(b"PK nothing")
    assert not recognises(tmp_path / "export.zip")
    with pytest.raises(DomainNerError, match="is not a readable zip"):
        read(tmp_path / "export.zip")


@pytest.mark.parametrize("members", [{"all.jsonl": '{"text": "a", "label": []}'}, {"a.xml": "<View/>"}, {}])
def test_other_zips_are_not_recognised(write_zip, members):
    assert not recognises(write_zip(members))
