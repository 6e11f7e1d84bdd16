"""The expected number of entities: the sum of the probabilities of all spans of a type."""

import numpy as np
import pytest

from domain_ner.crf_ner.decoding import SpanProbabilities, decode


@pytest.mark.parametrize("spread", [1.0, 30.0, 300.0])
def test_the_expected_number_of_entities_is_the_sum_of_the_probabilities_of_all_spans(spread):
    rng = np.random.default_rng(0)
    n_types, lengths = 2, np.array([5, 3, 1])
    scores = rng.normal(scale=spread, size=(3, 5, 1 + 4 * n_types))
    scores[0, 2, 1:5] = -np.inf  # a white-space token: no B, no U
    transitions = rng.normal(size=2 * scores.shape[2])
    prober = SpanProbabilities(scores, transitions, lengths)
    for doc, length in enumerate(lengths.tolist()):
        for label in range(n_types):
            spans = [(start, end) for start in range(length) for end in range(start + 1, length + 1)]
            total = sum(np.exp(prober(doc, *span, label)) for span in spans)
            assert prober.expected()[doc, label] == pytest.approx(total, abs=1e-9)


def test_expected_entities_are_decoded_on_request_also_where_nothing_is_found():
    scores = np.zeros((2, 4, 5))
    scores[:, :, 0] = 5.0
    given = scores, np.zeros(10), np.array([4, 2])
    assert [one.expected for one in decode(*given)] == [[], []]
    found = decode(*given, with_expected=True)
    assert [one.entities for one in found] == [[], []]
    assert 0 < found[1].expected[0] < found[0].expected[0] < 0.2
