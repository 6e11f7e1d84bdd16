import json

import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers import gliner, hf_json
from domain_ner.readers.text_files.decoding import read_sample

CLASS_LABEL = {"feature": {"names": ["O", "B-PER", "I-PER"], "_type": "ClassLabel"}, "_type": "Sequence"}
ANNA = {"tokens": ["Anna", "Berg", "met"], "ner_tags": ["B-PER", "I-PER", "O"]}


def write(folder, *rows, name="train.jsonl"):
    path = folder / name
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf8")
    return path


def read(path, module=hf_json, **options):
    log = FileLog(path.name)
    return list(module.read(path, ReaderOptions(**options), log)), log


def found(record):
    return [(record.text[span.start : span.end], span.label) for span in record.spans]


def is_recognised(path, module=hf_json):
    return module.recognises(Sample(path, *read_sample(path)))


def test_tags_become_spans_of_the_text_that_the_tokens_make(tmp_path):
    [record], log = read(write(tmp_path, ANNA))
    assert record.text == "Anna Berg met"
    assert found(record) == [("Anna Berg", "PER")]
    assert (record.words, record.spaces, record.line) == (("Anna", "Berg", "met"), None, 1)
    assert "scheme IOB2; 1 entities" in log.notes


def test_numbers_that_are_written_as_text_are_numbers(tmp_path):
    path = write(tmp_path, {"tokens": ["Anna", "Berg", "met"], "ner_tags": ["1", "2", "0"]})
    [record], _ = read(path, label_names=("O", "B-PER", "I-PER"))
    assert found(record) == [("Anna Berg", "PER")]
    with pytest.raises(DomainNerError, match=r"ner_tags are numbers 0\.\.2 without names"):
        read(path)


def test_zero_beside_names_is_a_tag_and_no_number(tmp_path):
    [record], _ = read(write(tmp_path, {"tokens": ["Anna", "met", "us"], "ner_tags": ["B-PER", "0", "0"]}))
    assert found(record) == [("Anna", "PER")]


def test_tokens_without_a_tag_are_told(tmp_path):
    rows = ({"tokens": ["Anna", "met"], "ner_tags": [1, missing]} for missing in (-100, None))
    _, log = read(write(tmp_path, *rows), label_names=("O", "B-PER"))
    assert "2 tokens have the tag null or -100: not annotated" in log.notes


def test_rows_of_an_array_are_numbered(tmp_path):
    path = tmp_path / "train.json"
    path.write_text(json.dumps([ANNA, ANNA], indent=1), "utf8")
    records, log = read(path)
    assert [record.line for record in records] == [1, 2]
    assert log.n_documents == 2


@pytest.mark.parametrize("indent", [None, 2])
def test_rows_within_an_object_are_read(tmp_path, indent):
    path = tmp_path / "train.json"
    path.write_text(json.dumps({"version": "1.0", "data": [ANNA, ANNA]}, indent=indent), "utf8")
    assert is_recognised(path)
    assert len(read(path)[0]) == 2


def test_an_answer_of_the_viewer_names_its_own_labels(tmp_path):
    answer = {
        "features": [{"feature_idx": 0, "name": "ner_tags", "type": CLASS_LABEL}],
        "rows": [
            {"row_idx": 7, "row": {"id": 3, "tokens": ["Anna", "met"], "ner_tags": [1, 0]}, "truncated_cells": []}
        ],
    }
    path = write(tmp_path, answer, name="rows.json")
    assert is_recognised(path)
    [record], _ = read(path)
    assert found(record) == [("Anna", "PER")]
    assert record.document == "3"


@pytest.mark.parametrize(
    ("place", "info"),
    [
        ("data/dataset_info.json", {"features": {"ner_tags": CLASS_LABEL}}),
        ("dataset_info.json", {"features": {"ner_tags": CLASS_LABEL}}),
        ("dataset_infos.json", {"default": {"features": {"ner_tags": CLASS_LABEL}}}),
    ],
)
def test_names_of_tag_numbers_stand_beside_the_file_or_above(tmp_path, place, info):
    (tmp_path / "data").mkdir()
    (tmp_path / place).write_text(json.dumps(info), "utf8")
    path = write(tmp_path / "data", {"tokens": ["Anna", "Berg"], "ner_tags": [1, 2]})
    assert found(read(path)[0][0]) == [("Anna Berg", "PER")]


def test_names_of_tag_numbers_may_be_given(tmp_path):
    path = write(tmp_path, {"words": ["Anna", "met"], "labels": [1, 0]})
    assert found(read(path, label_names=("O", "PER"))[0][0]) == [("Anna", "PER")]


