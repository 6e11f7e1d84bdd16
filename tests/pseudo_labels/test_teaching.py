"""A pipeline learns from the marginals of others, with a document as with brute force in tests/crf_ner."""

import numpy as np
import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Example
from thinc.api import fix_random_seed
from tiny_pipelines import LEXICAL
from watched import passages, trained

from domain_ner.annotations.doc_keys import MARGINALS_KEY
from domain_ner.corpus.corpus_file import CorpusFile
from domain_ner.crf_ner.probing import recogniser
from domain_ner.crf_ner.soft_labels import in_order, soft_tags
from domain_ner.errors import DomainNerError
from domain_ner.pseudo_labels.teaching import average, tag_marginals, taught

TEXTS = [text for text, _ in passages(60, "raw")]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return spacy.load(trained(tmp_path_factory.getbasetemp() / "watched") / "model")


def untrained(labels=("INFRA", "TEAM"), seed=1):
    """Another pipeline, with other weights."""
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    pipe = nlp.add_pipe("crf_ner", config={"model": {"@architectures": "domain_ner.CRF.v1", "tok2vec": LEXICAL}})
    for label in labels:
        pipe.add_label(label)
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("a b"), {"entities": []})])
    return nlp


def written(docs, folder):
    """The documents after the disk."""
    corpus = CorpusFile()
    for doc in docs:
        corpus.add(doc)
    corpus.write(folder / "silver.spacy")
    return list(DocBin().from_disk(folder / "silver.spacy").get_docs(spacy.blank("en").vocab))


def test_marginals_survive_the_disk_in_half_precision(teacher, tmp_path):
    docs = written(taught([teacher], TEXTS), tmp_path)
    assert [doc.text for doc in docs] == TEXTS
    exact = tag_marginals(teacher, recogniser(teacher), [teacher.make_doc(text) for text in TEXTS])
    for doc, one in zip(docs, exact, strict=True):
        soft = soft_tags(doc, recogniser(teacher).labels)
        assert soft.emissions.numpy() == pytest.approx(one.emissions, abs=2e-3)
        assert soft.uses.numpy() == pytest.approx(one.uses, abs=1e-5)
        assert soft.emissions.sum(1).numpy() == pytest.approx(1)
        assert not doc.ents and all(token.ent_iob == 0 for token in doc)
    assert len(docs[0].user_data[MARGINALS_KEY]["emissions"]) < exact[0].emissions.size * 2


def test_a_pupil_comes_to_think_as_its_teacher(teacher, tmp_path):
    nlp = untrained(labels=("TEAM", "INFRA"))
    docs = written(taught([teacher], TEXTS), tmp_path)
    given = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.01
    new = [text for text, _ in passages(30, "new")]

    def distance():
        own, others = (
            tag_marginals(one, recogniser(one), [one.make_doc(text) for text in new]) for one in (nlp, teacher)
        )
        labels = [recogniser(one).labels for one in (nlp, teacher)]
        pairs = zip(own, (in_order(one, labels[1], labels[0]) for one in others), strict=True)
        return max(float(np.abs(one.emissions - other.emissions).mean()) for one, other in pairs)

    before = distance()
    for _ in range(25):
        nlp.update(given, sgd=optimizer)
    assert distance() < before / 5
    assert [[ent.text for ent in nlp(text).ents] for text in new] == [
        [e.text for e in teacher(text).ents] for text in new
    ]


def test_several_teachers_teach_their_mean(teacher):
    other = untrained()
    (doc,) = taught([teacher, other], TEXTS[:1])
    found = [tag_marginals(one, recogniser(one), [one.make_doc(TEXTS[0])])[0] for one in (teacher, other)]
    soft = soft_tags(doc, recogniser(teacher).labels)
    assert soft.emissions.numpy() == pytest.approx(average(found).emissions, abs=2e-3)


def test_types_are_matched_by_name_and_missing_ones_are_named(teacher):
    (doc,) = taught([teacher], TEXTS[:1])
    own, turned = soft_tags(doc, ("INFRA", "TEAM")), soft_tags(doc, ("TEAM", "INFRA"))
    assert turned.emissions[:, [0, 2, 1, 4, 3, 6, 5, 8, 7]].tolist() == own.emissions.tolist()
    with pytest.raises(DomainNerError, match="it lacks SERVICE"):
        soft_tags(doc, ("INFRA", "TEAM", "SERVICE"))
    with pytest.raises(DomainNerError, match="it has beside them TEAM"):
        soft_tags(doc, ("INFRA",))


def test_other_tokens_are_refused(teacher, tmp_path):
    other = untrained()
    other.tokenizer = spacy.blank("xx").tokenizer
    other.tokenizer.infix_finditer = None
    text = "We don't run Redis/Kafka."
    with pytest.raises(DomainNerError, match="tokenizers differ"):
        list(taught([teacher, other], [text]))
    (doc,) = written(taught([teacher], [text]), tmp_path)
    with pytest.raises(DomainNerError, match="other tokens"):
        other.update([Example(other.make_doc(text), doc)])
