from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.annotations.outcomes import DOUBTFUL, DROPPED, FLATTENED, IMPORTED, MERGED, REJECTED, REPAIRED, Outcome
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.annotations.records import Record, SourceSpan
from domain_ner.conversion.accounts import enter_doc, enter_records
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.ledger_rows import Row
from domain_ner.conversion.spans import Checks, locate_record, locate_records
from domain_ner.corpus.docs import GoldDoc
from domain_ner.corpus.overlaps import corpus_outcomes, flatten

TEXT = "Payments uses  Redis ."
LABELS = ["TEAM", "INFRA"]
REASONS = [[], ["x"], [], []]
SPANS = st.lists(
    st.builds(lambda start, n, label: LabelledSpan(start, start + n, label), st.integers(0, 8), st.integers(1, 5),
              st.sampled_from("ABC")),
    max_size=6, unique=True,
).map(lambda spans: tuple(sorted(spans)))  # fmt: skip


def check(*spans, text=TEXT, labels=None, **fields):
    """(passage, ledger) of a record with these spans."""
    ledger = Ledger()
    record = Record(
        text, tuple(SourceSpan(*span) if isinstance(span, tuple) else span for span in spans), "f", **fields
    )
    located = locate_record(record, Checks(labels=labels))
    enter_records([located], ledger)
    return located.passage, ledger


def test_spans_are_sorted_and_know_their_rows():
    passage, ledger = check((15, 20, "INFRA"), (0, 8, "TEAM"))
    assert passage.spans == (LabelledSpan(0, 8, "TEAM"), LabelledSpan(15, 20, "INFRA"))
    assert passage.rows == (1, 0)
    assert [row.text for row in ledger.rows] == ["Redis", "Payments"]


def test_what_the_export_says_of_a_record_is_passed_on():
    passage, _ = check(line=3, document="7", annotator="a", meta={"org": "x"}, partial=True, unknown=((0, 8),),
                       words=("Payments",), spaces=(True,))  # fmt: skip
    assert (passage.source, passage.document, passage.annotator, passage.meta) == ("f:3", "7", "a", {"org": "x"})
    assert (passage.partial, passage.unknown) == (True, ((0, 8),))
    assert (passage.words, passage.spaces) == (("Payments",), (True,))


def test_outcomes_name_the_rows_that_the_annotations_will_have_in_the_ledger():
    records = [Record(TEXT, tuple(SourceSpan(*span) for span in spans), "f") for spans in (
        [(0, 8, "TEAM"), (0, 99, "TEAM")], [(14, 20, "INFRA"), (0, 8, "TEAM")],
    )]  # fmt: skip
    first, second = locate_records(records, Checks())
    assert first.outcomes == [Outcome(1, DROPPED, "0-99 is outside the text: it has 22 characters")]
    assert (second.passage.rows, second.outcomes) == ((3, 2), [Outcome(2, reason="white space trimmed")])


def test_white_space_at_the_edges_is_trimmed_and_told():
    passage, ledger = check((8, 15, "X"), (13, 21, "INFRA"))
    assert passage.spans == (LabelledSpan(9, 13, "X"), LabelledSpan(15, 20, "INFRA"))
    assert passage.trimmed == (LabelledSpan(8, 15, "X"), LabelledSpan(13, 21, "INFRA"))
    assert [row.reasons for row in ledger.rows] == [["white space trimmed"]] * 2


def test_the_same_span_twice_is_merged_also_where_white_space_made_the_difference():
    passage, ledger = check((15, 20, "INFRA"), (14, 20, "INFRA"), (15, 20, "TEAM"))
    assert len(passage.spans) == 2
    assert [row.outcome for row in ledger.rows] == ["", MERGED, ""]


@pytest.mark.parametrize(
    ("span", "why"),
    [
        ((13, 15, "INFRA"), "it covers only white space"),
        ((0, 8, ""), "its label is '': expected a name"),
        ((0, 8, None), "its label is None: expected a name"),
        ((0, 8, 12), "its label is 12: expected a name"),
        ((0, 8, ["TEAM"]), "its label is ['TEAM']: expected a name"),
        ((0, 8, "ORG"), "label 'ORG' is not in the guide: expected one of TEAM, INFRA"),
        ((0, 99, "TEAM"), "0-99 is outside the text: it has 22 characters"),
        (SourceSpan(0, 8, "TEAM", fault="discontinuous"), "discontinuous"),
    ],
)
def test_a_span_that_cannot_be_used_is_dropped_with_the_reason_and_costs_no_other(span, why):
    passage, ledger = check(span, (15, 20, "INFRA"), labels=LABELS)
    assert passage.spans == (LabelledSpan(15, 20, "INFRA"),)
    assert (ledger.rows[0].outcome, ledger.rows[0].reasons) == (DROPPED, [why])


