import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.annotations.outcomes import DROPPED, IMPORTED, KEPT, OUTCOMES, PREDICTION
from domain_ner.annotations.records import Problem, Record, SourceSpan
from domain_ner.conversion.accounts import enter_doc, enter_merged, enter_records
from domain_ner.conversion.ledger import Ledger, Loss
from domain_ner.conversion.ledger_rows import Row
from domain_ner.conversion.merging import CONFLICT_RULES, MergeRules, merge
from domain_ner.conversion.spans import Checks, locate_records
from domain_ner.corpus.docs import GoldDoc
from domain_ner.corpus.overlaps import corpus_outcomes, flatten
from domain_ner.errors import DomainNerError

LABELS = ["TEAM", "INFRA"]
TEXTS = ["Redis runs", " 🔥 Redis\r\nand\nKafka ", "e\u0301te\u0301 👩‍👩‍👧\u2028Flink", "\ud83d half", "", "  "]
OFFSETS = st.one_of(
    st.integers(-2, 30), st.sampled_from([None, "3", 2.0, True, 10**20, [1]]), st.integers(0, 12), st.integers(0, 12)
)
SPANS = st.builds(
    SourceSpan,
    OFFSETS,
    OFFSETS,
    st.sampled_from([*LABELS * 3, "ORG", None, 12, "", {"a": 1}]),
    text=st.one_of(st.none(), st.sampled_from(["Redis", "Kafka", "x", "", " ", "🔥", 7])),
    rejected=st.booleans(),
    repairs=st.sampled_from([(), ("I- after O opens an entity",)]),
    fault=st.sampled_from(["", "", "", "discontinuous"]),
)
RECORDS = st.builds(
    Record,
    st.sampled_from(TEXTS),
    st.lists(SPANS, max_size=4).map(tuple),
    st.sampled_from(["a.jsonl", "b:c.jsonl"]),
    line=st.integers(0, 3),
    answer=st.sampled_from(["accepted"] * 5 + ["rejected", "ignored", "cancelled", "prediction", "not annotated"]),
    annotator=st.sampled_from(["", "ann", "bob"]),
    partial=st.booleans(),
    unit=st.sampled_from([None, "codepoint", "utf16", "grapheme", "byte"]),
)
RULES = st.builds(MergeRules, st.sampled_from([(), ("ann",), ("*",)]), st.sampled_from(CONFLICT_RULES))


def convert(records, rules=MergeRules(), overlaps="longest"):  # noqa: B008
    """(ledger, merged passages) of records, taken all the way to the corpus."""
    ledger = Ledger()
    passages = enter_records(locate_records(records, Checks(labels=LABELS)), ledger)
    merged, _ = enter_merged(merge(passages, rules), ledger)
    for passage in merged:
        kept = flatten(passage, overlaps, LABELS)
        enter_doc(GoldDoc(None, list(corpus_outcomes(passage, kept))), ledger, split="train")
    return ledger, merged


@given(st.lists(RECORDS, max_size=6), RULES, st.sampled_from(["longest", "innermost", "first", "priority"]))
def test_every_annotation_gets_one_row_and_one_known_outcome_whatever_the_files_hold(records, rules, overlaps):
    ledger, merged = convert(records, rules, overlaps)
    ledger.check_balance()
    assert [(row.start, row.end, row.label) for row in ledger.rows] == [
        (span.start, span.end, span.label) for record in records for span in record.spans
    ]
    assert all(row.outcome in OUTCOMES for row in ledger.rows)
    assert all(row.reasons for row in ledger.rows if row.outcome not in (IMPORTED, PREDICTION, *_DECIDED))
    in_corpus = [row for passage in merged for row in passage.rows]
    assert len(in_corpus) == len(set(in_corpus))
    assert {n for n, row in enumerate(ledger.rows) if row.outcome in KEPT} == set(in_corpus)
    assert sum(ledger.documents.values()) == len(records)
    assert ledger.passages["in the corpus"] == len(merged) == ledger.documents["accepted"] - len(ledger.left_out)


_DECIDED = ("rejected by the annotator", "ignored by the annotator", "cancelled")


@given(st.lists(RECORDS, max_size=6))
def test_every_row_can_be_written(records):
    ledger, _ = convert(records)
    written = "".join(f"{line}\n" for line in ledger.to_jsonl()).encode("utf-8")
    lines = written.decode().split("\n")[:-1]
    assert [json.loads(line)["fate"] for line in lines] == [row.outcome for row in ledger.rows]