def test_tag_numbers_without_names_are_refused(tmp_path):
    path = write(tmp_path, {"tokens": ["Anna", "met"], "ner_tags": [12, 0]})
    with pytest.raises(DomainNerError, match=r"ner_tags are numbers 0\.\.12[\s\S]*label_names"):
        read(path)


def test_a_broken_dataset_info_is_refused(tmp_path):
    (tmp_path / "dataset_info.json").write_text("{", "utf8")
    with pytest.raises(DomainNerError, match=r"dataset_info\.json cannot be read: invalid JSON"):
        read(write(tmp_path, {"tokens": ["Anna"], "ner_tags": [1]}))


def test_a_tag_number_out_of_range_costs_its_row_alone(tmp_path):
    path = write(tmp_path, {"tokens": ["a", "b"], "ner_tags": [0, 9]}, {"tokens": ["Anna"], "ner_tags": [1]})
    records, log = read(path, label_names=("O", "PER"))
    assert len(records) == 1
    assert log.problems == [(1, "tag id 9 at token 2; `ner_tags` has only 2 names (0..1)")]


def test_more_tokens_than_tags_are_a_problem_of_the_row(tmp_path):
    records, log = read(write(tmp_path, {"tokens": ["Anna", "met", "Bob"], "ner_tags": ["B-PER", "O"]}, ANNA))
    assert len(records) == 1
    assert log.problems == [(1, "3 tokens, 2 tags; expected one tag for each token")]
    assert log.n_documents == 2


def test_minus_100_and_null_are_unknown(tmp_path):
    row = {"tokens": ["Anna", "met", "Bob"], "ner_tags": [1, -100, None]}
    [record], _ = read(write(tmp_path, row), label_names=("O", "PER"))
    assert record.unknown == ((5, 8), (9, 12))
    assert found(record) == [("Anna", "PER")]


def test_an_empty_token_goes_with_its_o_tag(tmp_path):
    [record], log = read(write(tmp_path, {"tokens": ["Anna", "", "met"], "ner_tags": ["B-PER", "O", "O"]}))
    assert record.words == ("Anna", "met")
    assert "1 empty tokens dropped with their O tags, first row 1 token 2" in log.notes


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"tokens": ["Anna", ""], "ner_tags": ["O", "B-PER"]}, "token 2 is empty and has the tag 'B-PER'"),
        ({"tokens": ["Anna", 5], "ner_tags": ["O", "B-PER"]}, "a token is 5"),
        ({"tokens": ["Anna", "met"], "ner_tags": ["B-PER", "o"]}, "token 2 ('met') has no valid tag ('o')"),
        ({"tokens": ["Anna", "met"], "ner_tags": ["B-PER", 1.5]}, "the tag of token 2 is 1.5"),
        ({"tokens": ["Anna", "met"]}, "expected a list of words and a list `ner_tags`"),
    ],
)
def test_what_is_no_token_or_tag_is_told(tmp_path, row, told):
    records, log = read(write(tmp_path, ANNA, row))
    assert len(records) == 1
    assert told in log.problems[0][1]


def test_labels_without_prefix_keep_their_hyphens_and_slashes(tmp_path):
    label = "event-attack/battle/war/militaryconflict"
    row = {"tokens": ["the", "war", "B-52"], "fine_ner_tags": ["O", label, "product-B"], "ner_tags": ["O"] * 3}
    [record], log = read(write(tmp_path, row), field="fine_ner_tags")
    assert found(record) == [("war", label), ("B-52", "product-B")]
    assert any("neighbouring entities" in note for note in log.notes)


def test_ner_tags_are_taken_and_other_fields_named(tmp_path):
    row = {"tokens": ["a"], "pos_tags": ["B-X"], "fine_ner_tags": ["B-person-actor"], "ner_tags": ["B-person"]}
    [record], log = read(write(tmp_path, row))
    assert found(record) == [("a", "person")]
    assert "tags from `ner_tags`; `fine_ner_tags` have tags too: choose with vars.reading (field=…)" in log.notes


def test_a_field_that_no_row_has_is_refused(tmp_path):
    with pytest.raises(DomainNerError, match="no tags under `gold`; its rows have tokens, ner_tags"):
        read(write(tmp_path, ANNA), field="gold")


def test_a_scheme_is_that_of_the_whole_file(tmp_path):
    rows = [{"tokens": ["a", "b"], "tags": tags} for tags in (["B-X", "I-X"], ["S-X", "B-X"], ["B-X", "E-X"])]
    records, log = read(write(tmp_path, *rows))
    assert [len(record.spans) for record in records] == [1, 2, 1]
    assert "scheme BIOES; 4 entities" in log.notes
    assert any(note.startswith("2 tags do not fit BIOES, first in row 1: not closed") for note in log.notes)


