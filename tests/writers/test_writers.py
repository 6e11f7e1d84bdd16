"""What each writer writes, in the shape that its tool expects."""

import json
import subprocess
import sys

import pytest
from exported_passages import INFRA, LOSSY, OPTIONS, TEAM, TEXT, TOKENIZER, WHOLE, passage, rows, written

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.errors import DomainNerError
from domain_ner.writers.formats import export
from domain_ner.writers.options import WriterOptions
from domain_ner.writers.passages import read_docbin

# Prodigy


def test_prodigy_rows_are_as_ner_manual_exports_them(tmp_path):
    (row,) = rows(tmp_path, "prodigy", passage(TEAM, INFRA, meta={"org": "x"}, annotator="ann"))
    assert row["tokens"][0] == {"text": "Payments", "start": 0, "end": 8, "id": 0, "ws": True}
    assert row["spans"][1] == {"start": 14, "end": 19, "token_start": 2, "token_end": 2, "label": "INFRA"}
    told = {key: row[key] for key in ("answer", "meta", "_annotator_id", "_view_id", "_is_binary")}
    assert told == {
        "answer": "accept", "meta": {"org": "x"}, "_annotator_id": "ann", "_view_id": "ner_manual", "_is_binary": False,
    }  # fmt: skip


def test_prodigy_hashes_tell_texts_and_annotations_apart(tmp_path):
    one, same_text, other = rows(tmp_path, "prodigy", passage(TEAM), passage(INFRA), passage(text="Other"))
    assert one["_input_hash"] == same_text["_input_hash"] != other["_input_hash"]
    assert len({row["_task_hash"] for row in (one, same_text, other)}) == 3


def test_overlapping_spans_are_rows_of_spans_manual(tmp_path):
    (row,) = rows(tmp_path, "prodigy", passage(TEAM, WHOLE))
    assert (row["_view_id"], len(row["spans"])) == ("spans_manual", 2)


def test_accepted_and_rejected_spans_have_a_prodigy_row_each(tmp_path):
    found = rows(tmp_path, "prodigy", passage(TEAM, partial=True, rejected=(INFRA,)))
    told = [(row["answer"], row["_is_binary"], [span["label"] for span in row["spans"]]) for row in found]
    assert told == [("accept", True, ["TEAM"]), ("reject", True, ["INFRA"])]


def test_tokens_are_split_where_a_span_starts_or_ends_inside_one(tmp_path):
    (row,) = rows(tmp_path, "prodigy", passage(LabelledSpan(3, 8, "X")))
    assert [token["text"] for token in row["tokens"]][:2] == ["Pay", "ments"]
    assert [token["ws"] for token in row["tokens"]][:2] == [False, True]
    assert (row["spans"][0]["token_start"], row["spans"][0]["token_end"]) == (1, 1)


# Label Studio


def test_label_studio_tasks_have_regions_in_code_points(tmp_path):
    (task,) = json.loads(written(tmp_path, "label_studio", passage(LabelledSpan(2, 7, "INFRA"), text="🔥 Redis")))
    (annotation,) = task["annotations"]
    (region,) = annotation["result"]
    assert task["data"] == {"text": "🔥 Redis", "domain_ner": '{"document": ""}'}
    assert region["value"] == {"start": 2, "end": 7, "text": "Redis", "labels": ["INFRA"]}
    assert (region["from_name"], region["to_name"], region["type"]) == ("label", "text", "labels")


def test_label_studio_predictions_have_the_model_and_its_score(tmp_path):
    options = WriterOptions(TOKENIZER, predictions=True, model_version="m1")
    (task,) = json.loads(written(tmp_path, "label_studio", passage(TEAM, meta={"score": 0.5}), options=options))
    (prediction,) = task["predictions"]
    assert (task["annotations"], prediction["model_version"], prediction["score"]) == ([], "m1", 0.5)
    assert [region["value"]["text"] for region in prediction["result"]] == ["Payments"]


def test_label_studio_predictions_have_the_lowest_confidence_of_their_spans_and_no_other_number(tmp_path):
    options = WriterOptions(TOKENIZER, predictions=True)
    scored = passage(TEAM, meta={"score": 3}, scores={TEAM: 0.25})
    (first, second) = json.loads(
        written(tmp_path, "label_studio", scored, passage(TEAM, meta={"score": 3}), options=options)
    )
    assert first["predictions"][0]["score"] == first["predictions"][0]["result"][0]["score"] == 0.25
    assert "score" not in second["predictions"][0]


def test_label_studio_ids_are_numbers_and_the_document_id_is_kept(tmp_path):
    tasks = json.loads(written(tmp_path, "label_studio", passage(document="17"), passage(document="d-1")))
    assert [(task["id"], task["data"]["domain_ner"]) for task in tasks] == [
        (17, '{"document": "17"}'), (2, '{"document": "d-1"}'),
    ]  # fmt: skip


def test_label_studio_shows_plain_meta_but_not_under_its_own_column_names(tmp_path):
    meta = {"org": "x", "n": 1, "more": {}, "text": "no", "label": "no", "id": 7, "a b": "no", "history": "no"}
    (task,) = json.loads(written(tmp_path, "label_studio", passage(TEAM, meta=meta)))
    assert {key: value for key, value in task["data"].items() if key != "domain_ner"} == {
        "text": TEXT,
        "org": "x",
        "n": 1,
    }
    assert json.loads(task["data"]["domain_ner"]) == {"document": "", "meta": meta}


# doccano