@given(st.lists(RECORDS, max_size=4), RULES)
def test_spans_in_the_corpus_lie_in_the_text_and_have_no_outer_white_space(records, rules):
    for passage in convert(records, rules)[1]:
        for span in passage.spans:
            words = passage.text[span.start : span.end]
            assert 0 <= span.start < span.end <= len(passage.text)
            assert words == words.strip()
            assert span.label in LABELS
        assert list(passage.spans) == sorted(set(passage.spans))


def good_ledger(n=3):
    spans = tuple(SourceSpan(start, start + 1, "TEAM") for start in range(n))
    return convert([Record("abcdef", spans, "a.jsonl", line=1)])[0]


def test_the_balance_fails_when_a_row_is_missing():
    ledger = good_ledger()
    ledger.n_read["a.jsonl"] += 1
    with pytest.raises(DomainNerError, match="4 annotations read, 3 accounted for"):
        ledger.check_balance()


def test_the_balance_fails_when_an_annotation_was_accounted_for_twice():
    ledger = good_ledger()
    ledger.open(ledger.rows[0])
    with pytest.raises(DomainNerError, match="3 annotations read, 4 accounted for"):
        ledger.check_balance()


def test_the_balance_fails_when_a_document_is_not_accounted_for():
    ledger = good_ledger()
    ledger.documents["accepted"] += 1
    with pytest.raises(DomainNerError, match="2 accepted, but 1 in the corpus"):
        ledger.check_balance()


@pytest.mark.parametrize("outcome", ["", "gone"])
def test_the_balance_fails_when_a_row_has_no_known_outcome(outcome):
    ledger = good_ledger()
    ledger.settle(1, outcome)
    with pytest.raises(DomainNerError, match=r"1 of them without an outcome; the first: a.jsonl:1 'b'"):
        ledger.check_balance()


def test_the_last_word_counts_but_nothing_undoes_dropped():
    ledger = Ledger()
    number = ledger.open(Row("f:1", "", "", 0, 1, "A", "x"))
    ledger.settle(number, IMPORTED)
    ledger.settle(number, DROPPED, "inside a token")
    ledger.settle(number, IMPORTED, "later")
    assert (ledger.rows[0].outcome, ledger.rows[0].reasons) == (DROPPED, ["inside a token", "later"])


def test_the_loss_is_of_what_people_accepted():
    ledger = good_ledger(4)
    ledger.settle(0, DROPPED, "why")
    ledger.settle(1, PREDICTION)
    assert ledger.losses_by_kind()[0] == Loss("annotations", 1, 3)


def test_each_kind_of_loss_is_measured_by_its_own_kind():
    ledger = good_ledger()
    ledger.n_tokens = 47_000
    for n in range(33):
        ledger.add_problem(f"a.conll:{n}", Problem(n, "no valid tag", "token"))
    ledger.add_problem("a.jsonl:2", Problem(2, "invalid JSON"))
    assert [str(loss) for loss in ledger.losses_by_kind()] == [
        "0.00% of the annotations (0 of 3)", "50.00% of the documents (1 of 2)", "0.07% of the tokens (33 of 47,000)",
    ]  # fmt: skip
    assert next(ledger.losses()) == "a.jsonl:2: invalid JSON"
    assert ledger.documents == {"accepted": 1, "unreadable": 1}
    ledger.require_loss_below(0.5)
    with pytest.raises(
        DomainNerError, match=r"^50.00% of the documents \(1 of 2\) would be lost; vars.max_loss allows at most 49.00%"
    ):
        ledger.require_loss_below(0.49)
    with pytest.raises(
        DomainNerError, match=r"^50.00% of the documents \(1 of 2\) and 0.07% of the tokens \(33 of 47,0"
    ):
        ledger.require_loss_below(0)


