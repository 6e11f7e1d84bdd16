import json
import subprocess
import sys

import pytest
import spacy
from conftest import GUIDE
from pipelines import run
from spacy.tokens import Doc

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.corpus.docs import DocRules, make_doc, to_docbin
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.errors import DomainNerError
from domain_ner.writers.formats import FORMATS, export
from domain_ner.writers.options import (
    BLANK,
    EMPTY,
    META,
    NESTED,
    PARTIAL,
    REJECTED,
    SPACED_LABEL,
    UNANNOTATED,
    UNKNOWN,
    WHITE_SPACE,
    WORDLESS,
    WriterOptions,
)
from domain_ner.writers.passages import read_docbin, to_passage

TOKENIZER = create_tokenizer()(spacy.blank("en"))
OPTIONS, LOSSY = WriterOptions(TOKENIZER), WriterOptions(TOKENIZER, lossy=True)
TEXT = "Payments uses Redis."
TEAM, INFRA = LabelledSpan(0, 8, "TEAM"), LabelledSpan(14, 19, "INFRA")
WHOLE = LabelledSpan(0, 19, "CLAIM")


def passage(*spans, text=TEXT, **fields):
    return Passage(text, tuple(sorted(spans)), "a.jsonl:3", **fields)


def written(tmp_path, to, *passages, options=OPTIONS):
    export(passages, tmp_path / "out", to, options)
    return (tmp_path / "out").read_text("utf-8")


def rows(tmp_path, to, *passages, options=OPTIONS):
    return [json.loads(line) for line in written(tmp_path, to, *passages, options=options).splitlines()]


def lost(tmp_path, to, *passages):
    return dict(export(passages, tmp_path / "lossy", to, LOSSY).lost)


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


def test_prodigy_answers_yes_and_no_are_a_row_each(tmp_path):
    found = rows(tmp_path, "prodigy", passage(TEAM, partial=True, rejected=(INFRA,)))
    told = [(row["answer"], row["_is_binary"], [span["label"] for span in row["spans"]]) for row in found]
    assert told == [("accept", True, ["TEAM"]), ("reject", True, ["INFRA"])]


def test_tokens_are_cut_where_a_span_starts_or_ends_inside_one(tmp_path):
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


def test_label_studio_ids_are_numbers_and_the_document_is_carried(tmp_path):
    tasks = json.loads(written(tmp_path, "label_studio", passage(document="17"), passage(document="d-1")))
    assert [(task["id"], task["data"]["domain_ner"]) for task in tasks] == [
        (17, '{"document": "17"}'), (2, '{"document": "d-1"}'),
    ]  # fmt: skip


def test_label_studio_shows_plain_meta_whose_names_are_no_columns_of_its_own(tmp_path):
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


def test_doccano_s_own_keys_are_not_overwritten_by_meta(tmp_path):
    (row,) = rows(tmp_path, "doccano", passage(TEAM, meta={"label": "news", "id": 5}))
    assert (row["id"], row["label"], row["meta"]) == (1, [[0, 8, "TEAM"]], {"label": "news", "id": 5})


def test_doccano_s_rows_have_the_same_keys_whatever_is_known_of_their_passages(tmp_path):
    given = passage(TEAM), passage(meta={"org": "x"}, annotator="ann", document="d"), passage(meta={"n": 1})
    found = rows(tmp_path, "doccano", *given)
    assert [list(row) for row in found] == [["id", "text", "label", "meta", "domain_ner"]] * 3
    assert [row["meta"] for row in found] == [{}, {"org": "x"}, {"n": 1}]
    assert len({type(row["id"]) for row in found}) == 1


# CoNLL


def test_conll_has_token_space_and_tag_between_tabs(tmp_path):
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


def test_brat_has_a_pair_for_each_passage_and_the_labels_in_its_configuration(tmp_path):
    found = brat(tmp_path, passage(TEAM, INFRA, document="doc.1"), passage(document="doc.1"), passage(document="a/b"))
    assert sorted(found) == [
        "000003.ann", "000003.txt", "annotation.conf", "doc.1-2.ann", "doc.1-2.txt", "doc.1.ann", "doc.1.txt",
        "domain_ner.conf",
    ]  # fmt: skip
    assert found["doc.1.ann"] == "T1\tTEAM 0 8\tPayments\nT2\tINFRA 14 19\tRedis\n"
    assert (found["doc.1.txt"], found["doc.1-2.ann"]) == (TEXT, "")
    assert found["annotation.conf"].startswith("[entities]\nINFRA\nTEAM\n")


def test_brat_has_a_span_over_line_ends_in_fragments(tmp_path):
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


# What a format cannot hold


