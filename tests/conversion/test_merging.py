import pytest

from domain_ner.annotations.outcomes import (
    ANSWERED,
    BY_VOTE,
    GATHERED,
    IMPORTED,
    MASKED,
    MERGED,
    NO_TEXT,
    OTHER_ANNOTATOR,
    OVERRULED,
    REJECTED,
    SAME_ANNOTATOR,
    UNNAMED,
    LeftOutDocument,
    Outcome,
)
from domain_ner.annotations.passages import LabelledSpan
from domain_ner.annotations.records import Record, SourceSpan
from domain_ner.conversion.accounts import enter_doc, enter_merged, enter_records
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.merging import MergeRules, merge
from domain_ner.conversion.spans import Checks, locate_record
from domain_ner.corpus.docs import GoldDoc
from domain_ner.corpus.overlaps import corpus_outcomes, flatten

TEXT = "Payments uses Redis and Kafka"
TEAM, REDIS, KAFKA = LabelledSpan(0, 8, "TEAM"), LabelledSpan(14, 19, "INFRA"), LabelledSpan(24, 29, "INFRA")


class Case:
    """Annotations of one text, read one after the other, and what merging made of them."""

    def __init__(self):
        self.ledger = Ledger()
        self.passages = []

    def add(self, *spans, by="", rejected=(), **fields):
        line = len(self.passages) + 1
        source = [
            SourceSpan(span.start, span.end, span.label, rejected=span in rejected) for span in (*spans, *rejected)
        ]
        fields = {"text": TEXT, "spans": tuple(source), "file": "f", "line": line, "annotator": by} | fields
        located = locate_record(Record(**fields), Checks(), n_rows=len(self.ledger.rows))
        self.passages += enter_records([located], self.ledger)
        return self

    def yes(self, *spans, by=""):
        return self.add(*spans, by=by, partial=True)

    def no(self, *spans, by=""):
        return self.add(rejected=spans, by=by, partial=True)

    def merge(self, **rules):
        self.merged, self.conflicts = enter_merged(merge(self.passages, MergeRules(**rules)), self.ledger)
        for passage in self.merged:
            kept = flatten(passage, "longest")
            enter_doc(GoldDoc(None, list(corpus_outcomes(passage, kept))), self.ledger, split="train")
        self.ledger.check_balance()
        self.outcomes = [row.outcome for row in self.ledger.rows]
        return self

    @property
    def passage(self):
        (passage,) = self.merged
        return passage


def test_texts_stay_in_the_order_they_were_read():
    case = Case().add(text="b", spans=()).add(text="a", spans=()).add(text="b", spans=()).merge()
    assert [passage.text for passage in case.merged] == ["b", "a"]


def test_equal_annotations_are_one():
    case = Case().add(TEAM, REDIS, by="ann").add(REDIS, TEAM, by="bob").merge()
    assert (case.passage.spans, case.conflicts) == ((TEAM, REDIS), ())
    assert case.outcomes == [IMPORTED, IMPORTED, MERGED, MERGED]


def test_each_text_comes_with_what_became_of_its_own_annotations_alone():
    case = Case().add(TEAM, by="ann").add(text="b", spans=()).add(TEAM, REDIS, by="bob").add(text=" ", spans=())
    empty, first, second = merge(case.passages, MergeRules(prefer=["*"]))
    assert (empty.passage, empty.left_out) == (None, [LeftOutDocument("f:4", NO_TEXT)])
    assert first.outcomes == [
        Outcome(1, MERGED, "the same span elsewhere: f:1"), Outcome(2, OVERRULED, "kept instead: f:1"),
    ]  # fmt: skip
    assert first.left_out == [LeftOutDocument("f:3", OTHER_ANNOTATOR, "f:1")]
    assert (second.passage.text, second.outcomes, second.left_out) == ("b", [], [])


def test_that_nothing_was_found_is_an_annotation_that_can_differ():
    assert len(Case().add(TEAM).add().merge().conflicts) == 1


