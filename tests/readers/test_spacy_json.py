import json

import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers.spacy_files import spacy_json
from domain_ner.readers.text_files.decoding import read_sample

TEXT = "I like Berlin"
BERLIN = ("Berlin", "LOC")
PAIR = [TEXT, {"entities": [[7, 13, "LOC"]]}]
NO_ENTITIES = ["Hello", {"entities": []}]


def tokens(*pairs, **rest):
    return {"tokens": [{"id": n, "orth": orth, "ner": ner, **rest} for n, (orth, ner) in enumerate(pairs)]}


def v2(*sentences, **rest):
    return [{"id": 3, "paragraphs": [{"sentences": list(sentences), **rest}]}]


LIKE_BERLIN = tokens(("I", "-"), ("like", "O"), ("Berlin", "U-LOC"))


def write(folder, content, name="train.json"):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf8")
    return path


def read(path):
    log = FileLog(path.name)
    return list(spacy_json.read(path, ReaderOptions(), log)), log


def found(record):
    return [(record.text[span.start : span.end], span.label) for span in record.spans]


def is_recognised(path):
    return spacy_json.recognises(Sample(path, *read_sample(path)))


@pytest.mark.parametrize(
    "content",
    [
        [PAIR, NO_ENTITIES],
        [[TEXT, [[7, 13, "LOC"]]], NO_ENTITIES],
        [{"text": TEXT, "entities": [[7, 13, "LOC"]]}, {"text": "Hello", "entities": []}],
        [{"text": TEXT, "ents": [{"start": 7, "end": 13, "label": "LOC"}]}, {"text": "Hello", "ents": []}],
        {"classes": ["LOC"], "annotations": [PAIR, NO_ENTITIES]},
        {"doc": None, "sentences": {TEXT: {"entity 1": {"start": 7, "end": 13, "label": "LOC"}}, "Hello": []}},
        {"sentences": {TEXT: {"entities": [[7, 13, "LOC"]]}, "Hello": {"entities": []}}},
        f"{json.dumps(PAIR)}\n{json.dumps(NO_ENTITIES)}\n",
        '{"text": "I like Berlin", "entities": [[7, 13, "LOC"]]}\n{"text": "Hello", "entities": []}\n',
        "TRAIN_DATA = [\n    ('I like Berlin', {'entities': [(7, 13, 'LOC')]}),\n    ('Hello', {'entities': []}),\n]\n",
        "[('I like Berlin', [(7, 13, 'LOC')]), ('Hello', [])]",
        "[{'text': 'I like Berlin', 'entities': [(7, 13, 'LOC')]}, {'text': 'Hello', 'entities': []}]",
        "('I like Berlin', {'entities': [(7, 13, 'LOC')]}),\n('Hello', {'entities': []}),\n",
        "{'text': 'I like Berlin', 'entities': [[7, 13, 'LOC']]}\n{'text': 'Hello', 'entities': []}\n",
        "{'annotations': [['I like Berlin', {'entities': [[7, 13, 'LOC']]}], ['Hello', {'entities': []}]]}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["train.json", "train.py", "labeling.spacy.user1"])
def test_texts_with_entities_are_read_however_they_are_written(tmp_path, content, name):
    path = write(tmp_path, content, name)
    assert is_recognised(path)
    (first, second), log = read(path)
    assert first.text == TEXT
    assert found(first) == [BERLIN]
    assert (second.text, second.spans, second.answer) == ("Hello", (), "accepted")
    assert (log.n_documents, log.problems) == (2, [])


def test_python_gives_the_line_of_each_row_and_runs_nothing(tmp_path):
    source = """import os
LABELS = ["LOC"]
TRAIN_DATA: list = [
    # the first
    ("I like Berlin", {"entities": [(7, 13, "LOC")]}),
    (open("x").read(), {"entities": []}),
    ("Berlin" + os.sep, {"entities": [(0, 6, "LOC")]}),
    ("C:\\d", {"entities": []}),
]
raise SystemExit
"""
    records, log = read(write(tmp_path, source, "train.py"))
    assert [record.line for record in records] == [5, 8]
    assert [line for line, _ in log.problems] == [6, 7]
    assert "Python that is not a literal" in log.problems[0][1]
    assert log.n_documents == 4


def test_python_that_ends_early_is_refused(tmp_path):
    path = write(tmp_path, "TRAIN = [('I like Berlin', {'entities': [(7, 13, 'LOC')]}),", "train.py")
    assert is_recognised(path)
    with pytest.raises(DomainNerError, match="neither JSON nor a Python literal: line 1"):
        read(path)


def test_long_python_is_recognised_by_its_beginning(tmp_path):
    rows = "".join(f"    ('I like Berlin', {{'entities': [(7, 13, 'LOC')]}}),  # {n:060}\n" for n in range(1000))
    path = write(tmp_path, f"# data\nTRAIN = [\n{rows}]\n", "train.py")
    assert is_recognised(path)
    assert len(read(path)[0]) == 1000


@pytest.mark.parametrize("wrap", [lambda row: [row], lambda row: {"classes": [], "annotations": [row]}])
def test_a_text_longer_than_a_sample_is_recognised(tmp_path, wrap):
    path = write(tmp_path, wrap([TEXT + " and all that" * 10_000, {"entities": [[7, 13, "LOC"]]}]))
    assert is_recognised(path)
    assert found(read(path)[0][0]) == [BERLIN]


def test_entities_may_carry_their_words_and_more(tmp_path):
    entities = [{"start": 7, "end": 13, "value": "Berlin", "entity": "city"}, [0, 1, "PRON", "Q1"]]
    [record], _ = read(write(tmp_path, [{"id": 0, "text": TEXT, "entities": entities, "source": "x"}]))
    assert found(record) == [("Berlin", "city"), ("I", "PRON")]
    assert record.spans[0].text == "Berlin"
    assert (record.document, record.meta) == ("0", {"source": "x"})


def test_an_entity_of_another_shape_is_passed_on_with_its_fault(tmp_path):
    [record, _], _ = read(write(tmp_path, [[TEXT, {"entities": [[7, 13]]}], PAIR]))
    assert "[7, 13]; expected [start, end, label]" in record.spans[0].fault


def test_a_text_without_entities_key_is_not_annotated(tmp_path):
    [_, record], log = read(write(tmp_path, [PAIR, ["Hello", {"cats": {"x": 1}}]]))
    assert record.answer == "not annotated"
    assert any("no `entities` at all" in note for note in log.notes)


def test_a_broken_line_costs_no_other(tmp_path):
    records, log = read(write(tmp_path, f'{json.dumps(PAIR)}\n["Hello", {{"ent\n{json.dumps(NO_ENTITIES)}\n'))
    assert [record.line for record in records] == [1, 3]
    assert log.problems[0][0] == 2
    assert log.n_documents == 3


def test_null_rows_are_counted(tmp_path):
    records, log = read(write(tmp_path, {"classes": ["LOC"], "annotations": [None, PAIR, None]}))
    assert len(records) == log.n_documents == 1
    assert any(note.startswith("2 rows are null") for note in log.notes)


@pytest.mark.parametrize("row", ["a text", [5, {"entities": []}], {"entities": []}])
def test_a_row_without_text_costs_no_other(tmp_path, row):
    records, log = read(write(tmp_path, [PAIR, row, PAIR]))
    assert [record.line for record in records] == [1, 3]
    assert log.problems[0][0] == 2
    assert "expected [text, {entities}]" in log.problems[0][1]


def test_v2_tags_become_spans_and_missing_ones_are_unknown(tmp_path):
    path = write(tmp_path, v2(LIKE_BERLIN, tokens(("and", None), ("Rome", "U-LOC"))))
    assert is_recognised(path)
    [record], log = read(path)
    assert record.text == "I like Berlin and Rome"
    assert found(record) == [BERLIN, ("Rome", "LOC")]
    assert record.unknown == ((0, 1), (14, 17))
    assert record.document == "3"
    assert '2 tokens are missing ("-"), not O' in log.notes


def test_span_groups_of_a_doc_are_read_and_others_told(tmp_path):
    span = {"start": 7, "end": 13, "label": "LOC", "kb_id": ""}
    doc = {"text": TEXT, "ents": [], "tokens": [{"id": 0, "start": 0, "end": 1}], "spans": {"sc": [span], "x": [span]}}
    path = write(tmp_path, [doc, {**doc, "spans": {}, "ents": [span]}, {**doc, "spans": {"sc": None}}])
    assert is_recognised(path)
    records, log = read(path)
    assert [found(record) for record in records] == [[BERLIN], [BERLIN], []]
    assert any("a span group is not read" in note and "x" in note for note in log.notes)


def test_v2_paragraphs_are_documents(tmp_path):
    doc = {"id": 3, "paragraphs": [{"sentences": [LIKE_BERLIN]}, {"sentences": [LIKE_BERLIN]}]}
    records, log = read(write(tmp_path, [doc]))
    assert [record.document for record in records] == ["3/1", "3/2"]
    assert log.n_documents == 2


def test_v2_with_iob_tags_loses_nothing(tmp_path):
    [record], log = read(write(tmp_path, v2(tokens(("New", "B-LOC"), ("York", "I-LOC"), ("and", "O")))))
    assert found(record) == [("New York", "LOC")]
    assert "scheme IOB2; 1 entities" in log.notes


def test_v2_raw_is_the_text_whatever_brackets_it_holds(tmp_path):
    sentences = tokens(("a", "O"), ("}", "O")), tokens(("b", "U-X"), ("{", "O"))
    [record], _ = read(write(tmp_path, v2(*sentences, raw="a }\nb {")))
    assert record.text == "a }\nb {"
    assert found(record) == [("b", "X")]


def test_v2_raw_that_differs_from_the_tokens_is_told(tmp_path):
    [record], log = read(write(tmp_path, v2(LIKE_BERLIN, raw="I like Rome")))
    assert record.text == TEXT
    assert found(record) == [BERLIN]
    assert "the text differs from the tokens (1 rows, first 1): tokens used" in log.notes


def test_v2_without_raw_is_spaced_as_its_tokens_say(tmp_path):
    sentence = tokens(("Berlin", "U-LOC"), (".", "O"), space="")
    [record], _ = read(write(tmp_path, v2(sentence)))
    assert (record.text, record.spaces) == ("Berlin.", (False, False))


@pytest.mark.parametrize("tag", [None, "-"])
def test_v2_entities_beside_tokens_that_have_no_tags_are_read(tmp_path, tag):
    sentence = tokens(("I", tag), ("like", tag), ("Berlin", tag))
    [record], _ = read(write(tmp_path, v2(sentence, raw=TEXT, entities=[[7, 13, "LOC"]])))
    assert found(record) == [BERLIN]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"id": 1}, "no paragraphs"),
        (v2({"tokens": [{"ner": "O"}]})[0], "expected `orth` and `ner`"),
        (v2(tokens(("", "U-LOC")))[0], "token 1 is empty"),
        (v2(tokens(("a", "B-")))[0], "no valid tag"),
    ],
)
def test_a_bad_v2_document_costs_no_other(tmp_path, bad, told):
    records, log = read(write(tmp_path, [*v2(LIKE_BERLIN), bad]))
    assert len(records) == 1
    assert log.problems[0][0] == 2
    assert told in log.problems[0][1]
    assert log.n_documents == 2


@pytest.mark.parametrize(
    "content",
    [
        [{"text": TEXT, "label": [[7, 13, "LOC"]]}],
        [{"text": TEXT, "spans": [{"start": 7, "end": 13, "label": "LOC"}]}],
        [{"text": TEXT, "entities": [{"id": 1, "start_offset": 7, "end_offset": 13, "label": "LOC"}], "relations": []}],
        [{"text": TEXT, "entities": [], "relations": []}],
        [{"id": 1, "annotations": [{"result": []}], "data": {"text": TEXT}}],
        [["Berlin", "LOC"], ["Rome", "LOC"]],
        {"paragraphs": "none"},
        "# Notes\n\nRows look like {'entities': [[0, 1, 'X']]}.\n",
        "Berlin B-LOC\nis O\n",
    ],
)
def test_rows_of_other_formats_are_left_to_them(tmp_path, content):
    assert not is_recognised(write(tmp_path, content))
