import json

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.training import Example

from domain_ner.annotations.doc_keys import REJECTED_KEY
from domain_ner.crf_ner.targets import known_tags
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import (
    _judge,
    compare_calibration,
    evaluate_doc,
    evaluate_pipeline,
    load_pipeline,
    make_example,
    read_docs,
    to_metrics,
    uncalibrated,
    verdict,
)
from domain_ner.metrics.scores import Score, score_entities


@pytest.fixture
def nlp():
    """A rule pipeline that finds Redis and Kafka, and takes Payments for INFRA."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "INFRA", "pattern": name} for name in ("Redis", "Kafka", "Payments")])
    return nlp


def gold(nlp, text, *entities):
    doc = nlp.make_doc(text)
    doc.ents = [
        doc.char_span(text.index(surface), text.index(surface) + len(surface), label) for surface, label in entities
    ]
    return doc


def test_scores_what_the_pipeline_predicts_on_the_texts(nlp):
    docs = [gold(nlp, "Payments uses Redis", ("Payments", "TEAM"), ("Redis", "INFRA")), gold(nlp, "no Kafka")]
    scores = evaluate_pipeline(nlp, docs).scores
    assert scores.by_type == {"INFRA": Score(1, 3, 1), "TEAM": Score(0, 0, 1)}


def test_other_tokens_in_the_gold_do_not_matter(nlp):
    doc = Doc(nlp.vocab, words=["use", "Re", "dis"], spaces=[True, False, False], ents=["O", "B-INFRA", "I-INFRA"])
    assert evaluate_pipeline(nlp, [doc]).scores.micro.f1 == 1.0


@pytest.mark.parametrize("group", [None, REJECTED_KEY])
def test_a_type_that_the_pipeline_never_met_can_be_aligned(group):
    elsewhere = spacy.blank("en")
    doc = gold(elsewhere, "we run Grafana", ("Grafana", "A_TYPE_MET_NOWHERE"))
    if group:
        doc.spans[group] = doc.ents
        doc.ents = []
    nlp = spacy.blank("en")
    assert "A_TYPE_MET_NOWHERE" not in nlp.vocab.strings
    example = make_example(nlp, doc)
    assert example.predicted.vocab is nlp.vocab and example.text == doc.text
    tags = known_tags(example, ["INFRA"])
    assert tags.tags == [0, 0, 0 if group else None] and tags.rejected == []


def test_confidences_are_judged_also_of_what_is_not_reported():
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("crf_ner", config={"min_confidence": {"TEAM": 1.0}, "temperature": 5.0})
    texts = [("Ask Redis", [(4, 9, "INFRA")]), ("Ask Payments", [(4, 12, "TEAM")])]
    examples = [Example.from_dict(nlp.make_doc(text), {"entities": entities}) for text, entities in texts]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    docs = [gold(nlp, "Ask Redis", ("Redis", "INFRA")), gold(nlp, "Ask Payments")]
    evaluated = evaluate_pipeline(nlp, docs)
    assert {(one.label, one.is_correct) for one in evaluated.judged} == {("INFRA", True), ("TEAM", False)}
    assert set(evaluated.scores.by_type) == {"INFRA"}
    with uncalibrated(nlp):
        before = evaluate_pipeline(nlp, docs).judged
    assert pipe.settings.temperature == 5.0
    assert all(one.confidence > other.confidence for one, other in zip(before, evaluated.judged, strict=True))
    compared = compare_calibration(before, evaluated.judged)
    assert set(compared["by_type"]) == {"INFRA", "TEAM"}
    assert compared["before"]["ece"] != compared["after"]["ece"]


def test_progress_is_told_for_each_document(nlp):
    told = []
    evaluate_pipeline(nlp, [gold(nlp, "a"), gold(nlp, "b")], on_doc=lambda: told.append(1))
    assert len(told) == 2


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (Score(85, 100, 100), "target"),
        (Score(80, 100, 100), "floor"),
        (Score(79, 100, 100), "below"),
        (Score(0, 3, 0), "no gold"),
    ],
)
def test_verdict(score, expected):
    assert verdict(score) == expected


def test_metrics_are_plain_data_with_every_figure():
    metrics = json.loads(
        json.dumps(to_metrics(score_entities([([(0, 1, "TEAM")], [(0, 1, "TEAM"), (2, 3, "INFRA")])])))
    )
    assert metrics["micro"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1}
    assert metrics["by_type"]["TEAM"]["verdict"] == "target"
    assert metrics["macro"]["f1"] == 1.0


def test_a_corpus_that_is_not_there_not_one_or_empty_is_an_error(nlp, tmp_path):
    with pytest.raises(DomainNerError, match="Cannot read the corpus"):
        read_docs(tmp_path / "none.spacy", nlp.vocab)
    (tmp_path / "junk.spacy").write_bytes(b"junk")
    with pytest.raises(DomainNerError, match=r"junk\.spacy"):
        read_docs(tmp_path / "junk.spacy", nlp.vocab)
    DocBin().to_disk(tmp_path / "empty.spacy")
    with pytest.raises(DomainNerError, match="holds no documents"):
        read_docs(tmp_path / "empty.spacy", nlp.vocab)


def test_a_pipeline_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DomainNerError, match="Run train first"):
        load_pipeline(tmp_path / "none")


def test_a_suppressed_span_with_the_edges_of_an_entity_is_judged_by_its_own_confidence(nlp):
    doc = nlp.make_doc("Ask Redis now")
    doc.set_ents([Span(doc, 1, 2, label="INFRA")])
    predicted = nlp.make_doc("Ask Redis now")
    predicted.set_ents([Span(predicted, 1, 2, label="INFRA")])
    predicted.ents[0]._.confidence = 0.6
    below = [Span(predicted, 1, 2, label="TEAM")]
    predicted.spans["below_threshold"] = SpanGroup(predicted, spans=below, attrs={"scores": [0.3]})
    assert list(_judge(doc, predicted)) == [("INFRA", 0.6, True), ("TEAM", 0.3, False)]


def test_what_is_predicted_where_gold_knows_nothing_is_not_judged(nlp):
    doc = Doc(nlp.vocab, words=["Redis", "and", "Kafka"], ents=["B-INFRA", "O", ""])
    doc.ents = [Span(doc, 0, 1, label="INFRA")]
    doc.set_ents(list(doc.ents), missing=[doc[2:3]], default="outside")
    assert evaluate_pipeline(nlp, [doc]).scores.micro == Score(1, 1, 1)


def test_documents_keep_what_a_report_shows(nlp):
    doc = gold(nlp, "Payments uses Redis", ("Payments", "TEAM"), ("Redis", "INFRA"))
    doc.user_data.update({"source": "a.jsonl:3", "meta": {"org": "x"}})
    (one,) = evaluate_pipeline(nlp, [doc]).docs
    assert (one.source, one.text, one.meta) == ("a.jsonl:3", doc.text, {"org": "x"})
    assert one.tokens == ((0, 8), (9, 13), (14, 19))
    assert one.gold == ((0, 8, "TEAM"), (14, 19, "INFRA"))
    assert one.predicted == ((0, 8, "INFRA"), (14, 19, "INFRA"))
    assert one.confidences == {}


def test_what_annotators_rejected_is_a_mistake_where_nothing_else_is_known(nlp):
    doc = Doc(nlp.vocab, words=["Redis", "and", "Kafka"])
    doc.set_ents([], default="missing")
    doc.spans["incorrect_spans"] = [Span(doc, 0, 1, label="INFRA")]
    assert evaluate_pipeline(nlp, [doc]).scores.micro == Score(0, 1, 0)


def test_nested_spans_alone_are_gold_and_have_the_scores_of_a_spancat(nlp):
    doc = nlp.make_doc("Bank of Oslo")
    doc.spans["sc"] = [Span(doc, 0, 3, label="ORG"), Span(doc, 2, 3, label="LOC")]
    predicted = nlp.make_doc("Bank of Oslo")
    predicted.spans["sc"] = SpanGroup(predicted, spans=[Span(predicted, 0, 3, label="ORG")], attrs={"scores": [0.7]})
    found = evaluate_doc(doc, predicted, can_nest=True)
    assert found.gold == ((0, 12, "ORG"), (8, 12, "LOC")) and found.predicted == ((0, 12, "ORG"),)
    assert found.confidences == {(0, 12, "ORG"): 0.7}