def test_differing_annotations_are_a_conflict_that_cites_both_and_the_difference():
    case = Case().add(TEAM, by="ann").add(TEAM, REDIS, by="bob").merge()
    (conflict,) = case.conflicts
    assert conflict.startswith("f:2: same text as f:1 with other spans (only one of them has 'Redis' as INFRA)")
    assert "vars.prefer" in conflict
    assert case.outcomes == [IMPORTED, MERGED, OVERRULED]


def test_each_differing_version_is_a_conflict_of_its_own():
    assert len(Case().add(TEAM).add(REDIS).add(TEAM).add(KAFKA).merge().conflicts) == 2


@pytest.mark.parametrize(
    ("prefer", "kept"), [(["bob"], REDIS), (["eve", "bob"], REDIS), (["cy", "bob"], KAFKA), (["*"], TEAM)]
)
def test_the_preferred_annotator_is_kept(prefer, kept):
    case = Case().add(TEAM, by="ann").add(REDIS, by="bob").add(KAFKA, by="cy").merge(prefer=prefer)
    assert (case.passage.spans, case.conflicts) == ((kept,), ())
    assert sorted(case.outcomes) == sorted([IMPORTED, OVERRULED, OVERRULED])


def test_a_preference_before_anyone_goes_first():
    case = Case().add(TEAM, by="ann").add(REDIS, by="bob").merge(prefer=["bob", "*"])
    assert case.passage.spans == (REDIS,)


def test_where_no_preferred_annotator_annotated_it_is_a_conflict():
    assert len(Case().add(TEAM, by="ann").add(REDIS, by="bob").merge(prefer=["eve"]).conflicts) == 1


def test_a_preferred_annotator_who_contradicts_herself_decides_nothing():
    case = Case().add(TEAM, by="ann").add(REDIS, by="ann").merge(prefer=["ann"])
    assert len(case.conflicts) == 1
    assert Case().add(TEAM, by="ann").add(REDIS, by="ann").merge(prefer=["ann", "*"]).conflicts == ()


def test_majority_keeps_what_more_than_half_marked():
    case = Case().add(TEAM, REDIS, by="a").add(TEAM, REDIS, by="b").add(TEAM, KAFKA, by="c").merge(conflicts="majority")
    assert (case.passage.spans, case.passage.unknown, case.conflicts) == ((TEAM, REDIS), (), ())
    assert case.passage.annotator == "a+b+c"
    assert case.outcomes == [IMPORTED, IMPORTED, MERGED, MERGED, MERGED, OVERRULED]


def test_what_half_of_them_marked_is_unknown():
    case = Case().add(TEAM, REDIS, by="a").add(TEAM, by="b").merge(conflicts="majority")
    assert (case.passage.spans, case.passage.unknown) == ((TEAM,), ((14, 19),))
    assert case.outcomes == [IMPORTED, MASKED, MERGED]


def test_a_copy_of_an_annotation_is_no_second_vote():
    case = Case().add(TEAM, by="a").add(TEAM, by="a").add(by="b").merge(conflicts="majority")
    assert (case.passage.spans, case.passage.unknown) == ((), ((0, 8),))
    assert case.outcomes == [MASKED, MERGED]


def test_annotators_without_names_are_different_people():
    assert Case().add(TEAM).add(TEAM).add().merge(conflicts="majority").passage.spans == (TEAM,)


def test_unknown_keeps_what_all_marked_and_masks_the_rest():
    case = Case().add(TEAM, REDIS, by="a").add(TEAM, KAFKA, by="b").add(TEAM, by="c").merge(conflicts="unknown")
    assert (case.passage.spans, case.passage.unknown) == ((TEAM,), ((14, 19), (24, 29)))
    assert case.outcomes == [IMPORTED, MASKED, MERGED, MASKED, MERGED]


def test_one_range_with_two_labels_is_masked_once():
    service = LabelledSpan(0, 8, "SERVICE")
    case = Case().add(TEAM, by="a").add(service, by="b").merge(conflicts="unknown")
    assert (case.passage.spans, case.passage.unknown) == ((), ((0, 8),))


