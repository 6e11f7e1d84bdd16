"""The component as spaCy uses it."""

import math

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.loop import subdivide_batch
from thinc.api import fix_random_seed

from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.crf_ner.padding import padded_groups
from domain_ner.crf_ner.probing import span_confidences
from domain_ner.errors import DomainNerError

TEXTS = [
    ("Payments uses Redis and Kafka Streams.", [(0, 8, "TEAM"), (14, 19, "INFRA"), (24, 37, "INFRA")]),
    ("Nothing here.", []),
    ("Ask the Risk Desk about Redis", [(8, 17, "TEAM"), (24, 29, "INFRA")]),
]


def blank():
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("crf_ner")
    return nlp


def examples(nlp, given=TEXTS):
    return [Example.from_dict(nlp.make_doc(text), {"entities": entities}) for text, entities in given]


def fit(nlp, given, n_steps=40):
    optimizer = nlp.initialize(lambda: given)
    for _ in range(n_steps):
        losses = nlp.update(given, sgd=optimizer)
    return losses


@pytest.fixture(scope="module")
def trained():
    nlp = blank()
    fit(nlp, examples(nlp))
    return nlp


def found(doc):
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


def confidences(doc):
    return [ent._.confidence for ent in doc.ents]


def test_it_overfits_a_few_documents(trained):
    assert [found(trained(text)) for text, _ in TEXTS] == [entities for _, entities in TEXTS]


def test_each_entity_has_a_probability(trained):
    given = confidences(trained(TEXTS[0][0]))
    assert len(given) == 3
    assert all(0.5 < prob <= 1 for prob in given)


def test_pipe_gives_what_call_gives(trained):
    texts = [text for text, _ in TEXTS] + ["", "Redis", "a " * 50 + "Redis"]
    for one, other in zip(map(trained, texts), trained.pipe(texts, batch_size=4), strict=True):
        assert found(one) == found(other)
        assert confidences(one) == pytest.approx(confidences(other), abs=1e-5)


def test_disk_and_bytes_give_the_same_back(trained, tmp_path):
    trained.to_disk(tmp_path / "nlp")
    for other in (spacy.load(tmp_path / "nlp"), blank().from_bytes(trained.to_bytes())):
        doc, again = trained(TEXTS[0][0]), other(TEXTS[0][0])
        assert found(doc) == found(again)
        assert confidences(doc) == pytest.approx(confidences(again), abs=1e-6)


def test_any_span_has_a_probability(trained):
    pipe = trained.get_pipe("crf_ner")
    docs = [trained.make_doc(text) for text in (TEXTS[0][0], "", TEXTS[2][0])]
    first = trained(TEXTS[0][0])
    asked = [
        [*((ent.start, ent.end, ent.label_) for ent in first.ents), (1, 2, "TEAM"), (0, 1, "NONE")],
        [],
        [(0, 1, "TEAM")],
    ]
    own, none, other = span_confidences(pipe, pipe.tag_scores(docs), asked)
    assert own[:3] == pytest.approx(confidences(first), abs=1e-6)
    assert 0 < own[3] < 0.1 and own[4] == 0 and none == []
    assert 0 < other[0] < 0.1


def test_confidences_survive_the_docbin(trained):
    doc = trained(TEXTS[0][0])
    (read,) = DocBin().from_bytes(DocBin(docs=[doc], store_user_data=True).to_bytes()).get_docs(trained.vocab)
    assert confidences(read) == confidences(doc)


def test_uninitialised_it_refuses_to_predict():
    with pytest.raises(ValueError, match="."):
        blank()("Redis is up")


def test_without_entities_it_cannot_be_initialised():
    nlp = blank()
    with pytest.raises(DomainNerError, match="has no entity"):
        nlp.initialize(lambda: examples(nlp, [("Nothing here", [])]))


def test_a_label_cannot_be_added_once_it_is_initialised(trained):
    pipe = trained.get_pipe("crf_ner")
    assert pipe.add_label("TEAM") == 0
    with pytest.raises(DomainNerError, match="already initialised"):
        pipe.add_label("NEW")


