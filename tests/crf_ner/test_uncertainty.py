"""How unsure the chain is of a document, against every legal tagging of short ones, written out."""

import math
from itertools import product

import numpy as np
import pytest

from domain_ner.crf_ner.probabilities import transition_table
from domain_ner.crf_ner.uncertainty import uncertainties

BEGIN, UNIT, INSIDE, LAST = range(4)


def steps(table, n_types):
    """Every legal (state, tag): the state after it, and its transition's score."""
    found = {}
    for state in ["outside", "entity"]:
        row = table[int(state == "entity")]
        found[state, 0] = "outside", row[0]
        for label in range(n_types):
            found[state, 1 + BEGIN * n_types + label] = ("begin", label), row[1 + BEGIN * n_types + label]
            found[state, 1 + UNIT * n_types + label] = "entity", row[1 + UNIT * n_types + label]
    for source, name in enumerate(["begin", "inside"]):
        for label in range(n_types):
            for kind, after in ((INSIDE, ("inside", label)), (LAST, "entity")):
                tag = 1 + kind * n_types + label
                found[(name, label), tag] = after, table[source, tag]
    return found


def taggings(scores, transitions, n_types):
    """The score of each legal tagging of a document."""
    legal, scored = steps(transition_table(transitions), n_types), {}
    for path in product(range(scores.shape[1]), repeat=len(scores)):
        state, total = "outside", 0.0
        for at_token, tag in zip(scores, path, strict=True):
            if (state, tag) not in legal:
                break
            state, score = legal[state, tag]
            total += score + at_token[tag]
        else:
            if state in ("outside", "entity"):
                scored[path] = total
    return scored


def measured_by_hand(scores, transitions, n_types):
    scored = taggings(scores, transitions, n_types)
    log_z = np.logaddexp.reduce(list(scored.values()))
    probs = {path: math.exp(score - log_z) for path, score in scored.items()}
    best, second = sorted(probs.values(), reverse=True)[:2]
    entropy = -sum(prob * math.log(prob) for prob in probs.values() if prob)
    return best, second, entropy


def random_documents(lengths, n_types, *, seed, scale):
    rng = np.random.default_rng(seed)
    n_tags = 1 + 4 * n_types
    return [rng.normal(0, scale, (length, n_tags)) for length in lengths], rng.normal(0, scale, 2 * n_tags)


@pytest.mark.parametrize("scale", [0.3, 2, 200])
@pytest.mark.parametrize("temperature", [1.0, 1.7])
@pytest.mark.parametrize("n_types", [1, 2])
def test_every_measure_is_that_of_all_taggings(n_types, temperature, scale):
    lengths = [4, 1, 3, 2] if n_types == 1 else [3, 1, 2]
    scores, transitions = random_documents(lengths, n_types, seed=n_types, scale=scale)
    scores[0][1, 1 : 1 + 2 * n_types] = scores[0][1, 1 + 3 * n_types :] = -np.inf  # white space
    for one, given in zip(uncertainties(scores, transitions, temperature), scores, strict=True):
        best, second, entropy = measured_by_hand(given / temperature, transitions / temperature, n_types)
        assert one.best == pytest.approx(best, abs=1e-9) and one.second == pytest.approx(second, abs=1e-9)
        assert one.entropy == pytest.approx(entropy, abs=1e-8)


def test_two_taggings_alike_leave_no_margin():
    scores, transitions = np.zeros((1, 5)), np.zeros(10)
    (one,) = uncertainties([scores], transitions)
    assert one.best == one.second == pytest.approx(0.5) and one.entropy == pytest.approx(math.log(2))


def test_a_document_without_tokens_is_certain():
    empty, filled = uncertainties([np.zeros((0, 5)), np.zeros((1, 5))], np.zeros(10))
    assert (empty.best, empty.second, empty.entropy) == (1, 0, 0) and filled.best < 1


def test_documents_are_measured_alike_alone_and_together():
    scores, transitions = random_documents([40, 3, 17, 1], 3, seed=4, scale=3)
    together = uncertainties(scores, transitions)
    for n, array in enumerate(scores):
        (alone,) = uncertainties([array], transitions)
        assert together[n].entropy == pytest.approx(alone.entropy, abs=1e-9)
        assert together[n].best == pytest.approx(alone.best, abs=1e-9)
