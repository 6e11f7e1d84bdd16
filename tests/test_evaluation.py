import json

import pytest
import spacy
from spacy.tokens import Doc, DocBin

from domain_ner.errors import DomainNerError
from domain_ner.evaluation import load_pipeline, read_docs, score_pipeline, to_metrics, verdict
from domain_ner.scores import Score, score_entities


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
    scores = score_pipeline(nlp, docs)
    assert scores.by_type == {"INFRA": Score(1, 3, 1), "TEAM": Score(0, 0, 1)}


def test_other_tokens_in_the_gold_do_not_matter(nlp):
    doc = Doc(nlp.vocab, words=["use", "Re", "dis"], spaces=[True, False, False], ents=["O", "B-INFRA", "I-INFRA"])
    assert score_pipeline(nlp, [doc]).micro.f1 == 1.0


def test_progress_is_told_for_each_document(nlp):
    told = []
    score_pipeline(nlp, [gold(nlp, "a"), gold(nlp, "b")], on_doc=lambda: told.append(1))
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
