"""Scores on texts in worse shape: each change costs what it must cost a pipeline that knows names by heart."""

import pytest
import spacy
from spacy.tokens import Span

from domain_ner.evaluation.robustness import n_predictions, predict_perturbed, replacement_names, sample
from domain_ner.metrics.perturbations import KNOWN_NAMES, NEW_NAMES, PERTURBATIONS

NAMES = ["Redis", "Kafka", "Vault", "Consul"]
ENGLISH = spacy.blank("en")


@pytest.fixture
def nlp():
    """Knows four names by heart, as they are written."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "INFRA", "pattern": name} for name in NAMES])
    return nlp


def doc(text, *entities):
    made = ENGLISH.make_doc(text)
    made.ents = [made.char_span(text.index(words), text.index(words) + len(words), "INFRA") for words in entities]
    return made


@pytest.fixture
def docs():
    return [
        doc(f"Then ({NAMES[n % 4]}) called {NAMES[(n + 1) % 4]}.", NAMES[n % 4], NAMES[(n + 1) % 4]) for n in range(20)
    ]


def test_each_change_is_measured_against_the_texts_as_they_are(nlp, docs):
    train, others = [doc("we use Redis", "Redis")], [doc("no Nomad, no redis", "Nomad", "redis")]
    told = []
    found = predict_perturbed(nlp, docs, replacement_names(train, others), seed=0, on_doc=lambda: told.append(1))
    assert len(told) == n_predictions(docs)
    assert (found.n_passages, found.baseline.micro.f1) == (20, 1.0)
    by_name = {one.name: one for one in found.perturbed}
    assert list(by_name) == list(PERTURBATIONS)
    f1 = {name: one.scores.micro.f1 for name, one in by_name.items()}
    assert f1["lower case"] == f1["upper case"] == f1[NEW_NAMES] == 0
    assert f1["no punctuation"] == f1["doubled white space"] == f1[KNOWN_NAMES] == 1
    assert by_name["lower case"].difference.value == -1
    assert by_name["lower case"].difference.p < 0.01
    assert by_name["no punctuation"].difference.value == 0


def test_the_same_seed_gives_the_same_figures(nlp, docs):
    names = replacement_names(docs, docs)
    assert predict_perturbed(nlp, docs, names, seed=3) == predict_perturbed(nlp, docs, names, seed=3)


def test_new_names_are_those_that_training_never_had_in_any_case():
    names = replacement_names([doc("Redis", "Redis")], [doc("redis and Kafka", "redis", "Kafka")])
    assert names == {KNOWN_NAMES: {"INFRA": ["Redis"]}, NEW_NAMES: {"INFRA": ["Kafka"]}}


def test_a_sample_keeps_the_order_and_leaves_out_what_is_partly_unknown(docs):
    partly = docs[3]
    partly.set_ents([Span(partly, 2, 3, label="INFRA")], missing=[partly[0:1]], default="outside")
    chosen = sample(docs, 50, seed=0)
    assert chosen == [*docs[:3], *docs[4:]]
    few = sample(docs, 5, seed=1)
    assert len(few) == 5 and [docs.index(one) for one in few] == sorted(docs.index(one) for one in few)


def test_nothing_to_change(nlp):
    found = predict_perturbed(nlp, [doc("nothing here")], replacement_names([], []), seed=0)
    assert all(one.difference.value == 0 and one.difference.interval is None for one in found.perturbed)


def test_what_cannot_be_changed_is_not_told(nlp, docs):
    """Where training saw every name, no new one can be put in: no difference would be no news."""
    found = predict_perturbed(nlp, docs, replacement_names(docs, docs), seed=0)
    assert NEW_NAMES not in [one.name for one in found.perturbed]
    assert KNOWN_NAMES in [one.name for one in found.perturbed]


def test_spans_alone_are_annotations(docs):
    spans_alone = spacy.blank("en").make_doc("we use Redis")
    spans_alone.spans["sc"] = [Span(spans_alone, 2, 3, label="INFRA")]
    assert sample([spans_alone], 1, seed=0) == [spans_alone]
    assert replacement_names([spans_alone], [], can_nest=True)[KNOWN_NAMES] == {"INFRA": ["Redis"]}
