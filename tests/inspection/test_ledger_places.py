"""Rows of the ledger and the spans and passages of the corpus that they belong to."""

import pytest
from inspected import TOKENIZE, inspected, make, row
from spacy.tokens import Span

from domain_ner.annotations.outcomes import (
    DROPPED,
    IMPORTED,
    MASKED,
    MERGED,
    OVERRULED,
    REJECTED,
    REPAIRED,
    UNREADABLE_DOCUMENT,
)
from domain_ner.corpus.docs import DocRules
from domain_ner.inspection.ledger_places import UNACCOUNTED, locate_rows


def placed(annotations):
    return [(one.row.text, one.row.outcome, one.start) for one in annotations]


def test_a_span_has_the_row_of_its_words_and_label():
    doc, rows = make("Redis and Ops", ("Redis", "INFRA"), ("Ops", "TEAM"))
    (annotations,), unplaced = locate_rows([doc], rows)
    assert (placed(annotations), unplaced) == ([("Redis", IMPORTED, 0), ("Ops", IMPORTED, 10)], [])


def test_spans_with_equal_words_have_the_rows_with_their_offsets():
    doc, _ = make("Ops met Ops")
    doc.spans["sc"] = [Span(doc, 0, 1, "TEAM"), Span(doc, 2, 3, "TEAM")]
    rows = [row("a:1", "Ops", "TEAM", IMPORTED, start=start) for start in (8, 0)]
    (annotations,), _ = locate_rows([doc], rows)
    assert {(one.row.start, one.start) for one in annotations} == {(0, 0), (8, 8)}


def test_a_repaired_span_still_has_its_row():
    rules = DocRules(TOKENIZE, misaligned="expand")
    doc, rows = make("see UNION2024 now", ("UNION", "ORG"), rules=rules)
    (annotations,), _ = locate_rows([doc], rows)
    assert placed(annotations) == [("UNION", REPAIRED, 4)]


def test_an_annotation_that_was_dropped_is_listed_with_its_passage_without_an_offset():
    doc, rows = make("Redis is up", ("Redis", "INFRA"))
    (annotations,), _ = locate_rows([doc], [*rows, row("a:1", "up", "?", DROPPED, ["why"])])
    assert ("up", DROPPED, None) in placed(annotations)


def test_a_span_missing_from_the_ledger_is_marked():
    doc, _ = make("Redis is up", ("Redis", "INFRA"))
    (annotations,), _ = locate_rows([doc], [])
    assert placed(annotations) == [("Redis", UNACCOUNTED, 0)]


@pytest.mark.parametrize(
    ("fate", "how"),
    [
        (MERGED, "the same span elsewhere: a:1"),
        (MERGED, "the same answer elsewhere: a:1"),
        (OVERRULED, "kept instead: a:1"),
        (OVERRULED, "the text is annotated in full elsewhere: a:1"),
    ],
)
def test_annotations_of_a_duplicate_are_listed_with_the_passage_that_was_kept(fate, how):
    doc, rows = make("Redis is up", ("Redis", "INFRA"))
    (annotations,), unplaced = locate_rows([doc], [*rows, row("b:7", "Redis", "INFRA", fate, [how])])
    assert (len(annotations), unplaced) == (2, [])


def test_a_duplicate_of_a_duplicate_is_followed_to_the_passage_that_was_kept():
    doc, rows = make("Redis is up", ("Redis", "INFRA"))
    second = row("b:7", "Redis", "INFRA", MERGED, ["the same span elsewhere: a:1"])
    third = row("c:9", "is", "TEAM", MERGED, ["the same span elsewhere: b:7"])
    (annotations,), unplaced = locate_rows([doc], [*rows, second, third])
    assert (len(annotations), unplaced) == (3, [])


def test_duplicates_that_name_each_other_belong_to_no_passage():
    one, other = (row(f"{a}:1", "x", "T", MERGED, [f"the same span elsewhere: {b}:1"]) for a, b in ("bc", "cb"))
    assert locate_rows([], [one, other]) == ([], [one, other])


def test_an_annotation_whose_reason_names_no_passage_is_matched_by_file_and_document():
    doc, _ = make("Redis is up")
    doc.user_data["document"] = "7"
    same, other = (row(f"{file}:2", "up", "TEAM", MASKED, ["1 of 2"], document="7") for file in "ab")
    (annotations,), unplaced = locate_rows([doc], [same, other])
    assert ([one.row for one in annotations], unplaced) == ([same], [other])


def test_rejected_and_unreadable_documents_belong_to_no_passage():
    doc, rows = make("Redis is up", ("Redis", "INFRA"))
    lost = [row("a:2", "Ops", "TEAM", REJECTED), row("a:3", "", "", UNREADABLE_DOCUMENT, ["invalid JSON"])]
    result = inspected((doc, rows), extra=lost)
    assert list(result.unplaced) == lost
    assert result.outcomes() == {IMPORTED: 1, REJECTED: 1, UNREADABLE_DOCUMENT: 1}
