"""What a format cannot hold is counted, and refused if it concerns annotations; and other errors of export."""

import pytest
from exported_passages import INFRA, LOSSY, OPTIONS, TEAM, WHOLE, lost, passage, rows

from domain_ner.annotations.passages import LabelledSpan
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
)


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


def test_an_empty_text_is_counted_and_left_out_for_doccano(tmp_path):
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


def test_the_loss_of_marks_of_unannotated_text_is_explained(tmp_path):
    with pytest.raises(
        DomainNerError, match=r"(?s)1 marks of texts .* unannotated text reads as having no entity"
    ) as error:
        export([passage(TEAM, partial=True)], tmp_path / "out", "doccano", OPTIONS)
    assert "Export to prodigy or conll or hf_json" in error.value.fix


def test_the_longest_of_overlapping_spans_is_written(tmp_path):
    (row,) = rows(tmp_path, "hf_json", passage(TEAM, WHOLE), options=LOSSY)
    assert row["ner_tags"] == ["B-CLAIM", "I-CLAIM", "I-CLAIM", "O"]


def test_a_partly_unknown_text_is_a_yes_no_row_in_prodigy(tmp_path):
    (row,) = rows(tmp_path, "prodigy", passage(TEAM, unknown=((14, 19),)), options=LOSSY)
    assert row["_is_binary"]


def test_losses_that_concern_no_annotation_are_counted_and_not_refused(tmp_path):
    done = export([passage(TEAM, meta={"org": "x"}, text="Payments  x")], tmp_path / "out", "conll", OPTIONS)
    assert dict(done.lost) == {META: 1, WHITE_SPACE: 1}


def test_an_unknown_format_is_an_error_that_lists_the_formats(tmp_path):
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