@pytest.mark.parametrize(
    ("what", "given", "holding"),
    [
        (NESTED, passage(TEAM, WHOLE), "prodigy label_studio doccano brat"),
        (REJECTED, passage(TEAM, rejected=(INFRA,)), "prodigy"),
        (PARTIAL, passage(TEAM, partial=True), "prodigy conll hf_json"),
        (UNANNOTATED, passage(partial=True), "prodigy label_studio conll hf_json"),
        (UNKNOWN, passage(TEAM, unknown=((14, 19),)), "conll hf_json"),
        (SPACED_LABEL, passage(LabelledSpan(0, 8, "a team")), "prodigy label_studio doccano hf_json"),
        (BLANK, passage(LabelledSpan(8, 9, "TEAM")), ""),
        (BLANK, passage(LabelledSpan(0, 8, "")), ""),
        (META, passage(TEAM, meta={"org": "x"}), "prodigy label_studio doccano brat hf_json"),
        (META, passage(TEAM, document="d"), "prodigy label_studio doccano brat hf_json"),
        (WHITE_SPACE, passage(text="a\nb"), "prodigy label_studio doccano brat hf_json"),
        (WORDLESS, passage(text=" \n"), "prodigy label_studio doccano brat"),
    ],
)  # fmt: skip
def test_what_a_format_cannot_hold_is_counted(tmp_path, what, given, holding):
    other = passage(TEAM)
    for to in FORMATS:
        assert lost(tmp_path / to, to, other, given) == ({} if to in holding.split() else {what: 1}), to


def test_an_empty_text_is_told_and_left_out_of_what_doccano_would_refuse(tmp_path):
    done = export([passage(TEAM), passage(text="")], tmp_path / "out", "doccano", OPTIONS)
    assert (dict(done.lost), done.n_passages) == ({EMPTY: 1}, 1)
    assert lost(tmp_path / "ls", "label_studio", passage(TEAM), passage(text="")) == {}


def test_losses_are_refused_with_their_number_and_place_and_nothing_is_written(tmp_path):
    (tmp_path / "out").write_text("old")
    with pytest.raises(DomainNerError) as error:
        export([passage(TEAM), passage(TEAM, WHOLE)], tmp_path / "out", "conll", OPTIONS)
    assert "  1 nested or overlapping annotations, the first in a.jsonl:3" in str(error.value)
    assert "Export to prodigy or label_studio or doccano or brat, which can, or use --lossy" in str(error.value)
    assert (tmp_path / "out").read_text() == "old"


def test_a_lost_mark_of_what_nobody_annotated_is_warned_of(tmp_path):
    with pytest.raises(
        DomainNerError, match=r"(?s)1 marks of texts .* unannotated text reads as having no entity"
    ) as error:
        export([passage(TEAM, partial=True)], tmp_path / "out", "doccano", OPTIONS)
    assert "Export to prodigy or conll or hf_json" in error.value.fix


def test_of_overlapping_spans_the_longest_is_written(tmp_path):
    (row,) = rows(tmp_path, "hf_json", passage(TEAM, WHOLE), options=LOSSY)
    assert row["ner_tags"] == ["B-CLAIM", "I-CLAIM", "I-CLAIM", "O"]


def test_what_is_unknown_in_part_becomes_unknown_around_the_spans_in_prodigy(tmp_path):
    (row,) = rows(tmp_path, "prodigy", passage(TEAM, unknown=((14, 19),)), options=LOSSY)
    assert row["_is_binary"]


def test_told_but_not_refused_is_what_concerns_no_annotation(tmp_path):
    done = export([passage(TEAM, meta={"org": "x"}, text="Payments  x")], tmp_path / "out", "conll", OPTIONS)
    assert dict(done.lost) == {META: 1, WHITE_SPACE: 1}


def test_an_unknown_format_names_those_there_are(tmp_path):
    with pytest.raises(DomainNerError, match="--to is 'xml'; expected one of prodigy, label_studio, doccano, conll"):
        export([passage()], tmp_path / "out", "xml", OPTIONS)


def test_no_passage_is_an_error_and_leaves_no_file(tmp_path):
    with pytest.raises(DomainNerError, match="no passage to write"):
        export([], tmp_path / "out", "prodigy", OPTIONS)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("to", "expected"), [("prodigy", "is a folder; expected"), ("brat", "is a file; expected")])
def test_a_target_of_the_wrong_kind_is_left_alone(tmp_path, to, expected):
    target = tmp_path / "out"
    target.touch() if to == "brat" else target.mkdir()
    with pytest.raises(DomainNerError, match=expected):
        export([passage()], target, to, OPTIONS)


# Documents of a DocBin


def make(given, **rules):
    fields = {name: getattr(given, name) for name in given.__dataclass_fields__}
    numbers = tuple(range(len(given.spans)))
    return make_doc(Passage(**fields | {"rows": numbers}), DocRules(TOKENIZER, **rules)).doc


def same(one, other):
    names = ("text", "spans", "source", "meta", "document", "annotator", "rejected", "partial", "unknown")
    return {name: getattr(one, name) for name in names} == {name: getattr(other, name) for name in names}