def test_a_package_will_ask_for_what_predicting_needs(trained, tmp_path):
    trained.to_disk(tmp_path / "nlp")
    assert spacy.load(tmp_path / "nlp").meta["requirements"] == ["torch>=2.10", "threadpoolctl>=3.1,<4"]


def test_labels_can_be_given_instead_of_found(trained):
    nlp = blank()
    data = trained.get_pipe("crf_ner").label_data
    nlp.get_pipe("crf_ner").initialize(lambda: examples(nlp), nlp=nlp, labels=data)
    assert nlp.get_pipe("crf_ner").labels == ("INFRA", "TEAM")


def test_empty_documents_and_batches_are_no_obstacle(trained):
    assert found(trained("")) == []
    assert list(trained.pipe([])) == []
    empty = Example.from_dict(trained.make_doc(""), {"entities": []})
    losses = trained.update([empty])
    assert losses["crf_ner"] == 0


def test_a_batch_may_hold_an_empty_document_beside_others():
    nlp = blank()
    given = [*examples(nlp), Example.from_dict(nlp.make_doc(""), {"entities": []})]
    fit(nlp, given)
    assert [found(nlp(text)) for text, _ in TEXTS] == [entities for _, entities in TEXTS]


def gold(nlp, text, ents, *, unknown=None, rejected=()):
    """unknown: numbers of the tokens of which nothing is known; None: all that no entity covers."""
    reference = nlp.make_doc(text)
    spans = [reference.char_span(start, end, label=label) for start, end, label in ents]
    missing = [reference[n : n + 1] for n in unknown or ()]
    reference.set_ents(spans, missing=missing, default="missing" if unknown is None else "outside")
    if rejected:
        reference.spans["incorrect_spans"] = [reference.char_span(*place[:2], label=place[2]) for place in rejected]
    return Example(nlp.make_doc(text), reference)


def test_what_is_missing_is_not_learned_as_outside():
    """Redis is marked in one text and unknown in the other: with the same words it is found in both."""
    nlp = blank()
    known = gold(nlp, "Then Redis failed", [(5, 10, "INFRA")], unknown=[])
    unknown = gold(nlp, "Then Redis died", [], unknown=[1])
    fit(nlp, [known, unknown])
    assert found(nlp("Then Redis died")) == [(5, 10, "INFRA")]


def test_what_was_rejected_is_learned_as_wrong():
    nlp = blank()
    given = [gold(nlp, "Then Redis failed", [(5, 10, "INFRA")], unknown=[])]
    given += [gold(nlp, "Then Oslo failed", [], unknown=[1], rejected=[(5, 9, "INFRA")])]
    fit(nlp, given, n_steps=80)
    assert found(nlp("Then Redis failed")) == [(5, 10, "INFRA")]
    assert found(nlp("Then Oslo failed")) == []


def test_loss_of_nothing_known_is_zero():
    nlp = blank()
    given = examples(nlp)
    nlp.initialize(lambda: given)
    nothing = gold(nlp, "Then Redis failed", [])
    assert nlp.update([nothing])["crf_ner"] == pytest.approx(0, abs=1e-4)


def test_confidence_is_the_mass_of_all_paths_with_the_span(trained):
    """On an untrained model: the probabilities of all spans over one token and the one of `O` sum up to 1."""
    import torch

    from domain_ner.crf_ner.decoding import SpanProbabilities
    from domain_ner.crf_ner.lattice import marginals

    nlp = blank()
    given = examples(nlp)
    nlp.initialize(lambda: given)
    pipe = nlp.get_pipe("crf_ner")
    scores = pipe.model.predict([nlp.make_doc("Ask Redis now")])

    ((_, padded, flat, lengths),) = padded_groups(scores, pipe.model.get_param(TRANSITIONS))
    prober, n_types = SpanProbabilities(padded, flat, lengths), len(pipe.labels)
    outside = marginals(*map(torch.tensor, (padded, flat, lengths))).emissions[0, 1, 0]
    spans = [(start, end) for start in (0, 1) for end in (2, 3)]
    mass = sum(math.exp(prober(0, start, end, label)) for start, end in spans for label in range(n_types))
    assert float(outside) + mass == pytest.approx(1, abs=1e-5)


