import json
from pathlib import Path

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.passages import LabelledSpan
from domain_ner.readers import read_annotations, read_folder

LABELS = ["TEAM", "INFRA"]
TEXT = "Payments uses Redis."


def row(**changes):
    spans = [{"start": 0, "end": 8, "label": "TEAM"}, {"start": 14, "end": 19, "label": "INFRA"}]
    return {"text": TEXT, "spans": spans, "answer": "accept", "meta": {"org": "a"}} | changes


def span(start, end, label="TEAM"):
    return {"start": start, "end": end, "label": label}


def read(path):
    return read_folder(path.parent, labels=LABELS)


def test_reads_text_spans_meta_and_where_they_stand(write_jsonl):
    (passage,) = read(write_jsonl([row()])).passages
    assert passage.text == TEXT
    assert passage.spans == (LabelledSpan(0, 8, "TEAM"), LabelledSpan(14, 19, "INFRA"))
    assert (passage.source, passage.meta) == ("export.jsonl:1", {"org": "a"})


def test_offsets_are_code_points(write_jsonl):
    (passage,) = read(write_jsonl([row(text="🔥 Redis", spans=[span(2, 7, "INFRA")])])).passages
    assert passage.text[passage.spans[0].start : passage.spans[0].end] == "Redis"


def test_accepted_without_spans_is_a_passage_without_entities(write_jsonl):
    bare = {"text": "Nothing here.", "answer": "accept"}
    assert read(write_jsonl([bare])).passages[0].spans == ()


def test_rejected_and_ignored_are_counted_and_left_out(write_jsonl):
    rows = [row(), row(text="x y", spans=[], answer="reject"), row(text="z", spans=[], answer="ignore")]
    result = read(write_jsonl(rows))
    assert len(result.passages) == 1
    assert result.counts == {"rows": 3, "rejected": 1, "ignored": 1, "kept": 1}


def test_identical_annotations_are_merged(write_jsonl):
    result = read(write_jsonl([row(), row(), row(text="other", spans=[])]))
    assert (len(result.passages), result.counts["merged duplicates"]) == (2, 1)


def test_different_annotations_of_one_text_name_both_lines(write_jsonl):
    with pytest.raises(DomainNerError, match=r"export.jsonl:2: same text as export.jsonl:1 .*'Payments' as TEAM"):
        read(write_jsonl([row(), row(spans=[span(14, 19, "INFRA")])]))


def test_white_space_at_the_edges_is_trimmed_and_counted(write_jsonl):
    result = read(write_jsonl([row(spans=[span(13, 20 - 1, "INFRA")])]))
    assert result.passages[0].spans == (LabelledSpan(14, 19, "INFRA"),)
    assert result.counts["trimmed spans"] == 1


def test_several_files_are_read_in_order(write_jsonl):
    write_jsonl([row(text="b", spans=[])], "b.jsonl")
    path = write_jsonl([row(text="a", spans=[])], "a.jsonl")
    assert [passage.text for passage in read(path).passages] == ["a", "b"]


def test_byte_order_mark_crlf_and_blank_lines_are_no_obstacle(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + json.dumps(row()).encode() + b"\r\n\r\n" + json.dumps(row(text="Payments b")).encode()
    )
    path.write_text(path.read_text(encoding="utf8").replace('"start": 14, "end": 19', '"start": 9, "end": 10'), "utf8")
    assert len(read_folder(tmp_path, labels=LABELS).passages) == 2


def test_unicode_line_separators_inside_a_text_do_not_cut_it(write_jsonl):
    (passage,) = read(write_jsonl([row(text="Payments\u2028uses\u0085it", spans=[span(0, 8)])])).passages
    assert passage.text == "Payments\u2028uses\u0085it"


BAD_ROWS = {
    "cut-off JSON": ('{"text": "a', "invalid JSON at column"),
    "not an object": ("[1, 2]", "a JSON list; expected an object"),
    "text is missing": ({"spans": []}, "text is None; expected a passage"),
    "text is blank": (row(text="  ", spans=[]), "expected a passage with at least one word"),
    "spans is no list": (row(spans="x"), "spans is a str; expected a list"),
    "span without label": (row(spans=[{"start": 0, "end": 1}]), "expected an object with start, end and label"),
    "span off the text": (row(spans=[span(15, 99)]), "span 15-99 is off the text; expected 0 <= start < end <= 20"),
    "span backwards": (row(spans=[span(5, 2)]), "span 5-2 is off the text"),
    "negative offset": (row(spans=[span(-3, 2)]), "span -3-2 is off the text"),
    "offset is a string": (row(spans=[span("0", 2)]), "off the text"),
    "white space only": (row(spans=[span(8, 9)]), "covers white space only"),
    "unknown label": (row(spans=[span(0, 8, "CREW")]), "label 'CREW' on 'Payments'; expected one of TEAM, INFRA"),
    "overlap": (row(spans=[span(0, 8), span(4, 12, "INFRA")]), "'Payments' .TEAM. overlaps 'ents use' .INFRA."),
    "unknown answer": (row(answer="maybe"), "answer 'maybe'; expected accept, reject or ignore"),
    "yes/no annotation": (row(_is_binary=True), "yes/no annotation"),
}