def test_doccano_rows_count_utf16_units(tmp_path):
    (row,) = rows(tmp_path, "doccano", passage(LabelledSpan(2, 7, "INFRA"), text="🔥 Redis", meta={"org": "x"}))
    carried = row.pop("domain_ner")
    assert row == {"id": 1, "text": "🔥 Redis", "label": [[3, 8, "INFRA"]], "meta": {"org": "x"}}
    assert json.loads(carried) == {"document": "", "meta": {"org": "x"}}


def test_meta_does_not_overwrite_the_keys_of_doccano(tmp_path):
    (row,) = rows(tmp_path, "doccano", passage(TEAM, meta={"label": "news", "id": 5}))
    assert (row["id"], row["label"], row["meta"]) == (1, [[0, 8, "TEAM"]], {"label": "news", "id": 5})


def test_doccano_rows_all_have_the_same_keys(tmp_path):
    given = passage(TEAM), passage(meta={"org": "x"}, annotator="ann", document="d"), passage(meta={"n": 1})
    found = rows(tmp_path, "doccano", *given)
    assert [list(row) for row in found] == [["id", "text", "label", "meta", "domain_ner"]] * 3
    assert [row["meta"] for row in found] == [{}, {"org": "x"}, {"n": 1}]
    assert len({type(row["id"]) for row in found}) == 1


# CoNLL


def test_conll_rows_have_token_space_and_tag_separated_by_tabs(tmp_path):
    found = written(tmp_path, "conll", passage(LabelledSpan(0, 13, "TEAM"), INFRA), passage(text="Bye"))
    assert found == (
        "Payments\t_\tB-TEAM\nuses\t_\tI-TEAM\nRedis\tSpaceAfter=No\tB-INFRA\n.\tSpaceAfter=No\tO\n\n"
        "Bye\tSpaceAfter=No\tO\n\n"
    )


def test_conll_marks_tokens_that_nobody_annotated(tmp_path):
    found = written(tmp_path, "conll", passage(TEAM, unknown=((9, 13),)))
    assert [line.split("\t")[-1] for line in found.splitlines()] == ["B-TEAM", "-", "O", "O", ""]


def test_a_token_that_looks_like_the_start_of_a_document_is_written_as_two(tmp_path):
    words = Passage("-DOCSTART- x", (LabelledSpan(0, 10, "X"),), "a:1", words=("-DOCSTART-", "x"), spaces=(True, False))
    assert written(tmp_path, "conll", words).startswith("-\tSpaceAfter=No\tB-X\nDOCSTART-\t_\tI-X\n")


@pytest.mark.slow
def test_spacy_converts_the_conll_file(tmp_path):
    export([passage(TEAM, INFRA), passage(text="Bye")], tmp_path / "x.conll", "conll", OPTIONS)
    command = [sys.executable, "-m", "spacy", "convert", "x.conll", ".", "--converter", "ner", "--n-sents", "1"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    found = list(read_docbin(tmp_path / "x.spacy"))
    assert [(one.text, [span.label for span in one.spans]) for one in found] == [
        ("Payments uses Redis .", ["TEAM", "INFRA"]), ("Bye", []),
    ]  # fmt: skip


# brat


def brat(tmp_path, *passages):
    export(passages, tmp_path / "pairs", "brat", LOSSY)
    return {path.name: path.read_bytes().decode() for path in (tmp_path / "pairs").iterdir()}


def test_brat_has_two_files_for_each_passage_and_the_labels_in_its_configuration(tmp_path):
    found = brat(tmp_path, passage(TEAM, INFRA, document="doc.1"), passage(document="doc.1"), passage(document="a/b"))
    assert sorted(found) == [
        "000003.ann", "000003.txt", "annotation.conf", "doc.1-2.ann", "doc.1-2.txt", "doc.1.ann", "doc.1.txt",
        "domain_ner.conf",
    ]  # fmt: skip
    assert found["doc.1.ann"] == "T1\tTEAM 0 8\tPayments\nT2\tINFRA 14 19\tRedis\n"
    assert (found["doc.1.txt"], found["doc.1-2.ann"]) == (TEXT, "")
    assert found["annotation.conf"].startswith("[entities]\nINFRA\nTEAM\n")


def test_brat_splits_a_span_at_line_ends(tmp_path):
    found = brat(tmp_path, passage(LabelledSpan(0, 11, "ORG"), text="Foo \r\n\n Bar."))
    assert found["000001.txt"] == "Foo \r\n\n Bar."
    assert found["000001.ann"] == "T1\tORG 0 3;8 11\tFoo Bar\n"


def test_brat_replaces_its_own_folder_and_no_other(tmp_path):
    brat(tmp_path, passage(document="old"))
    assert "old.txt" not in brat(tmp_path, passage(document="new"))
    (tmp_path / "pairs" / "thesis.docx").touch()
    with pytest.raises(DomainNerError, match=r"pairs has other files \(thesis.docx\)"):
        brat(tmp_path, passage())
    assert (tmp_path / "pairs" / "new.txt").is_file()


# Hugging Face


def test_hugging_face_rows_have_tags_by_name_and_the_text(tmp_path):
    (row,) = rows(tmp_path, "hf_json", passage(TEAM, document="d", meta={"org": "x", "more": {}}, unknown=((9, 13),)))
    assert row == {
        "org": "x", "id": "d", "tokens": ["Payments", "uses", "Redis", "."], "ner_tags": ["B-TEAM", None, "O", "O"],
        "space_after": [True, True, False, False], "text": TEXT,
        "domain_ner": '{"document": "d", "meta": {"org": "x", "more": {}}}',
    }  # fmt: skip
