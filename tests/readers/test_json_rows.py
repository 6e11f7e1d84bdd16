"""Rows of JSON are the same however they are wrapped, whole or broken."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain_ner.annotations.records import FileLog, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers.folder import detect
from domain_ner.readers.json_files import guarded_json, json_stream
from domain_ner.readers.json_files.json_rows import first_rows, json_rows, whole_rows
from domain_ner.readers.json_files.json_stream import JsonStream

ROW = {"id": 1, "text": "Anna — 🔥, [x] {y}", "label": [[0, 4, "PER"]], "meta": {"a": None, "b": [1.5, "\n"]}}
WRAPS = {
    "lines": "\n".join,
    "lines with gaps": "\r\n\r\n".join,
    "array": lambda rows: f"[{', '.join(rows)}]",
    "tall array": lambda rows: "[\r\n" + ",\r\n".join(rows) + "\r\n]\r\n",
    "array with a last comma": lambda rows: f"[{','.join(rows)},]",
    "two arrays": lambda rows: f"[{rows[0]}]\n[{','.join(rows[1:])}]",
    "in an object": lambda rows: f'{{"version": {{"n": 1}}, "names": ["a"], "data": [{",".join(rows)}], "n": 2}}',
    "in two lists of an object": lambda rows: f'{{"train": [{rows[0]}], "data": [{",".join(rows[1:])}]}}',
}
INSIDE = ("data", "train")


def written(tmp_path, text, name="rows.json"):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def read(path, inside=INSIDE, **options):
    log = FileLog(path.name)
    return [value for _, value in json_rows(path, log, inside, **options)], log


@pytest.fixture(params=WRAPS.values(), ids=WRAPS)
def wrap(request):
    return request.param


@pytest.mark.parametrize("chunk", [1, 7, 1 << 18])
def test_rows_are_the_same_in_every_wrapping_and_cut_anywhere(tmp_path, monkeypatch, wrap, chunk):
    monkeypatch.setattr(json_stream, "CHUNK_CHARS", chunk)
    rows = [ROW, {**ROW, "id": -2.5e3}, {"text": ""}]
    values, log = read(written(tmp_path, wrap([json.dumps(row, ensure_ascii=False) for row in rows])))
    assert (values, log.problems, log.notes, log.n_documents) == (rows, [], [], 3)


def test_tall_objects_are_numbered_by_the_lines_on_which_they_start(tmp_path, monkeypatch):
    monkeypatch.setattr(json_stream, "CHUNK_CHARS", 5)
    text = "\r\n".join([json.dumps(ROW, indent=1).replace("\n", "\r\n"), "", json.dumps(ROW, indent=1), "{", '"a": 1}'])
    starts = [n for n, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1) if line == "{"]
    assert [where for where, _ in json_rows(written(tmp_path, text), FileLog("a"))] == starts


@pytest.mark.parametrize("text", ['[1, [2, 3], null, true, -12.5, "a"]', "[-Infinity,NaN]"])
def test_values_that_are_no_objects_are_whole_at_the_edge_of_a_chunk(tmp_path, monkeypatch, text):
    for chunk in range(1, 9):
        monkeypatch.setattr(json_stream, "CHUNK_CHARS", chunk)
        assert repr(read(written(tmp_path, text))[0]) == repr(json.loads(text))


def test_half_a_character_is_read_alike_in_every_wrapping(tmp_path, wrap):
    values, log = read(written(tmp_path, wrap(['{"text": "a\\ud83d b"}'] * 2)))
    assert values == [{"text": "a\ufffd b"}] * 2
    assert len(log.notes) == 1 and log.notes[0].startswith("half of a character (a lone surrogate) read as U+FFFD: ")


def test_half_a_character_hides_no_row_from_detection(tmp_path, wrap):
    path = written(tmp_path, wrap(['{"id": 1, "text": "a\\udc00 b", "label": [[0, 1, "X"]]}'] * 2))
    sample = Sample(path, path.read_text("utf8"), whole=True)
    assert {row["text"] for row in first_rows(sample, INSIDE)} == {"a\ufffd b"}


def test_a_key_that_stands_twice_costs_its_row_alone(tmp_path, wrap):
    twice = '{"text": "a", "label": [[0, 1, "X"]], "label": []}'
    values, log = read(written(tmp_path, wrap(['{"text": "b"}', twice, '{"text": "c"}'])))
    assert [value["text"] for value in values] == ["b", "c"]
    ((_, told),) = log.problems
    assert told == "the duplicate key 'label' has the values [[0, 1, 'X']] and []: expected it once"
    assert log.n_documents == 3


def test_a_key_that_stands_twice_with_one_value_is_told_once(tmp_path, wrap):
    values, log = read(written(tmp_path, wrap(['{"text": "b", "n": 1, "n": 1}'] * 5)))
    assert values == [{"text": "b", "n": 1}] * 5
    (note,) = log.notes
    assert note.startswith("a duplicate key with the same value is read once: ")
    assert note.endswith(" … (5 in all)") and note.count(",") == 2


@pytest.mark.parametrize("chunk", [3, 1 << 18])
def test_what_is_nested_too_deep_costs_its_row_alone(tmp_path, monkeypatch, wrap, chunk):
    monkeypatch.setattr(guarded_json, "MAX_DEPTH", 6)
    monkeypatch.setattr(json_stream, "CHUNK_CHARS", chunk)
    values, log = read(written(tmp_path, wrap(['{"text": "a"}', '{"text": [[[[[["]}"]]]]]]}', '{"text": "c"}'])))
    assert values == [{"text": "a"}, {"text": "c"}]
    assert log.problems[0][1].startswith("JSON nested more than 6 levels deep")


def test_an_array_that_is_broken_tells_how_much_stands_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(json_stream, "CHUNK_CHARS", 100)
    rows = [json.dumps({"id": n, "text": f"text number {n:4}"}) for n in range(1200)]
    rows[601] = rows[601].replace('"text"', "text")
    values, log = read(written(tmp_path, f"[{', '.join(rows)}]"))
    assert len(values) == 601
    (problem,) = log.failures
    assert (problem.line, problem.cost) == (602, "rest")
    assert problem.message.startswith("invalid JSON in line 1, character 2")
    assert problem.message.endswith("; 601 good rows before it, the rest is not read")
    assert abs(problem.n_behind - 599) <= 12


def test_a_file_that_was_cut_off_tells_that_nobody_knows_what_is_missing(tmp_path, wrap):
    text = wrap([json.dumps(ROW)] * 3)
    _, log = read(written(tmp_path, text[: text.rindex('"label"')]))
    (problem,) = log.failures
    assert (problem.cost, problem.n_behind) == ("rest", None)
    assert problem.message == "JSON ends early; 2 good rows before it"


@pytest.mark.parametrize(("behind", "n_rows"), [("xyz", 1), ("]]", 1), (', {"text": ', 1), (", 5}", 2)])
def test_what_follows_the_rows_and_is_no_json_is_told(tmp_path, behind, n_rows):
    values, log = read(written(tmp_path, f'[{{"text": "a"}}{behind}'))
    assert (len(values), [problem.cost for problem in log.failures]) == (n_rows, ["rest"])


def test_a_broken_line_costs_itself_alone_unless_the_file_ends_in_it(tmp_path):
    _, log = read(written(tmp_path, '{"text": "a"\n{"text": "b"}\n{"text" "c"}\n{"te'))
    assert [(problem.line, problem.cost) for problem in log.failures] == [(1, "document"), (3, "document"), (4, "rest")]


def test_long_white_space_before_the_rows_changes_nothing(tmp_path, wrap):
    rows = ['{"id": 1, "text": "Anna", "label": [[0, 4, "PER"]]}'] * 2
    path = written(tmp_path, " \n\t" * 100_000 + wrap(rows))
    assert read(path)[0] == [json.loads(row) for row in rows]
    assert "data" in wrap(rows) or detect(path).NAME == "doccano"


def test_white_space_alone_is_an_empty_file(tmp_path):
    with pytest.raises(DomainNerError, match="is empty: it has only white space"):
        detect(written(tmp_path, " \n" * 100_000))
    with pytest.raises(DomainNerError, match="is empty"):
        read(written(tmp_path, "  \n"))


@pytest.mark.parametrize("text", ["[]", "[\n]", '{"data": []}'])
def test_no_rows_are_an_error(tmp_path, text):
    path = written(tmp_path, text)
    if text.startswith("["):
        with pytest.raises(DomainNerError, match="has no rows"):
            read(path)
    else:
        assert read(path)[0] == [{"data": []}]


def test_pairs_of_text_and_annotation_are_rows_and_other_arrays_hold_them(tmp_path):
    pair = ["Anna", {"entities": [[0, 4, "PER"]]}]
    for text in (json.dumps(pair), f"{json.dumps(pair)}\n{json.dumps(pair)}", json.dumps(pair, indent=1)):
        assert read(written(tmp_path, text), pairs=True)[0] == [pair] * text.count("Anna")
    assert read(written(tmp_path, json.dumps([pair, pair])), pairs=True)[0] == [pair, pair]
    assert read(written(tmp_path, json.dumps(pair)))[0] == pair


def test_a_first_row_longer_than_a_sample_is_read_for_detection(tmp_path):
    long = {"id": 1, "text": "Anna " * 40_000, "label": [[0, 4, "PER"]]}
    for text in (json.dumps(long), json.dumps([long, long])):
        path = written(tmp_path, f"   {text}")
        assert whole_rows(Sample(path, path.read_text("utf8")[: 1 << 16], whole=False)) == [long]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text('[]{}",:1a \n\\', max_size=40), st.integers(1, 9))
def test_no_text_makes_the_reader_fail(tmp_path, text, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK_CHARS", chunk)
        path = written(tmp_path, f"[{text}")
        first_rows(Sample(path, f"[{text}", whole=True), INSIDE)
        try:
            values, log = read(path)
        except DomainNerError as error:
            assert "has no rows" in error.message
        else:
            assert len(values) + len(log.problems) == log.n_documents


def test_a_stream_knows_how_far_it_was_read(tmp_path):
    path = written(tmp_path, '  {"a": 1}  , {"b": 2} rest')
    with path.open() as opened:
        stream = JsonStream(opened)
        assert [stream.value().value, stream.value().value] == [{"a": 1}, {"b": 2}]
        assert (stream.n_read, stream.n_left()) == (22, 5)
