"""Prodigy's files: recognised, read row by row, and damaged."""

import json
import re
from functools import partial

import pytest
from prodigy_exports import INFRA, TEAM, TEXT, read_row, read_rows, task, write_rows

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers import prodigy
from domain_ner.readers.text_files.decoding import read_sample


@pytest.fixture
def write(tmp_path):
    return partial(write_rows, tmp_path)


@pytest.fixture
def read(tmp_path):
    return partial(read_rows, tmp_path)


@pytest.fixture
def read_one(tmp_path):
    return partial(read_row, tmp_path)


def recognises(path):
    text, whole = read_sample(path)
    return prodigy.recognises(Sample(path, text, whole))


@pytest.mark.parametrize(
    "row",
    [
        task(),
        {"text": "Nothing.", "answer": "accept"},
        {"text": "Nothing.", "_input_hash": 1, "_task_hash": 2},
        {"text": TEXT, "spans": [TEAM], "topic": "x"},
    ],
    ids=["manual", "answer alone", "hashes alone", "spans alone"],
)
def test_tasks_are_recognised(write, row):
    assert recognises(write(row))


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "label": [[0, 8, "TEAM"]]},
        {"text": TEXT, "entities": [{"start_offset": 0, "end_offset": 8, "label": "TEAM"}]},
        {"image": "a.png", "spans": [TEAM], "answer": "accept"},
        {"text": TEXT, "spans": ["Payments"], "answer": 42},
        {"tokens": ["a"], "ner_tags": [0]},
    ],
    ids=["doccano", "doccano relations", "image", "a question's answer", "Hugging Face"],
)
def test_rows_of_other_kinds_are_not_recognised(write, row):
    assert not recognises(write(row))


def test_a_broken_first_line_does_not_hide_the_format(write):
    assert recognises(write("{", task()))


def test_a_first_row_longer_than_the_sample_is_recognised(write):
    path = write({"text": "a " * 50_000, "spans": [TEAM], "answer": "accept"})
    text, whole = read_sample(path)
    assert not whole
    assert prodigy.recognises(Sample(path, text, whole))


def test_a_task_keeps_its_text_spans_meta_and_place(read):
    (_, record), _ = read(task(), "", task(spans=[TEAM, INFRA], meta={"org": "a"}, _input_hash=7))
    assert record.text == TEXT
    assert [(span.start, span.end, span.label) for span in record.spans] == [(0, 8, "TEAM"), (14, 19, "INFRA")]
    assert (record.source, record.document, record.meta) == ("export.jsonl:3", "7", {"org": "a"})
    assert (record.unit, record.partial) == ("codepoint", False)


@pytest.mark.parametrize(
    ("given", "kept"), [(None, {}), (["a"], {"meta": ["a"]}), ({"a": [{"b": [[None]]}]}, {"a": [{"b": [[None]]}]})]
)
def test_meta_of_any_type_is_kept(read_one, given, kept):
    assert read_one(task(meta=given)).meta == kept


def test_annotators_are_named_by_id_then_by_session(read):
    named = {"_annotator_id": "ann", "_session_id": "s"}
    records, _ = read(task(**named), task(_session_id="s-bob"), task(_session_id=None))
    assert [record.annotator for record in records] == ["ann", "s-bob", ""]


BAD_ROWS = {
    "not an object": ("[1, 2]", "a JSON list; expected an object"),
    "broken JSON": ("{]}", "invalid JSON at column 2"),
    "deep nesting": (task(meta=json.loads("[" * 120 + "]" * 120)), "JSON nested more than 100 levels deep; expected"),
    "no text": ({"spans": [], "answer": "accept"}, "text is None; expected a passage"),
    "text is a number": (task(text=3), "text is 3; expected a passage"),
    "spans is no list": (task(spans="x"), "spans is a str; expected a list"),
    "unknown answer": (task(answer="maybe"), "answer 'maybe'; expected accept, reject or ignore"),
    "answer is a list": (task(answer=[]), r"answer \[\]; expected"),
}


@pytest.mark.parametrize(("bad", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_a_problem_and_the_others_are_read(read, bad, message):
    records, log = read(task(), bad, task())
    assert [record.line for record in records] == [1, 3]
    ((line, told),) = log.problems
    assert line == 2
    assert re.match(message, told)
    assert log.n_documents == 3


@pytest.mark.parametrize("cut", ['{"text": "a', '{"text": "a", "meta": {"b": 1}', '{"text": "ends in }', '{"a": tru'])
def test_a_truncated_file_is_reported_with_the_number_of_rows_read(read, cut):
    records, log = read(task(), task(), cut)
    assert (len(records), log.problems) == (2, [(3, "JSON ends early; 2 good rows before it")])


def test_unicode_line_separators_do_not_split_a_row(write):
    path = write(json.dumps(task(text="a\u2028b\u0085c", spans=[]), ensure_ascii=False))
    (record,) = prodigy.read(path, ReaderOptions(), FileLog("a"))
    assert record.text == "a\u2028b\u0085c"


def test_a_lone_surrogate_becomes_the_replacement_character(read):
    (record,), log = read('{"text": "a\\ud83d b", "answer": "accept"}')
    assert record.text == "a\ufffd b"
    assert log.notes == ["half of a character (a lone surrogate) read as U+FFFD: line 1"]


def test_surrogate_pairs_written_as_escapes_are_kept(read_one):
    assert read_one(task(text="🔥 Redis", spans=[])).text == "🔥 Redis"


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_of_tasks_is_read_and_numbered(tmp_path, indent):
    path = tmp_path / "export.json"
    path.write_text(json.dumps([task(meta={"score": 0.5}), 3, task(text="🔥")], indent=indent), encoding="utf-8")
    log = FileLog("export.json")
    records = list(prodigy.read(path, ReaderOptions(), log))
    assert recognises(path)
    assert [(record.line, record.text) for record in records] == [(1, TEXT), (3, "🔥")]
    assert (records[0].meta, log.n_documents) == ({"score": 0.5}, 3)
    assert log.problems == [(2, "a JSON int; expected an object")]


@pytest.mark.parametrize(("rest", "message"), [("", "JSON ends early; 1 good row before it"), ("]}", "invalid JSON")])
def test_a_damaged_array_keeps_the_tasks_before_the_damage(tmp_path, rest, message):
    path = tmp_path / "export.json"
    path.write_text(f'[{json.dumps(task())}, {{"text": {rest}', encoding="utf-8")
    log = FileLog("export.json")
    assert len(list(prodigy.read(path, ReaderOptions(), log))) == 1
    ((row, told),) = log.problems
    assert (row, told[: len(message)]) == (2, message)


def test_a_file_without_rows_is_an_error(write):
    with pytest.raises(DomainNerError, match=r"export.jsonl is empty"):
        list(prodigy.read(write("", " "), ReaderOptions(), FileLog("a")))