@pytest.mark.parametrize(
    "given",
    [
        passage(TEAM, INFRA, WHOLE, meta={"org": "x"}, document="7", annotator="ann"),
        passage(),
        passage(TEAM, rejected=(INFRA,), partial=True),
        passage(partial=True),
        passage(TEAM, unknown=((9, 13), (19, 20))),
        passage(LabelledSpan(3, 8, "X")),
        passage(TEAM, text="Payments uses Redis .", words=("Payments", "uses", "Redis", ".")),
    ],
)
def test_a_corpus_gives_the_passages_it_was_made_of(tmp_path, given):
    to_docbin([make(given)]).to_disk(tmp_path / "x.spacy")
    (read,) = read_docbin(tmp_path / "x.spacy")
    assert same(read, given)


def test_where_white_space_was_normalised_the_original_text_is_written():
    text = "Pay\u200b \n uses Redis\u200bs now"
    given = passage(LabelledSpan(12, 17, "INFRA"), text=text, unknown=((20, 23),))
    assert (text[12:17], text[20:]) == ("Redis", "now")
    doc = make(given, normalize="whitespace")
    assert doc.text == "Pay uses Rediss now"
    assert same(to_passage(doc, "b:1"), given)


def test_documents_of_others_are_named_by_file_and_number_and_trimmed(tmp_path):
    doc = Doc(spacy.blank("en").vocab, words=["Redis", " ", "up"], spaces=[False, False, False])
    doc.ents = [doc.char_span(0, 6, label="INFRA")]
    to_docbin([doc]).to_disk(tmp_path / "x.spacy")
    (read,) = read_docbin(tmp_path / "x.spacy")
    assert (read.source, read.spans) == ("x.spacy:1", (LabelledSpan(0, 5, "INFRA"),))


def test_documents_of_others_with_span_groups_alone_are_complete():
    doc = TOKENIZER(TEXT)
    doc.spans["sc"] = [doc.char_span(0, 8, label="TEAM")]
    read = to_passage(doc, "x:1")
    assert (read.spans, read.partial, read.unknown) == ((TEAM,), False, ())


def test_the_scores_of_predicted_spans_are_kept_as_their_mean():
    doc = TOKENIZER(TEXT)
    doc.spans["sc"] = [doc.char_span(0, 8, label="TEAM"), doc.char_span(14, 19, label="INFRA")]
    doc.spans["sc"].attrs["scores"] = [0.5, 1.0]
    assert to_passage(doc, "x:1").meta == {"score": 0.75}


def test_a_missing_and_a_broken_corpus_are_told(tmp_path):
    with pytest.raises(DomainNerError, match="gone.spacy does not exist"):
        next(read_docbin(tmp_path / "gone.spacy"))
    (tmp_path / "junk.spacy").write_bytes(b"junk")
    with pytest.raises(DomainNerError, match="junk.spacy is not a DocBin, or damaged"):
        next(read_docbin(tmp_path / "junk.spacy"))


# The command


def test_the_command_writes_a_corpus_and_the_labelling_config(tmp_path):
    to_docbin([make(passage(TEAM)), make(passage(LabelledSpan(14, 19, "NEW")))]).to_disk(tmp_path / "x.spacy")
    output = tmp_path / "tasks.json"
    done = run("export_annotations", tmp_path / "x.spacy", output, "--to", "label_studio", "--guide", GUIDE)
    assert len(json.loads(output.read_text("utf8"))) == 2
    assert "<Labels" in (tmp_path / "tasks.xml").read_text("utf8")
    assert "wrote 2 passages with 2 annotations" in done.stdout
    assert f"labels that are not in {GUIDE}: NEW" in done.stdout


def test_the_command_writes_exports_in_another_format(tmp_path, write_jsonl):
    source = write_jsonl([{"text": TEXT, "spans": [{"start": 0, "end": 8, "label": "TEAM"}], "answer": "accept"}])
    run("export_annotations", source.parent, tmp_path / "x.conll", "--to", "conll")
    assert (tmp_path / "x.conll").read_text("utf8").startswith("Payments\t_\tB-TEAM\n")


@pytest.mark.parametrize(
    ("source", "output", "arguments", "expected"),
    [
        ("gone.spacy", "out", ["--to", "prodigy"], "gone.spacy does not exist"),
        ("gone", "out", ["--to", "xml"], "--to is 'xml'; expected one of"),
        ("same", "same", ["--to", "prodigy"], "would replace"),
        ("gone", "out", ["--to", "prodigy", "--lang", "qqq"], "vars.lang is 'qqq', which spaCy does not know"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, source, output, arguments, expected):
    failed = run("export_annotations", tmp_path / source, tmp_path / output, *arguments, check=False)
    assert (failed.returncode, "Traceback" in failed.stderr) == (1, False)
    assert expected in failed.stderr