def test_a_row_longer_than_a_sample_is_recognised(tmp_path):
    path = write(tmp_path, {"tokens": ["word"] * 20_000, "ner_tags": ["O"] * 20_000})
    assert is_recognised(path)
    assert len(read(path)[0][0].words) == 20_000


def test_space_after_makes_the_text(tmp_path):
    row = {"tokens": ["Anna", ",", "hi"], "ner_tags": ["B-PER", "O", "O"], "space_after": [False, True, False]}
    [record], _ = read(write(tmp_path, row))
    assert (record.text, record.spaces) == ("Anna, hi", (False, True, False))


def test_a_text_that_the_tokens_make_is_kept(tmp_path):
    row = {"full_text": "Hi,\nAnna", "tokens": ["Hi", ",", "Anna"], "labels": ["O", "O", "B-PER"]}
    [record], _ = read(write(tmp_path, row))
    assert record.text == "Hi,\nAnna"
    assert found(record) == [("Anna", "PER")]
    assert "".join(w + " " * s for w, s in zip(record.words, record.spaces, strict=True)) == record.text


def test_a_text_that_differs_from_the_tokens_is_told(tmp_path):
    [record], log = read(write(tmp_path, {"text": "Hi, Bob", **ANNA}))
    assert record.text == "Anna Berg met"
    assert "the text differs from the tokens (1 rows, first 1): tokens used" in log.notes


def test_rows_without_tokens_are_counted(tmp_path):
    records, log = read(write(tmp_path, {"tokens": [], "ner_tags": []}, ANNA))
    assert len(records) == 1
    assert "1 rows have no tokens: nothing to read" in log.notes


def test_an_array_that_ends_early_costs_only_its_end(tmp_path):
    path = tmp_path / "train.json"
    path.write_text(json.dumps([ANNA, ANNA])[:-20], "utf8")
    records, log = read(path)
    assert len(records) == 1
    assert log.problems[0][0] == 2
    assert "1 good row before it" in log.problems[0][1]


def test_an_array_that_is_broken_says_that_the_rest_is_not_read(tmp_path):
    path = tmp_path / "train.json"
    path.write_text(f"[{json.dumps(ANNA)}, {{'tokens': []}}]", "utf8")
    records, log = read(path)
    assert len(records) == 1
    assert "1 good row before it, the rest is not read" in log.problems[0][1]


def test_a_broken_first_line_hides_no_other(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('{"tokens": ["Anna",\n' + json.dumps(ANNA), "utf8")
    assert is_recognised(path)
    records, log = read(path)
    assert [record.line for record in records] == [2]
    assert log.problems[0][0] == 1


def test_an_empty_array_is_refused(tmp_path):
    path = tmp_path / "train.json"
    path.write_text("[]", "utf8")
    with pytest.raises(DomainNerError, match="no rows"):
        read(path)


@pytest.mark.parametrize(
    "row",
    [
        {"text": "Anna", "label": [[0, 4, "PER"]]},
        {"text": "Anna", "tokens": [{"text": "Anna", "start": 0, "end": 4, "id": 0}], "labels": ["x"]},
        {"features": {"ner_tags": CLASS_LABEL}},
        {"tokenized_text": ["Anna"], "ner": [[0, 0, "PER"]]},
        {"text": "good film", "tokens": ["good", "film"]},
    ],
)
def test_rows_of_other_formats_are_left_to_them(tmp_path, row):
    assert not is_recognised(write(tmp_path, row))


def test_gliner_spans_end_at_their_last_token(tmp_path):
    row = {"tokenized_text": ["State", "University", "Press"], "ner": [[0, 1, "University"], [1, 1, "x"]]}
    path = write(tmp_path, row)
    assert is_recognised(path, gliner)
    [record], _ = read(path, gliner)
    assert found(record) == [("State University", "University"), ("University", "x")]


@pytest.mark.parametrize(("entry", "told"), [([0, 3, "X"], "tokens 0 to 3"), ([2, 1, "X"], "2 to 1"), ([0], "[0]")])
def test_a_gliner_span_off_the_tokens_is_passed_on_with_its_fault(tmp_path, entry, told):
    [record], _ = read(write(tmp_path, {"tokenized_text": ["a", "b", "c"], "ner": [entry]}), gliner)
    assert told in record.spans[0].fault


@pytest.mark.parametrize(
    ("row", "told"), [({"ner": []}, "expected lists"), ({"tokenized_text": ["a", 1], "ner": []}, "a token is 1")]
)
def test_a_gliner_row_without_words_is_a_problem(tmp_path, row, told):
    records, log = read(write(tmp_path, row, {"tokenized_text": ["a"], "ner": []}), gliner)
    assert len(records) == 1
    assert told in log.problems[0][1]
