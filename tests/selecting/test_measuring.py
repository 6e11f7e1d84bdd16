"""What is measured of a text, with a pipeline that was trained: against what the pipeline itself says."""

import numpy as np
import pytest
import spacy
import tiny_pipelines

from domain_ner.errors import DomainNerError
from domain_ner.selecting.measuring import N_DIMENSIONS, measure_texts

TEXTS = [text for text, _ in tiny_pipelines.SENTENCES] + ["", "Quux blorbed the frobnicator by Zorp Kafka."]


@pytest.fixture(scope="module")
def nlp(tiny_encoder):
    return tiny_pipelines.fitted(tiny_encoder("bert"))


def test_found_entities_are_those_of_the_pipeline(nlp):
    for one, doc in zip(measure_texts(nlp, TEXTS), nlp.pipe(TEXTS), strict=True):
        assert [(span.start, span.end, span.label) for span in one.found] == [
            (ent.start_char, ent.end_char, ent.label_) for ent in doc.ents
        ]
        assert [span.confidence for span in one.found] == pytest.approx(
            [ent._.confidence for ent in doc.ents], abs=1e-5
        )
        assert one.text == doc.text and one.n_tokens == len(doc)


def test_expected_errors_are_what_the_confidences_leave(nlp):
    for one in measure_texts(nlp, TEXTS):
        for label, wrong in one.wrong.items():
            assert wrong == pytest.approx(sum(1 - span.confidence for span in one.found if span.label == label))
            assert one.missed[label] >= 0
        assert 0 <= one.second <= one.best <= 1 + 1e-12


def test_a_text_of_other_words_is_less_sure(nlp):
    *known, _, new = measure_texts(nlp, TEXTS)
    assert new.best < min(one.best for one in known)


def test_vectors_have_length_1_and_tell_texts_apart(nlp):
    vectors = [one.vector for one in measure_texts(nlp, TEXTS)]
    assert all(vector.shape == (N_DIMENSIONS,) for vector in vectors)
    lengths = [float(np.linalg.norm(vector)) for vector in vectors]
    assert lengths == pytest.approx([1, 1, 1, 1, 1, 0, 1], abs=1e-5)
    assert float(vectors[0] @ vectors[1]) < 0.9999


def test_a_pipeline_without_confidences_is_refused():
    with pytest.raises(DomainNerError, match="crf_ner"):
        list(measure_texts(spacy.blank("en"), ["Redis"]))