def test_a_dropped_span_shows_the_words_that_the_export_gave():
    _, ledger = check((0, 99, "TEAM", "Payments"))
    assert ledger.rows[0].text == "Payments"


def test_repairs_of_the_reader_are_in_the_row():
    _, ledger = check(SourceSpan(0, 8, "TEAM", repairs=("I-TEAM after O opens an entity",)))
    assert ledger.rows[0].reasons == ["I-TEAM after O opens an entity"]


def test_rejected_spans_are_no_entities_and_settled():
    passage, ledger = check(SourceSpan(0, 8, "TEAM", rejected=True), (15, 20, "INFRA"))
    assert passage.spans == (LabelledSpan(15, 20, "INFRA"),)
    assert passage.rejected == (LabelledSpan(0, 8, "TEAM"),)
    assert [row.outcome for row in ledger.rows] == [REJECTED, ""]


@pytest.mark.parametrize(("partial", "n_rejected"), [(True, 1), (False, 0)])
def test_what_is_accepted_and_rejected_in_one_record_stays_contested_only_in_yes_no_answers(partial, n_rejected):
    passage, _ = check((0, 8, "TEAM"), SourceSpan(0, 8, "TEAM", rejected=True), partial=partial)
    assert (len(passage.spans), len(passage.rejected)) == (1, n_rejected)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("rejected", "rejected by the annotator"),
        ("ignored", "ignored by the annotator"),
        ("cancelled", "cancelled"),
        ("prediction", "prediction"),
        ("not annotated", "ignored by the annotator"),
    ],
)
def test_records_that_nobody_accepted_are_counted_and_left_out(answer, outcome):
    passage, ledger = check((0, 8, "TEAM"), (0, 99, "TEAM"), answer=answer)
    assert passage is None
    assert [row.outcome for row in ledger.rows] == [outcome, outcome]
    assert ledger.documents == {answer: 1}


def overlap(one, other):
    return one.start < other.end and other.start < one.end


def wins(one, other, rule):
    """Whether `one` is taken before `other`, said of two spans."""
    size, of_other = one.end - one.start, other.end - other.start
    if rule == "longest" and size != of_other:
        return size > of_other
    if rule == "innermost" and size != of_other:
        return size < of_other
    if rule == "first" and one.start != other.start:
        return one.start < other.start
    if rule == "priority" and one.label != other.label:
        return "CAB".index(one.label) < "CAB".index(other.label)
    return size > of_other if rule in ("first", "priority") and size != of_other else one < other


@given(SPANS, st.sampled_from(["longest", "innermost", "first", "priority"]))
def test_flatten_is_the_one_choice_in_which_what_is_left_out_loses_to_something_kept(spans, rule):
    """Brute force over all subsets: none overlap, and each span left out overlaps a kept one that wins over it."""
    stable = [
        list(kept)
        for n in range(len(spans) + 1)
        for kept in combinations(range(len(spans)), n)
        if not any(overlap(spans[one], spans[other]) for one, other in combinations(kept, 2))
        and all(
            any(overlap(spans[left], spans[k]) and wins(spans[k], spans[left], rule) for k in kept)
            for left in range(len(spans))
            if left not in kept
        )
    ]
    assert [flatten(Passage("", spans, "f"), rule, "CAB")] == stable


def test_a_label_without_priority_comes_last():
    spans = (LabelledSpan(0, 9, "OTHER"), LabelledSpan(0, 4, "TEAM"))
    assert flatten(Passage("", spans, "f"), "priority", LABELS) == [1]


def test_spans_that_touch_do_not_overlap():
    spans = (LabelledSpan(0, 4, "A"), LabelledSpan(4, 8, "A"))
    assert flatten(Passage("", spans, "f"), "longest") == [0, 1]


def test_what_is_in_the_corpus_is_imported_repaired_doubtful_or_flattened():
    ledger = Ledger()
    rows = tuple(ledger.open(Row("f", "", "", n, n + 1, "A", "", reasons=given)) for n, given in enumerate(REASONS))
    ledger.settle(3, DOUBTFUL, "slip")
    spans = tuple(LabelledSpan(n, n + 1, "A") for n in range(4))
    made = GoldDoc(None, list(corpus_outcomes(Passage("", spans, "f", rows=rows), [0, 1, 3])))
    enter_doc(made, ledger, split="dev")
    assert [row.outcome for row in ledger.rows] == [IMPORTED, REPAIRED, FLATTENED, DOUBTFUL]
    assert {row.split for row in ledger.rows} == {"dev"}


def test_where_an_annotation_is_dropped_nothing_is_known():
    record = Record("see Redis now", (SourceSpan(4, 9, "DB"),), "a", 1)
    passage = locate_record(record, Checks(labels=["INFRA"])).passage
    assert (passage.spans, passage.unknown) == ((), ((4, 9),))
