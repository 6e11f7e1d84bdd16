import pytest
import spacy
from spacy.tokens import DocBin, Span
from spacy.training import Corpus

from domain_ner.errors import DomainNerError
from domain_ner.training.oversampling import create_oversampled, repetitions


@pytest.fixture
def nlp():
    return spacy.blank("en")


@pytest.fixture
def docs(nlp):
    """A hundred passages: all but ten have type A, and four of those B too."""
    made = []
    for n in range(100):
        doc = nlp(f"passage {n} here")
        doc.ents = [Span(doc, 0, 1, label="A")] * (n >= 10) + [Span(doc, 1, 2, label="B")] * (n >= 96)
        made.append(doc)
    return made


def test_passages_with_a_rare_type_come_more_often_and_none_is_left_out(docs):
    counts = repetitions(docs, threshold=0.16, seed=0)
    assert counts[:96] == [1] * 96
    assert counts[96:] == [2] * 4  # the root of 0.16 / 0.04


def test_a_rare_type_counts_where_it_nests_too(docs):
    for doc in docs[96:]:
        doc.spans["sc"] = [*doc.ents, Span(doc, 0, 2, label="B")]
        doc.set_ents([ent for ent in doc.ents if ent.label_ == "A"])
    assert repetitions(docs, threshold=0.16, seed=0)[96:] == [2] * 4


def test_fractions_are_drawn_and_the_seed_decides(docs):
    counts = [repetitions(docs, threshold=0.09, seed=seed) for seed in range(40)]
    assert counts[0] == repetitions(docs, threshold=0.09, seed=0)
    mean = sum(sum(one[96:]) for one in counts) / (4 * len(counts))
    assert mean == pytest.approx(1.5, abs=0.15)  # the root of 0.09 / 0.04


def test_the_reader_repeats_and_every_example_is_its_own(nlp, docs, tmp_path):
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")
    read = list(create_oversampled(Corpus(tmp_path / "train.spacy"), 0.16, 0)(nlp))
    assert len(read) == 104
    assert len({id(example) for example in read}) == 104
    assert sorted({example.text for example in read}) == sorted(doc.text for doc in docs)


def test_a_threshold_of_zero_repeats_nothing(nlp, docs, tmp_path):
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")
    assert len(list(create_oversampled(Corpus(tmp_path / "train.spacy"), 0.0, 0)(nlp))) == 100


def test_a_threshold_that_is_no_share_is_refused():
    with pytest.raises(DomainNerError, match="expected 0 to below 1"):
        create_oversampled(Corpus("x"), 1.5, 0)
