import errno
import json
import os
import re
from pathlib import Path

import pytest

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.annotations.records import ReaderOptions
from domain_ner.conversion.exports import (
    ImportSettings,
    parse_reading,
    read_annotations,
    require_usable,
    unknown_annotators,
)
from domain_ner.errors import DomainNerError

LABELS = ["TEAM", "INFRA"]
TEXT = "Payments uses Redis."


def row(**changes):
    spans = [{"start": 0, "end": 8, "label": "TEAM"}, {"start": 14, "end": 19, "label": "INFRA"}]
    return {"text": TEXT, "spans": spans, "answer": "accept", "meta": {"org": "a"}} | changes


def span(start, end, label="TEAM"):
    return {"start": start, "end": end, "label": label}


def read(folder, **settings):
    return read_annotations(folder, ImportSettings(**{"labels": LABELS} | settings))


def usable(folder, **settings):
    found = read(folder, **settings)
    require_usable(found, max_loss=0.005)
    return found


def test_a_folder_may_mix_formats_and_folders(write_jsonl, tmp_path):
    folder = write_jsonl([row()]).parent
    (folder / "deep").mkdir()
    (folder / "deep" / "b.jsonl").write_text(json.dumps({"text": "Redis", "label": [[0, 5, "INFRA"]]}) + "\n")
    (folder / "c.conll").write_text("Kafka B-INFRA\nfails O\n\n")
    (folder / "notes.md").write_text("not an export")
    found = usable(folder)
    assert [passage.text for passage in found.merged] == ["Kafka fails", "Redis", TEXT]
    assert found.ledger.n_read == {"c.conll": 1, "deep/b.jsonl": 1, "export.jsonl": 2}


def test_one_file_may_be_named_instead_of_a_folder(write_jsonl):
    assert len(read(write_jsonl([row()])).merged) == 1


def test_the_format_can_be_given(write_jsonl):
    with pytest.raises(DomainNerError, match=r"vars\.reading has format=msword; expected one of prodigy"):
        read(write_jsonl([row()]).parent, reading="format=msword")
    assert len(read(write_jsonl([row()]).parent, reading="format=prodigy").merged) == 1


def test_documents_are_counted_by_answer(write_jsonl):
    rows = [row(), row(text="x y", spans=[], answer="reject"), row(text="z", spans=[], answer="ignore")]
    assert read(write_jsonl(rows).parent).documents == {"accepted": 1, "rejected": 1, "ignored": 1}


def test_a_loss_above_the_limit_lists_what_is_lost(write_jsonl):
    bad = row(text="Redis x", spans=[span(0, 5, "DB"), span(3, 99)])
    with pytest.raises(
        DomainNerError,
        match=r"50\.00% of the annotations \(2 of 4\) would be lost; vars\.max_loss allows at most 0\.50%",
    ) as caught:
        usable(write_jsonl([row(), bad]).parent)
    assert "export.jsonl:2: 'Redis' (DB, 0-5): label 'DB' is not in the guide: expected one of TEAM" in str(
        caught.value
    )
    assert "export.jsonl:2: '' (TEAM, 3-99): 3-99 is outside the text: it has 7 characters" in str(caught.value)


def test_a_small_loss_is_told_and_costs_no_other_document(write_jsonl):
    rows = [row(text=f"{TEXT} {n}") for n in range(300)]
    found = usable(write_jsonl([*rows[:150], '{"text": ,}', *rows[150:]]).parent)
    assert len(found.merged) == 300
    assert len(found.problems) == 1
    assert found.problems[0].startswith("export.jsonl:151: ")


def test_nothing_accepted_is_an_error(write_jsonl):
    with pytest.raises(DomainNerError, match="No accepted passage: 1 rejected"):
        usable(write_jsonl([row(answer="reject")]).parent)


def test_contradicting_annotators_are_told_with_both_lines(write_jsonl):
    with pytest.raises(DomainNerError, match=r"export.jsonl:2: same text as export.jsonl:1 .*'Payments' as TEAM"):
        usable(write_jsonl([row(), row(spans=[span(14, 19, "INFRA")])]).parent)


def test_the_annotator_one_trusts_wins_where_annotations_differ(write_jsonl):
    other = row(spans=[span(0, 8)], _annotator_id="bob")
    found = usable(write_jsonl([row(_annotator_id="ann"), other]).parent, prefer=["zoe", "bob", "ann"])
    assert found.merged[0].spans == (LabelledSpan(0, 8, "TEAM"),)


def test_one_annotator_who_differs_from_himself_is_not_trusted(write_jsonl):
    path = write_jsonl([row(_annotator_id="ann"), row(spans=[span(0, 8)], _annotator_id="ann")])
    with pytest.raises(DomainNerError, match="name the annotator to trust in vars.prefer"):
        usable(path.parent, prefer=["ann"])


def test_disputed_spans_can_be_unknown(write_jsonl):
    rows = [row(_annotator_id="ann"), row(_annotator_id="bob", spans=[span(0, 8)])]
    (passage,) = usable(write_jsonl(rows).parent, conflicts="unknown").merged
    assert (passage.spans, passage.unknown) == ((LabelledSpan(0, 8, "TEAM"),), ((14, 19),))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"reading": "offsets=miles"}, r"vars.reading has 'offsets=miles'; expected offsets=codepoint|utf16"),
        ({"reading": "colour=red"}, "vars.reading has 'colour=red'; expected format=…"),
        ({"reading": "format"}, "vars.reading has 'format'"),
        ({"reading": "field='a"}, "Close every quote"),
        ({"conflicts": "x"}, "vars.conflicts is 'x'"),
    ],
)
def test_settings_that_do_not_exist_are_told(write_jsonl, settings, told):
    with pytest.raises(DomainNerError, match=re.escape(told)):
        read(write_jsonl([row()]).parent, **settings)


