"""The sketch of a vocabulary: what it knows, how often it is wrong, and that it holds no word."""

import numpy as np
import pytest
import spacy

from domain_ner.monitoring.vocabulary import Vocabulary


def hashes(n, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, size=n, dtype=np.uint64)


def test_known_words_are_always_known_and_new_ones_seldom():
    words = hashes(20_000)
    vocabulary = Vocabulary.of(np.concatenate([words, words]))
    assert vocabulary.n_words == 20_000 and vocabulary.knows(words).all()
    share = vocabulary.knows(hashes(50_000, seed=1)).mean()
    assert share == pytest.approx(vocabulary.false_positives, abs=0.002) and share < 0.012


def test_it_is_the_same_after_json():
    vocabulary = Vocabulary.of(hashes(500))
    sketch = vocabulary.to_sketch()
    again = Vocabulary.from_sketch(type(sketch).model_validate_json(sketch.model_dump_json()))
    tried = hashes(2000, seed=2)
    assert (again.knows(tried) == vocabulary.knows(tried)).all() and again.knows(hashes(500)).all()


def test_words_of_spacy_are_known_in_any_case():
    nlp = spacy.blank("en")
    vocabulary = Vocabulary.of(nlp("Redis was slow").to_array(["LOWER"]))
    assert vocabulary.knows(nlp("REDIS Kafka").to_array(["LOWER"])).tolist() == [True, False]
    assert "redis" not in vocabulary.to_sketch().model_dump_json()


def test_an_empty_vocabulary_knows_nothing():
    assert not Vocabulary.of(hashes(0)).knows(hashes(10)).any()


@pytest.mark.parametrize("bits", ["zz", "00"])
def test_damaged_bits_are_refused(bits):
    sketch = Vocabulary.of(hashes(500)).to_sketch().model_copy(update={"bits": bits})
    with pytest.raises(ValueError, match="the vocabulary"):
        Vocabulary.from_sketch(sketch)