def test_the_tokens_of_gold_and_pipeline_may_differ():
    nlp = blank()
    reference = Doc(nlp.vocab, words=["Ask", "Risk Desk"])
    reference.set_ents([reference[1:2]])
    reference.ents = [reference.char_span(4, 13, label="TEAM")]
    example = Example(nlp.make_doc("Ask Risk Desk"), reference)
    fit(nlp, [example])
    assert found(nlp("Ask Risk Desk")) == [(4, 13, "TEAM")]


def test_entities_that_were_there_stay(trained):
    """As with spaCy's `ner`: what a ruler before it found is kept, and nothing is put over it."""
    nlp = blank()
    fit(nlp, examples(nlp))
    ruler = nlp.add_pipe("entity_ruler", before="crf_ner")
    ruler.add_patterns([{"label": "RULED", "pattern": "Kafka"}, {"label": "RULED", "pattern": "Ask"}])
    doc = nlp("Payments uses Redis and Kafka Streams.")
    assert found(doc) == [(0, 8, "TEAM"), (14, 19, "INFRA"), (24, 29, "RULED")]
    assert [ent._.confidence is None for ent in doc.ents] == [False, False, True]
    assert found(nlp(TEXTS[2][0]))[0] == (0, 3, "RULED")


def test_below_threshold_holds_only_what_is_below(trained, tmp_path):
    """Where spans are chosen each by itself, an entity of the best path may also lose to one that it overlaps."""
    trained.to_disk(tmp_path / "nlp")
    crf = {"decoding": "marginal", "temperature": 8.0, "min_confidence": 0.05, "candidates": 3}
    nlp = spacy.load(tmp_path / "nlp", config={"components": {"crf_ner": crf}})
    for doc in nlp.pipe([text for text, _ in TEXTS]):
        assert all(score < 0.05 for score in doc.spans["below_threshold"].attrs["scores"])
        group = doc.spans["candidates"]
        told = {(span.start, span.end, span.label_) for span in group}
        assert len(told) == len(group) and not told & {(ent.start, ent.end, ent.label_) for ent in doc.ents}


@pytest.mark.parametrize("n_parts", [2, 4, 9])
def test_a_batch_in_parts_has_the_gradient_of_the_whole(n_parts):
    nlp = blank()
    given = examples(nlp, [(f"{text} {'so it is ' * n}", entities) for n, (text, entities) in enumerate(TEXTS * 3)])
    nlp.initialize(lambda: given)
    pipe = nlp.get_pipe("crf_ner")

    def gradients(parts):
        losses = {}
        for part in parts:
            pipe.update(part, losses=losses)
        found = {(node.id, name): node.get_grad(name).copy() for node in pipe.model.walk() for name in node.grad_names}
        for node in pipe.model.walk():
            for name in node.grad_names:
                node.set_grad(name, node.get_grad(name) * 0)
        return losses["crf_ner"], found

    loss, whole = gradients([given])
    pipe.n_batch = len(given)
    loss_in_parts, in_parts = gradients(subdivide_batch(given, n_parts))
    assert loss_in_parts == pytest.approx(loss, rel=1e-5)
    assert whole.keys() == in_parts.keys()
    for key, gradient in whole.items():
        np.testing.assert_allclose(in_parts[key], gradient, rtol=1e-3, atol=1e-6)


def test_no_entity_begins_or_ends_with_white_space(trained):
    """Not even where the weights want nothing else."""
    nlp = blank().from_bytes(trained.to_bytes())
    pipe = nlp.get_pipe("crf_ner")
    bias = pipe.model.get_param("b").copy()
    bias[0] = -50
    pipe.model.set_param("b", bias)
    doc = nlp("\n\n Payments  uses \t Redis \n")
    assert len(doc.ents) >= 1
    assert not any(ent[0].is_space or ent[-1].is_space for ent in doc.ents)
    assert not nlp("\n \t\n").ents