@pytest.mark.parametrize(
    ("n_behind", "told"),
    [
        (599, "a.json:602: JSON is broken; estimated loss: 599 documents"),
        (1, "a.json:602: JSON is broken; estimated loss: 1 document"),
        (None, "a.json:602: JSON is broken; what followed is missing, and its amount is unknown"),
    ],
)
def test_a_file_that_was_not_read_to_its_end_stops_whatever_may_be_lost(n_behind, told):
    ledger = good_ledger()
    ledger.add_problem("a.json:602", Problem(602, "JSON is broken", "rest", n_behind))
    assert (list(ledger.losses()), ledger.documents["unreadable"]) == ([told], 0)
    with pytest.raises(DomainNerError) as error:
        ledger.require_loss_below(1.0)
    assert error.value.message.split("\n") == [
        "1 file could not be read to the end (vars.max_loss does not allow this):", f"  {told}",
    ]  # fmt: skip


def test_nothing_read_is_no_loss():
    assert {loss.share for loss in Ledger().losses_by_kind()} == {0.0}
    Ledger().require_loss_below(0)


def test_a_loss_above_the_limit_is_listed_and_counted():
    ledger = Ledger()
    for n in range(25):
        number = ledger.open(Row(f"f:{n}", "", "", n, n + 1, "A", "x"))
        ledger.settle(number, DROPPED if n else IMPORTED, "outside the text" if n else "")
    ledger.require_loss_below(0.96)
    with pytest.raises(DomainNerError) as error:
        ledger.require_loss_below(0.5)
    assert (
        "96.00% of the annotations (24 of 25) would be lost; vars.max_loss allows at most 50.00%" in error.value.message
    )
    assert "  f:1: 'x' (A, 1-2): outside the text (and 23 more like it: f:2, f:3, f:4 …)" in error.value.message


def test_losses_for_one_reason_are_one_line_and_each_unknown_label_is_its_own():
    ledger = good_ledger(6)
    for number, reason in enumerate(["0-9 is outside the text: it has 3", "4-8 is outside the text: it has 5"]):
        ledger.settle(number, DROPPED, reason)
    for number, label in [(2, "ORG"), (3, "PER"), (4, "ORG")]:
        ledger.settle(number, DROPPED, f"label {label!r} is not in the guide: expected one of TEAM")
    ledger.lost_documents += [("b:1", "JSON ends at 7"), ("b:2", "JSON ends at 9")]
    folded = ledger.grouped_losses()
    assert len(folded) == 4
    assert folded[0] == "b:1: JSON ends at 7 (and 1 more like it: b:2)"
    assert [line.partition("label ")[2][:5] for line in folded[2:]] == ["'ORG'", "'PER'"]
    ledger.unknown |= {"ORG": "", "PER": "PERSON"}
    with pytest.raises(DomainNerError, match="(?s)Add a correct label to `types`.*labels: 'ORG=… PER=PERSON'"):
        ledger.require_loss_below(0)


def test_reasons_are_counted_without_their_details():
    ledger = good_ledger(2)
    for number in (0, 1):
        ledger.settle(number, DROPPED, f"outside the text: {number}")
    assert ledger.reasons() == {(DROPPED, "outside the text"): 2}


def test_what_is_empty_is_left_out_of_a_written_row():
    written = json.loads(next(iter(good_ledger().to_jsonl())))
    assert written == {"source": "a.jsonl:1", "start": 0, "end": 1, "label": "TEAM", "text": "a", "fate": "imported",
                       "split": "train"}  # fmt: skip


@pytest.mark.parametrize("half", ["\ud83d", "\udd25"])
def test_half_a_surrogate_pair_is_written_as_its_escape(half):
    row = Row("f:1", "", "", 0, 1, "A", f"{half}é", outcome=IMPORTED)
    (line,) = Ledger([row]).to_jsonl()
    assert json.loads(line.encode("utf-8"))["text"] == f"{half}é"


@pytest.mark.parametrize("label", [{"TEAM"}, b"TEAM", ...])
def test_what_json_does_not_know_is_written_as_python_shows_it(label):
    (line,) = Ledger([Row("f:1", "", "", 0, 1, label, "x", outcome=DROPPED)]).to_jsonl()
    assert json.loads(line)["label"] == repr(label)


def test_an_unreadable_document_or_token_is_a_line_too():
    ledger = Ledger(lost_documents=[("a.jsonl:2", "JSON ends early")])
    ledger.add_problem("b.conll:3", Problem(3, "no valid tag", "token"))
    assert list(map(json.loads, ledger.to_jsonl())) == [
        {"source": "a.jsonl:2", "fate": "unreadable document", "how": ["JSON ends early"]},
        {"source": "b.conll:3", "fate": "unreadable token", "how": ["no valid tag"]},
    ]
