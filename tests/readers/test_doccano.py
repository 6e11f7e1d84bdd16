import json
import zipfile

import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers import doccano
from domain_ner.readers.text_files.decoding import read_sample

TEXT = "Paris is big"


def row(**changes):
    return {"id": 1, "text": TEXT, "label": [[0, 5, "LOC"]], "Comments": []} | changes


def lines(*rows):
    return "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in rows)


@pytest.fixture
def write(tmp_path):
    def write_rows(*rows, name="export.jsonl"):
        path = tmp_path / name
        path.write_text(lines(*rows), encoding="utf-8")
        return path

    return write_rows


@pytest.fixture
def write_zip(tmp_path):
    def write_members(**members):
        path = tmp_path / "export.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name.replace("__", "."), content)
        return path

    return write_members


def read(path, **options):
    log = FileLog(path.name)
    return list(doccano.read(path, ReaderOptions(**options), log)), log


def recognises(path):
    if path.suffix == ".zip":
        return doccano.recognises(Sample(path, "", whole=False))
    text, whole = read_sample(path)
    return doccano.recognises(Sample(path, text, whole))


def offset(start, end, label, **more):
    return {"start_offset": start, "end_offset": end, "label": label} | more


VARIANTS = {
    "label": row(),
    "labels": {"id": 1, "text": TEXT, "labels": [[0, 5, "LOC"]], "meta": {}, "annotation_approver": None},
    "data": {"id": 1, "data": TEXT, "label": [[0, 5, "LOC"]]},
    "entities": {"id": 1, "text": TEXT, "entities": [offset(0, 5, "LOC", id=7)], "relations": []},
    "annotations": {"id": 1, "text": TEXT, "annotations": [offset(0, 5, "LOC", user=1)], "meta": {}},
    "oldest": {"doc_id": 1, "text": TEXT, "entities": [[0, 5, "LOC"]], "username": "ann", "metadata": {}},
    "intents": {"id": 1, "text": TEXT, "cats": ["travel"], "entities": [[0, 5, "LOC"]]},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_every_version_is_recognised_and_read(write, variant):
    path = write(variant)
    (record,), log = read(path)
    (span,) = record.spans
    assert recognises(path)
    assert (record.text, record.document, span.start, span.end, span.label) == (TEXT, "1", 0, 5, "LOC")
    assert not log.problems


OTHERS = {
    "text classification": {"id": 1, "text": TEXT, "label": ["travel"]},
    "spaCy": {"text": TEXT, "entities": [[0, 5, "LOC"]]},
    "Label Studio": {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": []}]},
    "Label Studio JSON_MIN": {"id": 1, "text": TEXT, "label": [], "annotation_id": None},
    "Prodigy": {"text": TEXT, "spans": [{"start": 0, "end": 5, "label": "LOC"}]},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_rows_of_other_tools_are_not_recognised(write, other):
    assert not recognises(write(other))


def test_an_export_without_any_entity_is_recognised(write):
    assert recognises(write(row(label=[])))


def test_a_first_row_longer_than_the_sample_is_recognised(write):
    assert recognises(write(row(text="a " * 50_000)))


def test_a_pretty_printed_object_is_recognised_and_read(tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text(f"{json.dumps(row(), indent=4)}\n{json.dumps(row(id=2), indent=4)}\n", encoding="utf-8")
    records, _ = read(path)
    assert recognises(path)
    assert [(record.line, record.document) for record in records] == [(1, "1"), (13, "2")]


def test_a_pretty_printed_object_that_was_cut_off_is_told_with_its_line(tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text(f"{json.dumps(row(), indent=4)}\n{json.dumps(row(), indent=4)[:-20]}", encoding="utf-8")
    records, log = read(path)
    assert (len(records), log.problems) == (1, [(13, "JSON ends early; 1 good row before it")])


def test_offsets_are_left_to_the_vote(write):
    (record,), _ = read(write(row()))
    assert record.unit is None


def test_metadata_at_the_top_level_is_kept_beside_meta(write):
    given = row(lang="fr", labels="x", Comments=["check"], meta={"page": 1}, source=None)
    (record,), _ = read(write(given))
    assert record.meta == {"lang": "fr", "labels": "x", "Comments": ["check"], "page": 1}


def test_meta_that_is_no_object_is_kept(write):
    (record,), _ = read(write(row(meta="page 1")))
    assert record.meta == {"meta": "page 1"}


def test_metadata_called_like_annotations_is_not_taken_for_them(write):
    (record,), _ = read(write(row(entities=["a", "b"])))
    assert [span.label for span in record.spans] == ["LOC"]


def test_annotators_of_one_row_are_a_record_each(write):
    spans = [offset(0, 5, "LOC", user=1), offset(0, 5, "ORG", user=2), offset(9, 12, "LOC", user=1)]
    records, log = read(write({"id": 1, "text": TEXT, "annotations": spans}))
    assert [(record.annotator, len(record.spans)) for record in records] == [("1", 2), ("2", 1)]
    assert log.n_documents == 1


def test_the_annotator_of_the_oldest_exports_is_read(write):
    (record,), _ = read(write(VARIANTS["oldest"]))
    assert record.annotator == "ann"


def test_integer_labels_without_names_stay_numbers_and_are_told(write):
    spans = [offset(0, 5, 12), offset(0, 5, 2), offset(6, 8, 12)]
    (record,), log = read(write({"id": 1, "text": TEXT, "annotations": spans}))
    assert [span.label for span in record.spans] == ["12", "2", "12"]
    assert log.notes == ["labels are ids 2, 12: give their names, by number, in vars.reading (label_names=…)"]


def test_integer_labels_get_their_names(write):
    (record,), log = read(write(row(label=[[0, 5, 1]])), label_names=("ORG", "LOC"))
    assert (record.spans[0].label, log.notes) == ("LOC", [])


def test_overlaps_and_duplicates_pass_through(write):
    (record,), _ = read(write(row(label=[[0, 5, "LOC"], [0, 5, "LOC"], [0, 8, "ORG"]])))
    assert len(record.spans) == 3


def test_impossible_offsets_and_labels_are_passed_on_for_the_check(write):
    (record,), _ = read(write(row(label=[[0, 99, "LOC"], [None, 5, "LOC"], [0, 5, None]])))
    found = [(span.start, span.end, span.label) for span in record.spans]
    assert found == [(0, 99, "LOC"), (None, 5, "LOC"), (0, 5, None)]


def test_what_is_no_span_is_kept_with_its_fault(write):
    (record,), _ = read(write(row(label=[[0, 5, "LOC"], "travel"])))
    assert record.spans[1].fault.startswith("it is 'travel': expected [start, end, label]")


@pytest.mark.parametrize(("empty", "answer"), [("negative", "accepted"), ("skip", "not annotated")])
def test_empty_rows_are_texts_without_entities_or_left_out_on_request(write, empty, answer):
    records, _ = read(write(row(), row(label=[])), empty=empty)
    assert [record.answer for record in records] == ["accepted", answer]


def test_relations_are_told(write):
    _, log = read(write(VARIANTS["entities"] | {"relations": [{"from_id": 7, "to_id": 7}]}))
    assert log.notes == ["relations are not read"]


BAD_ROWS = {
    "no text": ({"label": [[0, 1, "PER"]]}, "text is None; expected a passage"),
    "no annotations": ({"id": 1, "text": "a"}, "no annotations; expected a list under one of entities, label"),
    "label is a string": (row(label="LOC"), "label is a str; expected a list"),
}


@pytest.mark.parametrize(("bad", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_a_problem_and_costs_no_other(write, bad, message):
    records, log = read(write(row(), bad, row()))
    assert [record.line for record in records] == [1, 3]
    ((line, told),) = log.problems
    assert (line, told[: len(message)], log.n_documents) == (2, message, 3)


def test_a_zip_is_recognised_by_what_is_in_it(write_zip):
    assert recognises(write_zip(ann__jsonl="", bob__jsonl=lines(row())))
    assert not recognises(write_zip(ann__jsonl=lines(OTHERS["Prodigy"])))
    assert not recognises(write_zip(ann__txt="Paris"))


def test_something_called_zip_that_is_none_is_an_error(write):
    with pytest.raises(DomainNerError, match=r"export.zip is not a readable zip: .*\nDownload the export again"):
        recognises(write("PK", name="export.zip"))


def test_the_files_of_a_zip_are_annotators(write_zip):
    content = {"bob__jsonl": lines(row(), row(id=2)), "ann__jsonl": "\ufeff" + lines(row(label=[])), "x__txt": "x"}
    records, log = read(write_zip(**content))
    assert [(record.annotator, record.source) for record in records] == [
        ("ann", "export.zip/ann.jsonl:1"),
        ("bob", "export.zip/bob.jsonl:1"),
        ("bob", "export.zip/bob.jsonl:2"),
    ]
    assert log.n_documents == 3
    assert log.notes == ["byte-order mark removed (utf-8): ann.jsonl"]


def test_the_file_of_all_annotators_names_none(write_zip):
    (record,), _ = read(write_zip(all__jsonl=lines(row())))
    assert record.annotator == ""


def test_an_annotator_without_rows_is_told_and_costs_no_other(write_zip):
    records, log = read(write_zip(ann__jsonl="", bob__jsonl=lines(row())))
    assert (len(records), log.problems) == (1, [])
    assert log.notes == ["an empty file in the zip: no text was exported for that annotator: ann.jsonl"]


def test_a_broken_file_in_a_zip_is_named_and_costs_no_other(write_zip):
    content = {"ann__jsonl": lines(row()) + '{"text": "Os', "bob__jsonl": "\0\0", "cid__jsonl": lines(row())}
    records, log = read(write_zip(**content))
    assert [record.annotator for record in records] == ["ann", "cid"]
    assert log.problems[0] == (2, "ann.jsonl: JSON ends early; 1 good row before it")
    assert log.problems[1][1].startswith("bob.jsonl: cannot be read: ")


def damaged(path, name, at):
    """A zip in which a byte of a member is another one. at: counted from the end of its name."""
    data = bytearray(path.read_bytes())
    data[data.rfind(name, 0, data.rfind(b"PK\x01\x02", 0, data.find(b"PK\x05\x06"))) + len(name) + at] ^= 0x10
    path.write_bytes(data)
    return path


def stored(tmp_path, **members):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.jsonl", content)
    return path


def test_a_damaged_file_of_a_zip_is_named_and_its_rows_are_guessed(tmp_path):
    rows = {"ann": lines(*[row(id=n) for n in range(300)]), "bob": lines(*[row(id=n) for n in range(1000)])}
    path = damaged(stored(tmp_path, **rows), b"bob.jsonl", 40)
    records, log = read(path)
    assert {record.annotator for record in records} == {"ann"} and len(records) == 300
    (problem,) = log.failures
    assert problem.message.startswith("bob.jsonl is damaged or encrypted (Bad CRC-32 for file 'bob.jsonl'): not read")
    assert (problem.cost, abs(problem.n_behind - 1000) < 20) == ("rest", True)
    assert recognises(path)


def test_a_zip_of_which_no_file_can_be_read_is_called_damaged(tmp_path):
    path = damaged(stored(tmp_path, all=lines(row())), b"all.jsonl", 20)
    with pytest.raises(DomainNerError, match=r"export\.zip is damaged or encrypted: Bad CRC-32 for file 'all\.jsonl'"):
        recognises(path)


def test_two_files_of_one_name_are_both_read_and_told(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        for text in ("Paris and Rome", "Oslo and Bonn"):
            archive.writestr("ann.jsonl", lines(row(text=text)))
    records, log = read(path)
    assert [record.text for record in records] == ["Paris and Rome", "Oslo and Bonn"]
    assert log.notes == ["two files in the zip have the same name; both are read: ann.jsonl"]


def test_a_zip_that_unpacks_to_more_than_is_stated_is_refused(write_zip, monkeypatch):
    content = lines(row())
    path = write_zip(all__jsonl=content)
    monkeypatch.setattr(doccano, "MAX_UNPACKED_BYTES", len(content))
    assert len(read(path)[0]) == 1
    monkeypatch.setattr(doccano, "MAX_UNPACKED_BYTES", len(content) - 1)
    for tried in (recognises, read):
        with pytest.raises(
            DomainNerError, match=rf"unpacks to {len(content)} bytes; expected at most {len(content) - 1}"
        ):
            tried(path)


def test_a_note_of_many_files_of_a_zip_is_told_once(write_zip):
    told = {f"a{n}__jsonl": lines(row(relations=[{"id": 1}])) for n in range(12)}
    assert read(write_zip(**told))[1].notes == ["relations are not read: a0.jsonl, a1.jsonl, a10.jsonl … (12 in all)"]


def test_a_zip_that_is_none_is_an_error(write):
    with pytest.raises(DomainNerError, match=r"export.zip is not a readable zip"):
        read(write("PK", name="export.zip"))


def test_a_zip_without_rows_is_an_error(write_zip):
    with pytest.raises(DomainNerError, match=r"has no .jsonl file"):
        read(write_zip(notes__txt="x"))


def test_a_file_without_rows_is_an_error(write):
    with pytest.raises(DomainNerError, match=r"export.jsonl is empty"):
        read(write(" "))
