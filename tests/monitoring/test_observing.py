"""The numbers of documents: what is counted, what the recogniser notes, and that they are the same in any batch."""

import numpy as np
import pytest
import spacy
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from watched import passages, trained

from domain_ner.annotating.predicting import found_spans, scored, spans_below
from domain_ner.crf_ner.observing import EXPECTED_KEY, VECTOR_KEY, projection
from domain_ner.evaluation.predicting import load_pipeline
from domain_ner.monitoring.observations import COUNTS, Observation, from_row, of_entities, to_row
from domain_ner.monitoring.observing import Observer, observer_of, piece_counter
from domain_ner.monitoring.vocabulary import Vocabulary
from domain_ner.onnx_encoder.wordpieces import WordpieceTokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return trained(tmp_path_factory.getbasetemp() / "watched")


def observe(nlp, observer, texts):
    docs = list(nlp.pipe(texts))
    spans = [scored(found_spans(doc)) for doc in docs], [scored(spans_below(doc)) for doc in docs]
    return docs, observer(docs, *spans)


def test_tokens_are_counted_by_what_they_are():
    nlp = spacy.blank("en")
    vocabulary = Vocabulary.of(nlp("the kafka was slow").to_array(["LOWER"]))
    docs, found = observe(nlp, Observer(nlp, vocabulary), ["The Kafka  was über-slow, 12 times!", ""])
    counts = {name: 0 for name in COUNTS if not name.endswith("pieces")}
    words = [token for token in docs[0] if not (token.is_space or token.is_punct or token.like_num)]
    assert found[0].counts == {
        "characters": 35, "tokens": len(docs[0]), "words": len(words), "capitals": 2, "non_ascii": 1, "numbers": 1,
        "stop_words": sum(token.is_stop for token in words), "punctuation": 3, "spaces": 1, "unseen": 2,
        "entity_words": 0, "entity_unseen": 0,
    }  # fmt: skip
    assert found[1].counts == counts and found[1].expected is None


def test_words_within_entities_are_counted():
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "TEAM", "pattern": "Payments squad"}])
    vocabulary = Vocabulary.of(nlp.make_doc("the squad").to_array(["LOWER"]))
    _, found = observe(nlp, Observer(nlp, vocabulary), ["The Payments squad restarted.", "Payments"])
    assert [one.counts["entity_words"] for one in found] == [2, 0]
    assert [one.counts["entity_unseen"] for one in found] == [1, 0]
    assert [one.counts["unseen"] for one in found] == [2, 1]


def test_without_a_vocabulary_unseen_words_are_not_counted():
    nlp = spacy.blank("en")
    _, found = observe(nlp, Observer(nlp, None), ["Kafka"])
    assert "unseen" not in found[0].counts and found[0].counts["words"] == 1


def test_the_recogniser_notes_expected_entities_and_a_vector_on_request_only(folder):
    nlp = load_pipeline(folder / "model")
    text = "The Payments squad restarted Redis."
    plain = nlp(text)
    assert not {EXPECTED_KEY, VECTOR_KEY} & set(plain.user_data)
    observer = observer_of(nlp, str(folder / "baseline.json"))
    assert observer is observer_of(nlp)
    docs, found = observe(nlp, observer, [text, "", "Nothing failed today."])
    assert [(ent.start, ent.end, ent.label_) for ent in docs[0].ents] == [
        (ent.start, ent.end, ent.label_) for ent in plain.ents
    ]
    assert found[0].expected["INFRA"] == pytest.approx(1, abs=0.2) and len(found[0].vector) == 16
    assert found[1].expected == {} and found[1].vector == ()
    assert sum(found[2].expected.values()) < 0.5
    assert set(docs[0].user_data) >= {EXPECTED_KEY, VECTOR_KEY}


def test_a_document_has_the_same_numbers_alone_and_in_a_batch(folder):
    nlp = load_pipeline(folder / "model")
    observer = observer_of(nlp, str(folder / "baseline.json"))
    texts = [text for text, _ in passages(30, "batch")]
    together = [to_row(one) for one in observe(nlp, observer, texts)[1]]
    for text, row in zip(texts, together, strict=True):
        alone = to_row(observe(nlp, observer, [text])[1][0])
        assert alone["counts"] == row["counts"] and alone["vector"] == pytest.approx(row["vector"], rel=0.01, abs=0.01)
        assert alone["expected"] == pytest.approx(row["expected"], abs=0.0021)


def test_a_row_is_the_same_after_json_and_holds_no_text(folder):
    nlp = load_pipeline(folder / "model")
    _, found = observe(nlp, observer_of(nlp, str(folder / "baseline.json")), ["The Payments squad restarted Redis."])
    row = to_row(found[0])
    assert to_row(from_row(row)) == row
    assert "Redis" not in str(row) and "squad" not in str(row) and "INFRA" in str(row)
    with pytest.raises(ValueError, match="zip"):
        from_row(row | {"counts": [1, 2]})


def test_rows_without_numbers_tell_of_entities():
    found = of_entities("d1", [{"label": "A", "confidence": 0.5}, {"label": "A", "confidence": None}])
    assert found == Observation(id="d1", confidences={"A": [0.5, None]})


def test_wordpieces_are_counted_as_the_encoder_cuts_words():
    tokenizer = Tokenizer(WordPiece({"[UNK]": 0, "re": 1, "##dis": 2, "the": 3}, unk_token="[UNK]"))
    assert WordpieceTokenizer(tokenizer.to_str(), 1).count(["redis", "the", "kafka"]) == [(2, 0), (1, 0), (1, 1)]
    assert piece_counter(spacy.blank("en")) is None


def test_the_projection_keeps_distances_and_is_always_the_same():
    signs = projection(96) * 96**0.5
    assert set(signs.round(6).ravel()) == {-1.0, 1.0} and abs(signs.mean()) < 0.05
    assert signs[0].round().astype(int).tolist() == [1, -1, 1, 1, -1, 1, 1, 1, -1, 1, -1, 1, -1, -1, -1, -1]
    one, other = np.random.default_rng(0).normal(size=(2, 200, 96))
    kept = ((one - other) @ projection(96)).std() / (one - other).std()
    assert kept == pytest.approx(1, abs=0.1)


def test_the_numbers_are_not_kept_with_the_pipeline(folder, tmp_path):
    nlp = load_pipeline(folder / "model")
    observer_of(nlp)
    nlp.to_disk(tmp_path / "again")
    assert EXPECTED_KEY in nlp("Redis was slow.").user_data
    assert EXPECTED_KEY not in load_pipeline(tmp_path / "again")("Redis was slow.").user_data
