import json

import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers import dataturks
from domain_ner.readers.text_files.decoding import read_sample

PARIS = {"label": ["LOC"], "points": [{"start": 0, "end": 4, "text": "Paris"}]}


def row(*annotations, text="Paris is big", **rest):
    return {"content": text, "annotation": list(annotations), **rest}


def write(folder, *rows):
    path = folder / "export.json"
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf8")
    return path


def read(path, **options):
    log = FileLog(path.name)
    return list(dataturks.read(path, ReaderOptions(**options), log)), log


def found(record):
    return [(record.text[span.start : span.end], span.label) for span in record.spans]


def is_recognised(path):
    return dataturks.recognises(Sample(path, *read_sample(path)))


def test_inclusive_ends_become_exclusive(tmp_path):
    path = write(tmp_path, row(PARIS))
    assert is_recognised(path)
    [record], log = read(path)
    assert found(record) == [("Paris", "LOC")]
    assert record.spans[0].text == "Paris"
    assert "ends are inclusive (DataTurks): converted" in log.notes


def test_an_end_that_the_words_show_to_be_exclusive_stays(tmp_path):
    [record], _ = read(write(tmp_path, row({"label": ["LOC"], "points": [{"start": 0, "end": 5, "text": "Paris"}]})))
    assert found(record) == [("Paris", "LOC")]


def test_an_entity_of_one_character_is_kept(tmp_path):
    entry = {"label": ["X"], "points": [{"start": 1, "end": 1, "text": "b"}]}
    [record], _ = read(write(tmp_path, row(entry, text="abb")))
    assert found(record) == [("b", "X")]


def test_every_point_has_every_label(tmp_path):
    points = [{"start": 0, "end": 4}, {"start": 9, "end": 11}]
    [record], _ = read(write(tmp_path, row({"label": ["A", "B"], "points": points})))
    assert found(record) == [("Paris", "A"), ("Paris", "B"), ("big", "A"), ("big", "B")]


@pytest.mark.parametrize("label", [[], None])
def test_a_point_without_label_is_passed_on(tmp_path, label):
    [record], _ = read(write(tmp_path, row({"label": label, "points": PARIS["points"]})))
    assert [span.label for span in record.spans] == [None]


@pytest.mark.parametrize(
    ("entry", "told"),
    [({"label": ["LOC"]}, "expected `label` and `points`"), ({"label": ["LOC"], "points": [4]}, "a point is 4")],
)
def test_an_annotation_without_points_is_passed_on_with_its_fault(tmp_path, entry, told):
    [record], _ = read(write(tmp_path, row(entry)))
    assert told in record.spans[0].fault


@pytest.mark.parametrize(
    ("annotation", "status", "empty", "answer"),
    [
        (None, "", "negative", "not annotated"),
        (None, "done", "skip", "accepted"),
        ([], "", "negative", "accepted"),
        ([], "", "skip", "not annotated"),
        ([PARIS], "skipped", "negative", "ignored"),
    ],
)
def test_what_an_empty_annotation_means(tmp_path, annotation, status, empty, answer):
    path = write(tmp_path, row(PARIS), {"content": "x", "annotation": annotation, "metadata": {"status": status}})
    assert read(path, empty=empty)[0][1].answer == answer


def test_a_row_without_text_costs_no_other(tmp_path):
    records, log = read(write(tmp_path, row(PARIS, text=None), row(PARIS)))
    assert [record.line for record in records] == [2]
    assert log.problems[0][0] == 1
    assert "content is None; expected a text" in log.problems[0][1]
    assert log.n_documents == 2


def test_a_file_without_rows_is_refused(tmp_path):
    path = tmp_path / "export.json"
    path.write_text("\n", "utf8")
    with pytest.raises(DomainNerError):
        read(path)


@pytest.mark.parametrize(
    "other", [{"content": "Paris", "label": []}, {"content": "Paris", "annotation": "LOC"}, {"annotation": []}]
)
def test_rows_of_other_formats_are_left_to_them(tmp_path, other):
    assert not is_recognised(write(tmp_path, other))
