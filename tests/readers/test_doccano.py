"""doccano's rows, of every version: spans, labels, annotators, metadata."""

import json
from functools import partial

import pytest
from doccano_exports import OTHERS, TEXT, read, recognises, row, write_rows

from domain_ner.errors import DomainNerError


@pytest.fixture
def write(tmp_path):
    return partial(write_rows, tmp_path)


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


def test_a_truncated_pretty_printed_object_is_reported_with_its_line(tmp_path):
    path = tmp_path / "export.jsonl"
    path.write_text(f"{json.dumps(row(), indent=4)}\n{json.dumps(row(), indent=4)[:-20]}", encoding="utf-8")
    records, log = read(path)
    assert (len(records), log.problems) == (1, [(13, "JSON ends early; 1 good row before it")])


def test_the_unit_of_offsets_is_left_to_the_vote(write):
    (record,), _ = read(write(row()))
    assert record.unit is None


def test_metadata_at_the_top_level_is_kept_beside_meta(write):
    given = row(lang="fr", labels="x", Comments=["check"], meta={"page": 1}, source=None)
    (record,), _ = read(write(given))
    assert record.meta == {"lang": "fr", "labels": "x", "Comments": ["check"], "page": 1}


def test_meta_that_is_not_an_object_is_kept(write):
    (record,), _ = read(write(row(meta="page 1")))
    assert record.meta == {"meta": "page 1"}


def test_metadata_under_a_key_for_annotations_is_not_read_as_annotations(write):
    (record,), _ = read(write(row(entities=["a", "b"])))
    assert [span.label for span in record.spans] == ["LOC"]


def test_each_annotator_of_a_row_has_a_record(write):
    spans = [offset(0, 5, "LOC", user=1), offset(0, 5, "ORG", user=2), offset(9, 12, "LOC", user=1)]
    records, log = read(write({"id": 1, "text": TEXT, "annotations": spans}))
    assert [(record.annotator, len(record.spans)) for record in records] == [("1", 2), ("2", 1)]
    assert log.n_documents == 1


def test_the_annotator_of_the_oldest_exports_is_read(write):
    (record,), _ = read(write(VARIANTS["oldest"]))
    assert record.annotator == "ann"


def test_integer_labels_without_names_stay_numbers_and_are_reported(write):
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


def test_invalid_offsets_and_labels_are_left_to_the_conversion(write):
    (record,), _ = read(write(row(label=[[0, 99, "LOC"], [None, 5, "LOC"], [0, 5, None]])))
    found = [(span.start, span.end, span.label) for span in record.spans]
    assert found == [(0, 99, "LOC"), (None, 5, "LOC"), (0, 5, None)]


def test_an_entry_that_is_not_a_span_is_kept_with_its_fault(write):
    (record,), _ = read(write(row(label=[[0, 5, "LOC"], "travel"])))
    assert record.spans[1].fault.startswith("it is 'travel': expected [start, end, label]")


@pytest.mark.parametrize(("empty", "answer"), [("negative", "accepted"), ("skip", "not annotated")])
def test_empty_rows_are_texts_without_entities_or_left_out_on_request(write, empty, answer):
    records, _ = read(write(row(), row(label=[])), empty=empty)
    assert [record.answer for record in records] == ["accepted", answer]


def test_relations_are_noted_as_not_read(write):
    _, log = read(write(VARIANTS["entities"] | {"relations": [{"from_id": 7, "to_id": 7}]}))
    assert log.notes == ["relations are not read"]


BAD_ROWS = {
    "no text": ({"label": [[0, 1, "PER"]]}, "text is None; expected a passage"),
    "no annotations": ({"id": 1, "text": "a"}, "no annotations; expected a list under one of entities, label"),
    "label is a string": (row(label="LOC"), "label is a str; expected a list"),
}


@pytest.mark.parametrize(("bad", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_a_problem_and_the_others_are_read(write, bad, message):
    records, log = read(write(row(), bad, row()))
    assert [record.line for record in records] == [1, 3]
    ((line, told),) = log.problems
    assert (line, told[: len(message)], log.n_documents) == (2, message, 3)


def test_a_file_without_rows_is_an_error(write):
    with pytest.raises(DomainNerError, match=r"export.jsonl is empty"):
        read(write(" "))