def test_labels_that_differ_in_case_alone_are_noted(write_jsonl):
    found = read(write_jsonl([row(spans=[span(0, 8, "team"), span(14, 19, "TEAM")])]).parent, labels=None)
    assert any("differ only in case or white space" in note for _, note in found.ledger.notes)


def test_one_id_for_two_texts_is_noted_and_both_are_kept(tmp_path):
    rows = [{"id": 7, "text": text, "label": []} for text in ("one text", "another text")]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read(tmp_path)
    assert len(found.merged) == 2
    told = "an id that stands for several texts, all of which are kept: '7', of 2 records"
    assert any(told in note for _, note in found.ledger.notes)


def test_a_folder_that_is_empty_or_missing_is_an_error(tmp_path):
    with pytest.raises(DomainNerError, match="has no file"):
        read(tmp_path)
    with pytest.raises(DomainNerError, match="nowhere does not exist"):
        read(tmp_path / "nowhere")


def test_a_folder_of_files_that_are_left_alone_names_them(tmp_path):
    for name in ("README.md", "notes.md", "labels.xml", "a.yml", "b.yml", "c.yml"):
        (tmp_path / name).write_text("<View><Labels/></View>" if name.endswith(".xml") else "text")
    with pytest.raises(DomainNerError, match=r"only README.md, a.yml, b.yml, c.yml, labels.xml and 1 more"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["README.txt", "readme", "Readme_de.rst", "LICENCE", "license.txt", "CITATION.cff"])
def test_what_describes_the_exports_is_left_alone(write_jsonl, name):
    folder = write_jsonl([row()]).parent
    (folder / name).write_text("Exports of May: ask Eve before you share them.\n")
    assert len(read(folder).passages) == 1


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", "~$notes.docx", ".DS_Store", "._a.jsonl"])
def test_what_systems_put_into_folders_is_left_alone(write_jsonl, name):
    folder = write_jsonl([row()]).parent
    (folder / name).write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert len(read(folder).passages) == 1


def test_an_export_whose_name_begins_like_that_is_read(write_jsonl):
    path = write_jsonl([row()])
    path.rename(path.with_name("readme.jsonl"))
    assert len(read(path.parent).passages) == 1


def test_linked_folders_are_read_each_of_them_once(write_jsonl, tmp_path):
    exports = write_jsonl([row()]).parent
    folder = tmp_path / "linked"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).symlink_to(exports)
    (exports / "up").symlink_to(folder)
    assert [passage.source.partition("/")[0] for passage in read(folder).passages] == ["a"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among files")
def test_what_cannot_be_read_is_an_error_that_names_all_of_it(write_jsonl, monkeypatch):
    folder = write_jsonl([row()]).parent
    (folder / "gone.jsonl").symlink_to("nowhere.jsonl")
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "closed").mkdir()
    scandir = os.scandir

    def refuse(path):  # as for everyone but root
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DomainNerError) as caught:
        read(folder)
    told = str(caught.value)
    assert "gone.jsonl: a link to nowhere.jsonl, which does not exist" in told
    assert "pipe.jsonl: not a file, but a pipe" in told
    assert "closed: Permission denied" in told


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.jsonl", b"", "is empty"),
        ("photo.jsonl", b"\x89PNG\r\n\x1a\n\0\0\0", r"of PNG \(an image\), which is not supported"),
        ("weights.jsonl", b"\0\1\2\3", "not a text file"),
        ("notes.txt", b"Dear all, see you on Monday.\n", "of no known format"),
        ("table.xlsx", b"PK\x03\x04\0\0", "of Excel, which is not supported"),
    ],
)
def test_a_file_that_is_no_export_is_an_error_that_names_it(write_jsonl, name, content, told):
    folder = write_jsonl([row()]).parent
    (folder / name).write_bytes(content)
    with pytest.raises(DomainNerError, match=told) as caught:
        read(folder)
    assert name in str(caught.value)


def test_a_passage_of_five_million_characters_is_read(write_jsonl):
    text = "Redis is slow today. " * 240_000
    found = usable(write_jsonl([row(text=text, spans=[span(len(text) - 21, len(text) - 16, "INFRA")])]).parent)
    assert len(found.merged[0].text) > 5_000_000


def test_every_setting_of_reading_is_read():
    text = "format=conll offsets=utf16 tag_column=4 field='fine tags' label_names=O,B-PER predictions=yes force=yes"
    found = parse_reading(f"{text} empty=skip discontinuous=envelope label=X")
    assert (found.format, found.offsets) == ("conll", "utf16")
    assert found.options == ReaderOptions("4", "fine tags", ("O", "B-PER"), True, True, "skip", "envelope", "X")


def test_annotators_to_trust_whom_nobody_is_are_told_with_those_who_are_there(write_jsonl):
    rows = [row(text=f"{TEXT} {n}", _annotator_id=who) for n, who in enumerate(["anna", "anna", "bob"])]
    found = read(write_jsonl(rows).parent)
    told = unknown_annotators(found, ["Anna", "bob", "zed", "*"])
    assert told.startswith(
        "vars.prefer names 'Anna' (did you mean 'anna'?), 'zed': no accepted passage has this annotator."
    )
    assert "Annotators are 'anna' (2 passages), 'bob' (1 passages)." in told and 'or to "*"' in told
    assert unknown_annotators(found, ["bob", "anna", "*"]) == ""


def test_exports_that_name_no_annotator_say_so(write_jsonl):
    assert "The exports name no annotator." in unknown_annotators(read(write_jsonl([row()]).parent), ["anna"])