def test_what_the_first_left_unknown_stays_so():
    case = Case().add(TEAM, by="a", unknown=((24, 29),)).add(by="b").merge(conflicts="unknown")
    assert case.passage.unknown == ((0, 8), (24, 29))


def test_yes_no_answers_on_a_text_are_gathered_into_one_partial_passage():
    case = Case().yes(REDIS).no(KAFKA).yes(TEAM).merge()
    assert (case.passage.spans, case.passage.rejected, case.passage.partial) == ((TEAM, REDIS), (KAFKA,), True)
    assert case.outcomes == [IMPORTED, REJECTED, IMPORTED]
    assert [case.ledger.rows[row].start for row in case.passage.rows] == [0, 14]


def test_the_same_answer_twice_counts_once():
    case = Case().yes(REDIS).yes(REDIS).no(KAFKA).no(KAFKA).merge()
    assert (case.passage.spans, case.passage.rejected) == ((REDIS,), (KAFKA,))
    assert case.outcomes == [IMPORTED, MERGED, REJECTED, REJECTED]


@pytest.mark.parametrize("order", ["yes no yes", "no yes yes", "yes yes no"])
def test_contested_answers_are_unknown_in_whatever_order_they_came(order):
    case = Case()
    for answer in order.split():
        getattr(case, answer)(REDIS)
    case.yes(TEAM).merge()
    assert (case.passage.spans, case.passage.rejected) == ((TEAM,), ())
    assert sorted(case.outcomes) == sorted([MASKED, MASKED, REJECTED, IMPORTED])


def test_the_same_words_with_another_label_are_another_question():
    service = LabelledSpan(0, 8, "SERVICE")
    case = Case().yes(TEAM).no(service).merge()
    assert (case.passage.spans, case.passage.rejected) == ((TEAM,), (service,))


def test_a_full_annotation_stands_before_yes_no_answers():
    case = Case().yes(REDIS, KAFKA).add(TEAM, REDIS, by="ann").no(TEAM).merge()
    assert (case.passage.spans, case.passage.partial, case.conflicts) == ((TEAM, REDIS), False, ())
    assert case.outcomes == [MERGED, OVERRULED, IMPORTED, IMPORTED, REJECTED]


def test_what_a_vote_accepts_is_not_rejected_too():
    case = Case().add(rejected=[TEAM], by="a").add(TEAM, by="b").add(TEAM, by="c").merge(conflicts="majority")
    assert (case.passage.spans, case.passage.rejected) == ((TEAM,), ())


def left_out(case):
    return [(source, reason, kept) for source, reason, kept in case.ledger.left_out]


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [("ann", "ann", SAME_ANNOTATOR), ("ann", "bob", OTHER_ANNOTATOR), ("ann", "", UNNAMED), ("", "", UNNAMED)],
)
def test_of_the_same_text_twice_it_is_said_which_is_left_out_and_why(first, second, reason):
    case = Case().add(TEAM, by=first).add(TEAM, by=second).merge(prefer=["*"])
    assert left_out(case) == [("f:2", reason, "f:1")]


def test_versions_put_to_the_vote_and_copies_of_one_are_told_apart():
    case = Case().add(TEAM, by="ann").add(TEAM, by="ann").add(REDIS, by="bob").merge(conflicts="unknown")
    assert left_out(case) == [("f:2", SAME_ANNOTATOR, "f:1"), ("f:3", BY_VOTE, "f:1")]


def test_yes_no_answers_are_accounted_for_too():
    assert left_out(Case().yes(TEAM).no(REDIS).merge()) == [("f:2", GATHERED, "f:1")]
    assert left_out(Case().yes(TEAM).add(TEAM).merge()) == [("f:1", ANSWERED, "f:2")]


@pytest.mark.parametrize("text", ["", " \n "])
def test_a_document_without_text_is_no_passage(text):
    case = Case().add(text=text).add(TEAM).merge()
    assert [passage.source for passage in case.merged] == ["f:2"]
    assert left_out(case) == [("f:1", NO_TEXT, "")]