@pytest.mark.parametrize(("bad", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_an_error_that_names_file_line_and_cause(write_jsonl, bad, message):
    with pytest.raises(DomainNerError, match=f"export.jsonl:2: .*{message}"):
        read(write_jsonl([row(), bad]))


def test_all_bad_rows_are_told_at_once(write_jsonl):
    with pytest.raises(DomainNerError, match="2 annotations cannot be used") as caught:
        read(write_jsonl(["{", row(), "}"]))
    assert "export.jsonl:1" in str(caught.value)
    assert "export.jsonl:3" in str(caught.value)


def test_deeply_nested_json_is_an_error_not_a_crash(write_jsonl):
    with pytest.raises(DomainNerError, match="export.jsonl:1: invalid JSON"):
        read(write_jsonl(["[" * 100_000]))


def test_an_empty_file_is_an_error(write_jsonl):
    with pytest.raises(DomainNerError, match="export.jsonl is empty"):
        read(write_jsonl([]))


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(DomainNerError, match="holds no file"):
        read_folder(tmp_path, labels=LABELS)


def test_a_missing_folder_is_an_error():
    with pytest.raises(DomainNerError, match="nowhere does not exist"):
        read_folder(Path("nowhere"), labels=LABELS)


def test_a_file_of_another_kind_is_an_error(write_jsonl):
    path = write_jsonl([row()])
    (path.parent / "notes.xlsx").write_bytes(b"PK")
    with pytest.raises(DomainNerError, match="No reader for notes.xlsx"):
        read(path)


def test_another_encoding_is_an_error_that_names_the_byte(tmp_path):
    (tmp_path / "a.jsonl").write_bytes('{"text": "naïve"}'.encode("latin-1"))
    with pytest.raises(DomainNerError, match="a.jsonl is not UTF-8: byte 0xef"):
        read_folder(tmp_path, labels=LABELS)


def test_nothing_accepted_is_an_error(write_jsonl):
    with pytest.raises(DomainNerError, match="No accepted passage in .*: 1 rows, 1 rejected"):
        read(write_jsonl([row(answer="reject")]))


def test_the_annotator_one_trusts_wins_where_annotations_differ(write_jsonl):
    other = row(spans=[span(0, 8)], _annotator_id="bob")
    path = write_jsonl([row(_annotator_id="ann"), other])
    result = read_folder(path.parent, labels=LABELS, prefer=["zoe", "bob", "ann"])
    assert result.passages[0].spans == (LabelledSpan(0, 8, "TEAM"),)
    assert (result.counts["kept"], result.counts["other annotators"]) == (1, 1)


def test_anyone_may_be_trusted_so_that_the_first_is_kept(write_jsonl):
    path = write_jsonl([row(), row(spans=[span(0, 8)]), row(text="b", spans=[])])
    result = read_folder(path.parent, labels=LABELS, prefer=["*"])
    assert (len(result.passages[0].spans), result.counts["other annotators"]) == (2, 1)


def test_one_annotator_who_differs_from_himself_is_not_trusted(write_jsonl):
    path = write_jsonl([row(_annotator_id="ann"), row(spans=[span(0, 8)], _annotator_id="ann")])
    with pytest.raises(DomainNerError, match="name whom to trust in vars.prefer"):
        read_folder(path.parent, labels=LABELS, prefer=["ann"])


def test_all_annotations_are_read_with_their_annotator(write_jsonl):
    read = read_annotations(write_jsonl([row(_annotator_id="ann"), row(_session_id="s-bob"), row()]).parent)
    assert [passage.annotator for passage in read.passages] == ["ann", "s-bob", ""]


def test_without_labels_any_label_is_read(write_jsonl):
    assert read_annotations(write_jsonl([row(spans=[span(0, 8, "CREW")])]).parent).passages[0].spans[0].label == "CREW"
