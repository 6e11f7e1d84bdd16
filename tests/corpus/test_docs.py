from time import perf_counter

import numpy as np
import pytest
import spacy
from spacy.tokens import DocBin, Span, SpanGroup

from domain_ner.annotations.outcomes import DROPPED, FLATTENED, IMPORTED, REPAIRED, Outcome
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.conversion.accounts import enter_doc
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.ledger_rows import Row
from domain_ner.corpus.docs import DocRules, groups_of, make_doc, normalize, span_scores, to_docbin
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.writers.passages import to_passage

ENGLISH = spacy.blank("en")


def tokenizer(**settings):
    return create_tokenizer(**settings)(ENGLISH)


def passage(text, *found, ledger=None, **fields):
    """found: (surface, label) in the order of the text."""
    spans = tuple(sorted(LabelledSpan(text.index(s), text.index(s) + len(s), label) for s, label in found))
    if ledger is not None:
        fields["rows"] = tuple(ledger.open(Row("a:1", "", "", s.start, s.end, s.label, "")) for s in spans)
    return Passage(text, spans, "a:1", **fields)


def make(text, *found, rules=None, **fields):
    ledger = Ledger()
    made = make_doc(passage(text, *found, ledger=ledger, **fields), rules or DocRules(tokenizer()))
    return enter_doc(made, ledger, split="train"), [row.outcome for row in ledger.rows]


def ents(doc):
    return [(ent.text, ent.label_) for ent in doc.ents]


def tags(doc):
    return [token.ent_iob_ for token in doc]


def test_entities_and_where_they_come_from_survive_the_docbin():
    doc, outcomes = make("Redis is up.", ("Redis", "INFRA"), meta={"org": "x"}, document="7", annotator="ann")
    (read,) = DocBin().from_bytes(to_docbin([doc]).to_bytes()).get_docs(spacy.blank("en").vocab)
    assert (ents(read), outcomes) == ([("Redis", "INFRA")], [IMPORTED])
    assert read.user_data == {"source": "a:1", "meta": {"org": "x"}, "document": "7", "annotator": "ann"}


def test_a_document_is_of_the_group_that_its_passage_is_of():
    docs = [make("a", meta={"org": org}, document="7")[0] for org in (1, 1.0, "01", None)]
    assert groups_of(docs, "org") == ["1", "1", "01", ""]
    assert groups_of(docs, "document") == ["7"] * 4


def test_no_spans_is_outside_not_missing():
    doc, _ = make("Nothing here")
    assert tags(doc) == ["O", "O"]


def test_of_yes_no_answers_the_rest_is_missing_and_the_rejected_are_kept():
    rejected = (LabelledSpan(9, 12, "ORG"),)
    doc, _ = make("Anna met Bob in Rome", ("Anna", "PER"), partial=True, rejected=rejected)
    assert tags(doc) == ["B", "", "", "", ""]
    assert [(span.text, span.label_) for span in doc.spans["incorrect_spans"]] == [("Bob", "ORG")]


def test_unknown_ranges_are_missing_the_others_outside():
    doc, _ = make("Anna met Bob", ("Anna", "PER"), unknown=((9, 12),))
    assert tags(doc) == ["B", "O", ""]


def test_nested_spans_are_all_in_doc_spans_and_the_longest_in_ents():
    doc, outcomes = make("University of Bonn", ("University of Bonn", "ORG"), ("Bonn", "LOC"))
    assert ents(doc) == [("University of Bonn", "ORG")]
    assert [span.text for span in doc.spans["sc"]] == ["University of Bonn", "Bonn"]
    assert outcomes == [IMPORTED, FLATTENED]


@pytest.mark.parametrize(
    ("rule", "kept"), [("innermost", "LOC"), ("longest", "ORG"), ("first", "ORG"), ("priority", "LOC")]
)
def test_the_rule_decides_which_of_overlapping_spans_is_an_entity(rule, kept):
    rules = DocRules(tokenizer(), overlaps=rule, labels=["LOC", "ORG"])
    doc, _ = make("University of Bonn", ("University of Bonn", "ORG"), ("Bonn", "LOC"), rules=rules)
    assert [ent.label_ for ent in doc.ents] == [kept]


def test_a_gold_token_is_split_where_a_span_starts_or_ends():
    doc, outcomes = make("see UNION2024 now", ("UNION", "ORG"))
    assert [token.text for token in doc] == ["see", "UNION", "2024", "now"]
    assert (doc.text, ents(doc), outcomes) == ("see UNION2024 now", [("UNION", "ORG")], [REPAIRED])


