"""What the labels of a classifier mean."""

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.huggingface.label_sets import read_labels


@pytest.mark.parametrize(
    ("labels", "scheme"),
    [
        (["O", "B-LOC", "I-LOC", "B-PER", "I-PER"], "iob2"),
        (["B-PER", "O", "I-PER", "B-LOC"], "iob2"),
        (["O", "B-MISC", "I-MISC", "I-PER", "B-LOC", "I-LOC"], "iob1"),
        (["O", "I-PER", "I-LOC"], "io"),
        (["O", "PER", "LOC", "MISC"], "io"),
        (["O", "B-LOC", "I-LOC", "L-LOC", "U-LOC"], "biluo"),
        (["O", "B-LOC", "I-LOC", "E-LOC", "S-LOC"], "biluo"),
        (["O", "LOC-B", "LOC-I", "PER-B", "PER-I"], "iob2"),
        (["o", "b-loc", "i-loc", "b-per", "i-per"], "iob2"),
        (["O", "B", "I"], "iob2"),
    ],
)
def test_the_scheme_is_told_by_the_labels(labels, scheme):
    assert read_labels(labels).scheme == scheme


def test_rows_are_those_of_the_classifier_and_iob2_has_no_ends():
    labels = ["B-PER", "O", "I-PER", "B-LOC"]
    found = read_labels(labels)
    assert (found.types, found.outside) == (("LOC", "PER"), 1)
    assert [found.row(kind, "PER") for kind in "BUIL"] == [0, 0, 2, 2]
    assert [found.row(kind, "LOC") for kind in "BUIL"] == [3, 3, None, None]


def test_biluo_keeps_ends_apart_by_either_name():
    found = read_labels(["O", "S-LOC", "B-LOC", "E-LOC", "I-LOC"])
    assert [found.row(kind, "LOC") for kind in "BUIL"] == [2, 1, 4, 3]


def test_a_scheme_can_be_given():
    labels = ["O", "B-LOC", "I-LOC"]
    assert read_labels(labels, "iob1").scheme == "iob1"
    assert read_labels(["O", "B-cell", "T-cell"], "io").types == ("B-cell", "T-cell")


def test_labels_that_no_text_has_can_be_ignored():
    found = read_labels(["[CLS]", "O", "B-LOC", "I-LOC", "[SEP]"], ignored=["[CLS]", "[SEP]"])
    assert (found.outside, found.row("B", "LOC")) == (1, 2)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (["LABEL_0", "LABEL_1"], {}, "say nothing"),
        (["B-LOC", "I-LOC"], {}, "None of the labels means no entity"),
        (["O"], {}, "no label of an entity"),
        (["O", "B-LOC", "I-LOC", "X"], {}, "'X' does not fit the others"),
        (["O", "B-LOC", "L-LOC", "E-LOC"], {}, "mean the same"),
        (["O", "B-LOC", "I-LOC"], {"scheme": "bio"}, "expected one of auto"),
        (["O", "B-LOC", "I-LOC"], {"ignored": ["X"]}, "no label 'X'"),
        (["O", "I-LOC", "B-PER"], {"scheme": "iob2"}, "type LOC has no label with B"),
        (["O", "B-LOC", "L-LOC"], {"scheme": "iob2"}, "labels with L"),
        (["O", "B-LOC", "I-LOC", "L-LOC", "I-PER", "L-PER"], {}, "type PER has no label with B or U"),
    ],
)  # fmt: skip
def test_other_labels_are_refused(labels, options, message):
    with pytest.raises(DomainNerError, match=message.replace("[", r"\[")):
        read_labels(labels, **options)
