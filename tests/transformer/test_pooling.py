"""The first wordpiece and the mean of all, with exact gradients, for tokens of any number of wordpieces."""

import numpy as np
import pytest
from spacy.util import registry
from thinc.types import Ragged


def layer():
    return registry.layers.get("domain_ner.FirstAndMean.v1")()


def ragged(lengths, width=3, seed=0):
    data = np.random.default_rng(seed).normal(size=(sum(lengths), width)).astype("f")
    return Ragged(data, np.array(lengths, dtype="i"))


@pytest.mark.parametrize("lengths", [[1], [3], [2, 1, 4], [0], [0, 2, 0, 1, 0], []])
def test_the_first_beside_the_mean(lengths):
    given = ragged(lengths)
    pooled = layer().predict(given)
    assert pooled.shape == (len(lengths), 6) and pooled.dtype == np.float32
    at = 0
    for row, length in zip(pooled, lengths, strict=True):
        pieces = given.data[at : at + length]
        expected = np.hstack([pieces[0], pieces.mean(axis=0)]) if length else np.zeros(6)
        np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-6)
        at += length


@pytest.mark.parametrize("lengths", [[3], [2, 1, 4], [0, 2, 0, 1]])
def test_gradients_by_finite_differences(lengths):
    given, model = ragged(lengths), layer()
    pooled, backprop = model(given, is_train=True)
    weights = np.random.default_rng(1).normal(size=pooled.shape).astype("f")
    found = backprop(weights)
    assert found.lengths.tolist() == lengths
    for place in np.ndindex(*given.data.shape):
        sums = []
        for step in (1e-2, -1e-2):
            moved = given.data.copy()
            moved[place] += step
            sums.append(float((model.predict(Ragged(moved, given.lengths)) * weights).sum()))
        assert found.data[place] == pytest.approx((sums[0] - sums[1]) / 2e-2, abs=1e-3)


def test_spacy_finds_it_by_its_entry_point():
    config = {"pooling": {"@layers": "domain_ner.FirstAndMean.v1"}}
    assert registry.resolve(config)["pooling"].name == "first_and_mean"