@pytest.mark.parametrize(("rule", "found"), [("expand", ["UNION2024"]), ("contract", []), ("drop", [])])
def test_other_rules_move_or_drop_the_span(rule, found):
    doc, (outcome,) = make("see UNION2024 now", ("UNION", "ORG"), rules=DocRules(tokenizer(), misaligned=rule))
    assert [ent.text for ent in doc.ents] == found
    assert outcome == (REPAIRED if found else DROPPED)


def test_two_spans_that_expand_to_one_are_one_and_the_other_is_told():
    rules = DocRules(tokenizer(), misaligned="expand")
    doc, outcomes = make("UNION2024", ("UNION", "ORG"), ("2024", "ORG"), rules=rules)
    assert (len(doc.ents), sorted(outcomes)) == (1, [DROPPED, REPAIRED])


def test_each_annotation_is_told_what_became_of_it_repairs_first():
    spans = (LabelledSpan(4, 9, "ORG"), LabelledSpan(4, 13, "ORG"), LabelledSpan(14, 17, "LOC"))
    made = make_doc(Passage("see UNION2024 now", spans, "a:1", rows=(5, 7, 2)), DocRules(tokenizer()))
    assert made.outcomes == [
        Outcome(5, reason="token split only in the gold document: 'UNION'"),
        Outcome(5, FLATTENED, "overlap, only in doc.spans"),
        Outcome(7, IMPORTED),
        Outcome(2, IMPORTED),
    ]


def test_tokens_whose_spacing_is_unknown_are_kept():
    doc, _ = make("can not U.N.", ("U.N.", "ORG"), words=("can", "not", "U.N."))
    assert [token.text for token in doc] == ["can", "not", "U.N."]
    assert doc.has_unknown_spaces


def test_a_split_token_keeps_the_text_where_spacing_is_unknown():
    doc, _ = make("near Berlin-based firms", ("Berlin", "ORG"), words=("near", "Berlin-based", "firms"))
    assert [token.text for token in doc] == ["near", "Berlin", "-based", "firms"]
    assert doc.text.rstrip() == "near Berlin-based firms" and ents(doc) == [("Berlin", "ORG")]


def test_normalised_text_keeps_the_original_and_the_way_back():
    text = "The\u00a0 Redis\n\ncache"
    tokenize = tokenizer(normalize="whitespace")
    doc, _ = make(text, ("Redis\n\ncache", "INFRA"), rules=DocRules(tokenize, normalize="whitespace"))
    assert (doc.text, ents(doc)) == ("The Redis cache", [("Redis cache", "INFRA")])
    (ent,) = doc.ents
    assert doc._.original_text == text
    assert text[ent._.original_start : ent._.original_end] == "Redis\n\ncache"
    predicted = tokenize(text)
    assert [token.text for token in predicted] == [token.text for token in doc]


def test_normalising_leaves_regular_text_alone():
    regular = passage("Redis is up", ("Redis", "INFRA"))
    assert normalize(regular) is regular


def test_the_tokens_of_a_dropped_span_are_missing_not_outside():
    doc, _ = make("see UNION2024 now", ("UNION", "ORG"), rules=DocRules(tokenizer(), misaligned="drop"))
    assert tags(doc) == ["O", "", "O"]


def test_a_long_document_with_an_edge_inside_many_tokens_takes_no_time_to_speak_of():
    text = "UNION2024 " * 20_000
    spans = tuple(LabelledSpan(10 * n, 10 * n + 5, "ORG") for n in range(20_000))
    given = Passage(
        text, spans, "a:1", rows=tuple(range(20_000)), unknown=tuple((10 * n + 5, 10 * n + 9) for n in range(20_000))
    )
    start = perf_counter()
    doc = make_doc(given, DocRules(tokenizer())).doc
    assert len(doc.ents) == 20_000
    assert [token.ent_iob_ for token in doc[:3]] == ["B", "", "B"]
    assert perf_counter() - start < 60


@pytest.mark.parametrize("scores", [np.array([0.7, 0.2]), np.array([[0.7], [0.2]]), [0.7, 0.2]])
def test_scores_of_a_spancat_whatever_their_shape(scores):
    doc = spacy.blank("en").make_doc("Bank of Oslo")
    spans = [Span(doc, 0, 3, label="ORG"), Span(doc, 2, 3, label="LOC")]
    doc.spans["sc"] = SpanGroup(doc, spans=spans, attrs={"scores": scores})
    assert [(span.label_, score) for span, score in span_scores(doc)] == [("ORG", 0.7), ("LOC", 0.2)]
    assert to_passage(doc, "").meta["score"] == pytest.approx(0.45)
    doc.spans["sc"].attrs.clear()
    assert span_scores(doc) == []
