"""Prodigy's answers: manual, yes or no, under review, and what is only a prediction."""

from functools import partial

import pytest
from prodigy_exports import INFRA, TEAM, TEXT, TOKENS, read_row, read_rows, task

from domain_ner.annotations.records import SourceSpan


@pytest.fixture
def read(tmp_path):
    return partial(read_rows, tmp_path)


@pytest.fixture
def read_one(tmp_path):
    return partial(read_row, tmp_path)


def teach(*spans, answer="accept", **changes):
    return task(spans=list(spans), answer=answer, _view_id="ner", **changes)


def test_an_accepted_task_without_spans_is_a_text_without_entities(read_one):
    record = read_one({"text": "Nothing.", "answer": "accept"})
    assert (record.answer, record.spans, record.partial) == ("accepted", (), False)


def test_manual_answers_are_kept_with_their_spans(read):
    records, _ = read(task(), task(answer="reject"), task(answer="ignore"))
    assert [record.answer for record in records] == ["accepted", "rejected", "ignored"]
    assert all(len(record.spans) == 1 and not record.spans[0].rejected for record in records)


def test_a_task_without_answer_is_accepted_with_a_note(read):
    (record,), log = read({"text": TEXT, "spans": [TEAM]})
    assert record.answer == "accepted"
    assert log.notes == ["tasks without `answer` count as accepted"]


@pytest.mark.parametrize("row", [teach(TEAM), task(_is_binary=True)], ids=["ner", "_is_binary"])
def test_an_accepted_yes_no_task_is_partial(read_one, row):
    record = read_one(row)
    assert (record.answer, record.partial) == ("accepted", True)
    assert record.spans == (SourceSpan(0, 8, "TEAM"),)


def test_a_rejected_yes_no_task_is_partial_and_its_span_is_rejected(read_one):
    record = read_one(teach(TEAM, answer="reject"))
    assert (record.answer, record.partial, record.spans[0].rejected) == ("accepted", True, True)


def test_an_ignored_yes_no_task_is_ignored(read_one):
    record = read_one(teach(TEAM, answer="ignore"))
    assert (record.answer, record.spans[0].rejected) == ("ignored", False)


def test_the_answer_of_a_span_overrides_that_of_its_yes_no_task(read):
    spans = [TEAM, INFRA | {"answer": "reject"}, {"start": 9, "end": 13, "label": "INFRA", "answer": "ignore"}]
    (judged, ignored), _ = read(teach(*spans))
    assert [span.rejected for span in judged.spans] == [False, True]
    assert judged.spans[1].repairs == ("the span's own answer overrides the task's: reject / accept",)
    assert (ignored.answer, ignored.spans[0].start) == ("ignored", 9)


OLD = {"text": TEXT, "answer": "accept"}
SCORED = TEAM | {"score": 0.5, "rank": 1}


@pytest.mark.parametrize(
    "row",
    [
        OLD | {"spans": [SCORED], "tokens": TOKENS},
        OLD | {"spans": [TEAM | {"pattern": 3}]},
        OLD | {"spans": [TEAM | {"answer": "accept"}, INFRA]},
    ],
    ids=["score and rank", "pattern without tokens", "answers on spans"],
)
def test_old_yes_no_tasks_are_recognised_by_their_spans(read_one, row):
    assert read_one(row).partial


def test_a_score_left_over_from_a_suggestion_does_not_make_a_manual_task_yes_no(read_one):
    assert not read_one(task(spans=[SCORED])).partial


def test_an_answer_left_over_on_a_span_of_a_manual_task_is_ignored_and_noted(read_one):
    (span,) = read_one(task(spans=[TEAM | {"answer": "reject"}])).spans
    assert (span.rejected, span.repairs) == (False, ("an older answer of the span ignored: reject",))


@pytest.mark.parametrize("row", [task(no_missing=False), task(meta={"no_missing": False})])
def test_a_task_that_says_it_is_incomplete_is_partial(read_one, row):
    assert read_one(row).partial


def test_spans_of_a_choice_are_predictions(read):
    (record,), log = read(task(_view_id="choice"))
    assert (record.answer, len(record.spans)) == ("prediction", 1)
    assert "'choice' does not ask for entities" in log.notes[0]


def test_predictions_are_used_on_request(read_one):
    assert read_one(task(_view_id="choice"), predictions=True).answer == "accepted"


@pytest.mark.parametrize("row", [task(_view_id="classification", spans=[]), OLD | {"label": "SPAM"}])
def test_a_text_that_was_only_classified_is_not_a_text_without_entities(read_one, row):
    assert read_one(row).answer == "not annotated"


def test_spans_of_relations_are_annotations_and_relations_are_noted(read):
    (record,), log = read(task(_view_id="relations", relations=[{"head": 0, "child": 1}]))
    assert (record.answer, len(record.spans), log.notes) == ("accepted", 1, ["relations are not read"])


def test_versions_of_a_reviewed_task_are_not_read(read_one):
    record = read_one(task(_view_id="review", view_id="ner_manual", versions=[task(), task(spans=[INFRA])]))
    assert (len(record.spans), record.partial) == (1, False)


def test_a_reviewed_yes_no_task_is_yes_no(read_one):
    assert read_one(task(_view_id="review", view_id="ner")).partial
