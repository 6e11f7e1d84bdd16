"""Labels that do not say where entities begin: decoded as the likeliest labels, with nearly exact probabilities."""

from itertools import product

import numpy as np
import pytest
import torch
from spacy.tokens import Doc
from spacy.vocab import Vocab
from test_lattice import arrays
from thinc.api import Model

from domain_ner.annotations.tag_schemes import TagScheme, decode_tags
from domain_ner.crf_ner.decoding import SpanProbabilities, decode
from domain_ner.crf_ner.implied_boundaries import APART, create_implied_boundaries

TYPES = ["LOC", "PER"]
IO, IOB1 = TagScheme("IO", "none"), TagScheme("IOB1", "prefix")
LABELS = {False: ["O", *TYPES], True: ["O", *(f"{kind}-{label}" for kind in "IB" for label in TYPES)]}
WIDTH = 5
VOCAB = Vocab()


def vectors_of(model, docs, is_train):
    return [doc.user_data["vectors"] for doc in docs], lambda d_vectors: d_vectors


def layer(begins, seed=0, scale=1.0):
    """A layer over given vectors, with random weights."""
    rng = np.random.default_rng(seed)
    model = create_implied_boundaries(Model("given", vectors_of), len(TYPES), begins)
    model.initialize(X=[doc_of(np.zeros((1, WIDTH), dtype="f"))])
    model.set_param("W", scale * rng.normal(size=model.get_param("W").shape).astype("f"))
    model.set_param("b", rng.normal(size=model.get_param("b").shape).astype("f"))
    return model


def doc_of(vectors):
    doc = Doc(VOCAB, words=["x"] * len(vectors))
    doc.user_data["vectors"] = vectors
    return doc


def transitions():
    scores = torch.zeros(2 + 8 * len(TYPES))
    scores[2 + 2 * len(TYPES) : 2 + 4 * len(TYPES)] = -APART
    return scores


def log_probs_of(model, vectors):
    logits = torch.from_numpy(vectors @ model.get_param("W").T + model.get_param("b"))
    return logits.double().log_softmax(1).numpy()


def entities(tags, begins):
    # In IOB1 a B- elsewhere than after its own type begins an entity as an I- does.
    return {(span.start, span.end, TYPES.index(span.label)) for span in decode_tags(tags, IOB1 if begins else IO)}


def exact(log_probs, begins):
    """The probability of each entity: of all sequences of labels that have it, the labels independent."""
    found = {}
    for row in product(range(log_probs.shape[1]), repeat=len(log_probs)):
        prob = np.exp(sum(log_probs[n, label] for n, label in enumerate(row)))
        for entity in entities([LABELS[begins][label] for label in row], begins):
            found[entity] = found.get(entity, 0.0) + prob
    return found


@pytest.mark.parametrize("begins", [False, True])
def test_the_best_path_is_that_of_the_likeliest_labels(begins):
    rng = np.random.default_rng(1)
    n_touching = 0
    for seed in range(100):
        model, vectors = layer(begins, seed, scale=3.0), rng.normal(size=(9, WIDTH)).astype("f")
        log_probs = log_probs_of(model, vectors)
        top = np.sort(log_probs, axis=1)
        if begins and (top[:, -1] < np.log(0.6)).any():  # two labels together may begin an entity, though neither wins
            continue
        expected = entities([LABELS[begins][n] for n in log_probs.argmax(1)], begins)
        scores = torch.from_numpy(model.predict([doc_of(vectors)])[0])
        (decoded,) = decode(*arrays(scores[None], transitions(), torch.tensor([9])))
        assert {span[:3] for span in decoded.entities} == expected
        ends = {end for _, end, _ in expected}
        n_touching += any(start in ends for start, _, _ in expected)
    assert n_touching > 5


@pytest.mark.parametrize("begins", [False, True])
def test_probabilities_of_a_sure_classifier_are_those_of_its_labels(begins):
    rng = np.random.default_rng(2)
    errors = []
    for seed in range(20):
        model, vectors = layer(begins, seed, scale=6.0), rng.normal(size=(4, WIDTH)).astype("f")
        scores = torch.from_numpy(model.predict([doc_of(vectors)])[0])
        prober = SpanProbabilities(*arrays(scores[None], transitions(), torch.tensor([4])))
        for (start, end, label), prob in exact(log_probs_of(model, vectors), begins).items():
            errors.append(abs(np.exp(prober(0, start, end, label)) - prob))
    assert np.mean(errors) < 0.01
    assert np.quantile(errors, 0.95) < 0.05


def test_with_one_type_probabilities_are_exact_however_unsure():
    rng = np.random.default_rng(3)
    model = create_implied_boundaries(Model("given", vectors_of), 1, False)
    model.initialize(X=[doc_of(np.zeros((1, WIDTH), dtype="f"))])
    model.set_param("W", rng.normal(size=(2, WIDTH)).astype("f"))
    vectors = rng.normal(size=(6, WIDTH)).astype("f")
    scores = torch.from_numpy(model.predict([doc_of(vectors)])[0])
    only = torch.tensor([0.0] * 4 + [-APART] * 2 + [0.0] * 4)
    prober = SpanProbabilities(*arrays(scores[None], only, torch.tensor([6])))
    for (start, end, _), prob in exact(log_probs_of(model, vectors), begins=False).items():
        assert np.exp(prober(0, start, end, 0)) == pytest.approx(prob, abs=1e-5)


@pytest.mark.parametrize("begins", [False, True])
def test_gradients_are_those_of_finite_differences(begins):
    rng = np.random.default_rng(4)
    model, vectors = layer(begins), rng.normal(size=(3, WIDTH)).astype("f")
    docs = [doc_of(vectors), doc_of(np.zeros((0, WIDTH), dtype="f"))]
    weights = rng.normal(size=(3, 1 + 4 * len(TYPES))).astype("f")

    def value():
        return float((model.predict(docs)[0] * weights).sum())

    _, backprop = model(docs, is_train=True)
    d_vectors = backprop([weights, np.zeros((0, weights.shape[1]), dtype="f")])
    assert d_vectors[1].shape == (0, WIDTH)
    for array, gradient in ((model.get_param("W"), model.get_grad("W")), (vectors, d_vectors[0])):
        for place in [(0, 0), (1, 2), (2, 4)]:
            before = array[place]
            array[place] = before + 1e-2
            above = value()
            array[place] = before - 1e-2
            assert gradient[place] == pytest.approx((above - value()) / 2e-2, abs=0.02)
            array[place] = before
