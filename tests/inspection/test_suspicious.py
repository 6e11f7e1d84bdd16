"""What makes a passage suspicious, and the order of the most suspicious."""

import pytest
from inspected import TOKENIZE, inspected, make, reasons, row

from domain_ner.annotations.outcomes import DROPPED, FLATTENED, MASKED, OVERRULED, REPAIRED
from domain_ner.corpus.docs import DocRules
from domain_ner.inspection.passages import (
    LENGTH,
    OTHERWISE,
    SKIPPED,
    SPLIT_IN_GOLD,
    Finding,
    Inspected,
    most_suspicious,
)


@pytest.mark.parametrize("fate", [DROPPED, MASKED, OVERRULED])
def test_an_annotation_that_was_not_imported_is_suspicious(fate):
    made = make("Redis is up", ("Redis", "INFRA"))
    (passage,) = inspected(made, extra=[row("a:1", "up", "INFRA", fate, ["why"])]).passages
    assert [(one.reason, one.words) for one in passage.findings] == [(fate, "'up' (INFRA, 0-2): why")]


def test_a_repaired_annotation_is_suspicious():
    rules = DocRules(TOKENIZE, misaligned="expand")
    (passage,) = inspected(make("see UNION2024 now", ("UNION", "ORG"), rules=rules)).passages
    assert reasons(passage) == {REPAIRED}


def test_a_token_that_only_the_gold_document_splits_is_suspicious():
    (passage,) = inspected(make("see UNION2024 now", ("UNION", "ORG"))).passages
    assert reasons(passage) == {SPLIT_IN_GOLD}


def test_a_flattened_annotation_is_suspicious():
    (passage,) = inspected(make("University of Bonn", ("University of Bonn", "ORG"), ("Bonn", "LOC"))).passages
    assert reasons(passage) == {FLATTENED}


def test_the_rarer_label_of_the_same_words_is_suspicious():
    labels = ["INFRA", "INFRA", "TEAM"]
    made = [make(f"Redis {n}", ("Redis", label), source=f"a:{n}") for n, label in enumerate(labels)]
    passages = inspected(*made).passages
    assert [reasons(passage) for passage in passages] == [set(), set(), {OTHERWISE}]
    assert passages[2].findings[0].words == "'Redis' is TEAM here, elsewhere INFRA (2)"


def test_two_equally_frequent_labels_of_the_same_words_are_both_suspicious():
    made = [make(f"Redis {n}", ("Redis", label), source=f"a:{n}") for n, label in enumerate(["INFRA", "TEAM"])]
    assert [reasons(passage) for passage in inspected(*made).passages] == [{OTHERWISE}, {OTHERWISE}]


def skipping(**fields):
    made = [make(f"Redis {n}", ("Redis", "INFRA"), source=f"a:{n}") for n in range(4)]
    return inspected(*made, make("ask Redis", source="a:9", **fields)).passages[-1]


def test_a_skipped_name_that_is_annotated_everywhere_else_is_suspicious():
    (finding,) = skipping().findings
    assert (finding.reason, finding.start, finding.end) == (SKIPPED, 4, 9)


def test_a_skipped_name_in_a_partly_annotated_passage_is_not_suspicious():
    assert skipping(partial=True).findings == ()


def test_a_name_much_longer_than_others_of_its_type_is_suspicious():
    made = [make(f"see Redis{n} now", (f"Redis{n}", "INFRA"), source=f"a:{n}") for n in range(30)]
    long = make("one two three four five six", ("one two three four five six", "INFRA"), source="a:99")
    *others, last = inspected(*made, long).passages
    assert reasons(last) == {LENGTH}
    assert not any(reasons(passage) for passage in others)


def test_a_reason_counts_three_times_at_most():
    doc, _ = make("x")
    many = Inspected("train", doc, (), (Finding(DROPPED, ""),) * 9)
    assert many.score == 15


def test_the_most_suspicious_passages_come_first_and_ties_keep_their_order():
    doc, _ = make("x")
    passages = [Inspected(name, doc, (), (Finding(DROPPED, ""),) * n) for name, n in [("a", 0), ("b", 2), ("c", 0)]]
    assert [passage.split for passage in most_suspicious(passages)] == ["b", "a", "c"]
