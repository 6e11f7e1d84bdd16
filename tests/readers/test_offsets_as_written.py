"""An offset is the same number however a tool writes it, in every format of JSON."""

import json

import pytest

from domain_ner.annotations.records import as_offset
from domain_ner.conversion.importing import import_files
from domain_ner.readers.folder import find_exports

TEXT = "Anna saw Rome"
TOKENS = [(0, 4, "Anna"), (5, 8, "saw"), (9, 13, "Rome")]
WRITTEN = {"whole": int, "float": float, "text": str, "text of a float": lambda n: f"{n}.0"}


def prodigy(n):
    tokens = [{"text": word, "start": n(a), "end": n(b), "id": k} for k, (a, b, word) in enumerate(TOKENS)]
    span = {"start": n(9), "end": n(13), "token_start": n(2), "token_end": n(2), "label": "LOC"}
    return {"text": TEXT, "tokens": tokens, "spans": [span], "answer": "accept"}


def label_studio(n):
    value = {"start": n(9), "end": n(13), "text": "Rome", "labels": ["LOC"]}
    result = {"type": "labels", "from_name": "l", "to_name": "text", "value": value}
    return {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": [result]}]}


def html(n):
    value = {"start": "/p/text()", "end": "/p/text()", "globalOffsets": {"start": n(9), "end": n(13)}, "text": "Rome",
             "hypertextlabels": ["LOC"]}  # fmt: skip
    result = {"type": "hypertextlabels", "from_name": "l", "to_name": "text", "value": value}
    return {"id": 1, "data": {"text": f"<p>{TEXT}</p>"}, "annotations": [{"result": [result]}]}


def dialogue(n):
    value = {"start": str(n(1)), "end": str(n(1)), "startOffset": n(4), "endOffset": n(8), "paragraphlabels": ["LOC"]}
    result = {"type": "paragraphlabels", "from_name": "l", "to_name": "text", "value": value}
    data = {"text": [{"author": "a", "text": "Anna"}, {"author": "b", "text": "saw Rome"}]}
    return {"id": 1, "data": data, "annotations": [{"result": [result]}]}


def json_min(n):
    region = {"start": n(9), "end": n(13), "text": "Rome", "labels": ["LOC"]}
    return {"id": 1, "text": TEXT, "annotator": 1, "annotation_id": 1, "lead_time": 1.5, "label": [region]}


FORMATS = {
    "prodigy": prodigy,
    "label_studio": label_studio,
    "label_studio html": html,
    "label_studio dialogue": dialogue,
    "label_studio_table": json_min,
    "doccano": lambda n: {"id": 1, "text": TEXT, "label": [[n(9), n(13), "LOC"]]},
    "doccano words": lambda n: {"id": 1, "text": TEXT, "label": [[n(9), n(13), "LOC", "Rome"]]},
    "doccano relations": lambda n: {
        "id": 1, "text": TEXT, "relations": [],
        "entities": [{"id": 1, "label": "LOC", "start_offset": n(9), "end_offset": n(13)}],
    },
    "dataturks": lambda n: {
        "content": TEXT, "annotation": [{"label": ["LOC"], "points": [{"start": n(9), "end": n(12), "text": "Rome"}]}],
    },
    "spacy_json": lambda n: {"text": TEXT, "entities": [[n(9), n(13), "LOC"]]},
    "spacy_json objects": lambda n: {"text": TEXT, "entities": [{"start": n(9), "end": n(13), "label": "LOC"}]},
    "gliner": lambda n: {"tokenized_text": TEXT.split(), "ner": [[n(2), n(2), "LOC"]]},
    "argilla": lambda n: {
        "id": "1", "fields": {"text": TEXT}, "suggestions": {}, "metadata": {},
        "responses": {"s": [{"value": [{"start": n(9), "end": n(13), "label": "LOC"}], "status": "submitted"}]},
    },
}  # fmt: skip


@pytest.mark.parametrize("number", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("name", FORMATS)
def test_an_offset_is_read_however_it_is_written(tmp_path, name, number):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([FORMATS[name](number)]), encoding="utf8")
    (file,) = find_exports(path)
    read = import_files([file])
    (passage,) = read.passages
    (span,) = passage.spans
    assert (passage.text[span.start : span.end], span.label, list(read.ledger.losses())) == ("Rome", "LOC", [])
    assert file.format == name.split()[0]


@pytest.mark.parametrize("value", [None, True, 4.5, "4.5", "four", "", "4e2", float("inf"), float("nan"), [4], "٤"])
def test_what_is_no_whole_number_stays_as_it_is(value):
    assert as_offset(value) is value


@pytest.mark.parametrize(("value", "number"), [(" 4 ", 4), ("+4", 4), ("-4.00", -4), (4.0, 4), (-0.0, 0), ("4.", 4)])
def test_a_whole_number_is_one_in_any_dress(value, number):
    assert (as_offset(value), type(as_offset(value))) == (number, int)


@pytest.mark.parametrize(("fourth", "n_kept"), [("Rome", 1), ("seen by Eve", 1), (7, 1), (None, 1), ("Anna", 0)])
def test_a_fourth_item_of_doccano_is_the_words_where_it_stands_in_the_text(tmp_path, fourth, n_kept):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"id": 1, "text": TEXT, "label": [[9, 13, "LOC", fourth]]}), encoding="utf8")
    read = import_files(find_exports(path))
    assert sum(len(passage.spans) for passage in read.passages) == n_kept
    assert len(list(read.ledger.losses())) == 1 - n_kept
