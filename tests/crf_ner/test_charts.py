"""The NumPy lattice against the PyTorch one, and against brute force: the same to 1e-9, by either way of summing."""

import math
from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from test_lattice import paths, score, spans_of  # noqa: E402

from domain_ner.crf_ner import charts  # noqa: E402
from domain_ner.crf_ner.charts import best_paths  # noqa: E402
from domain_ner.crf_ner.decoding import decode  # noqa: E402
from domain_ner.crf_ner.lattice import backward_chart, forward_chart, log_partition, path_scores  # noqa: E402
from domain_ner.crf_ner.probabilities import is_narrow, transition_table  # noqa: E402

WAYS = [charts._sum_scaled, charts._sum_logs]


def random_case(lengths, n_types, *, seed=0, scale=3.0, spaces=0.1):
    """Scores as a recogniser gives them: white space has no B, U and L; padding has zeros."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(scale=scale, size=(len(lengths), max(lengths), 1 + 4 * n_types))
    scores[:, :, 0] += 2 * scale
    is_space = generator.random(scores.shape[:2]) < spaces
    scores[is_space, 1 : 1 + 2 * n_types] = -math.inf
    scores[is_space, 1 + 3 * n_types :] = -math.inf
    for row, length in zip(scores, lengths, strict=True):
        row[length:] = 0
    return scores, generator.normal(size=2 + 8 * n_types), np.array(lengths)


def summed(way, scores, transitions, lengths):
    return way(np.ascontiguousarray(scores.transpose(1, 0, 2)), transition_table(transitions), lengths)


def span_log_probs(sums, lengths, table):
    """Of all single tokens as entities: states, emissions and suffixes together, where the scales cancel out."""
    n_types = (table.shape[1] - 1) // 4
    units = slice(1 + n_types, 1 + 2 * n_types)
    found = []
    for doc, length in enumerate(lengths):
        before = np.logaddexp(
            sums.states[:length, doc, 1, None] + table[0, units], sums.states[:length, doc, 0, None] + table[1, units]
        )
        found.append(
            before + sums.emissions[:length, doc, units] + sums.suffixes[1 : length + 1, doc, :1] - sums.log_z[doc]
        )
    return np.concatenate(found)


def torch_span_log_probs(scores, transitions, lengths):
    scores, transitions, lengths = map(torch.tensor, (scores, transitions, lengths))
    chart = forward_chart(scores, transitions)
    suffixes = backward_chart(chart, transitions, lengths)
    log_z = log_partition(chart, lengths, scaled=True)
    sums = charts.Sums(*(tensor.numpy() for tensor in (chart.states, suffixes, chart.emissions, log_z)))
    return span_log_probs(sums, lengths.numpy(), transition_table(transitions.numpy()))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n_types", [1, 3, 60])
@pytest.mark.parametrize("seed", range(3))
def test_span_probabilities_equal_those_of_the_torch_lattice(way, n_types, seed):
    case = random_case([40, 40, 7, 1], n_types, seed=seed)
    expected = torch_span_log_probs(*case)
    found = span_log_probs(summed(way, *case), case[2], transition_table(case[1]))
    assert np.isneginf(expected).any()  # white space
    assert np.array_equal(np.isneginf(found), np.isneginf(expected))
    is_there = np.isfinite(expected)
    assert np.abs(found[is_there] - expected[is_there]).max() < 1e-9


@pytest.mark.parametrize("way", WAYS)
def test_the_log_sum_is_the_same_from_either_end_of_10000_tokens(way):
    case = random_case([10_000], 3)
    sums = summed(way, *case)
    assert sums.suffixes[0, 0, 1] == pytest.approx(sums.log_z[0], abs=1e-8)
    assert np.abs(np.exp(torch_span_log_probs(*case)) - np.exp(_probs(sums, case))).max() < 1e-9


def _probs(sums, case):
    return span_log_probs(sums, case[2], transition_table(case[1]))


def every_span(length, n_types):
    return [(s, e, k) for s, e, k in product(range(length), range(1, length + 1), range(n_types)) if s < e]


@pytest.mark.parametrize("scale", [1.0, 200.0, 2000.0])
@pytest.mark.parametrize("seed", range(4))
def test_decoding_equals_brute_force_however_far_apart_the_scores_are(scale, seed):
    """Where probabilities would underflow, sums are in log space: the result is exact in both."""
    lengths = [4, 2, 3]
    scores, transitions, lengths = random_case(lengths, 2, seed=seed, scale=scale, spaces=0.2)
    floors = [-math.inf] * 2
    for doc, decoded in enumerate(decode(scores, transitions, lengths, floors=floors)):
        weighed = [
            (path, score(torch.tensor(scores), torch.tensor(transitions), doc, path)) for path in paths(lengths[doc])
        ]
        best_path, best = max(weighed, key=lambda pair: pair[1])
        assert [span[:3] for span in decoded.entities] == spans_of(best_path)
        log_z = best + math.log(sum(math.exp(weight - best) for _, weight in weighed))
        probable = {span[:3]: span.log_prob for span in decoded.probable}
        for span in every_span(lengths[doc], 2):
            weights = [weight for path, weight in weighed if span in spans_of(path)]
            highest = max(weights)
            if math.isinf(highest):
                assert math.isinf(probable.get(span, -math.inf))
                continue
            expected = highest + math.log(sum(math.exp(weight - highest) for weight in weights)) - log_z
            assert probable[span] == pytest.approx(expected, abs=1e-9 * max(1, abs(expected)))


def test_scores_that_would_underflow_are_summed_in_log_space():
    near, far = (random_case([6], 2, scale=scale)[:2] for scale in (3.0, 300.0))
    for (scores, transitions), expected in ((near, True), (far, False)):
        emissions = scores.transpose(1, 0, 2)
        assert is_narrow(emissions, transition_table(transitions)) is expected


def test_a_long_run_of_white_space_counts_as_so_many_steps():
    scores, transitions, _ = random_case([60], 2, scale=4.0, spaces=0.0)
    emissions = scores.transpose(1, 0, 2)
    assert is_narrow(emissions, transition_table(transitions))
    emissions[10:50, :, 1:5] = -math.inf
    assert not is_narrow(emissions, transition_table(transitions))


@pytest.mark.parametrize("n_types", [1, 5, 80])
def test_the_best_path_scores_as_much_as_the_chart_says(n_types):
    """The score of the traced path, summed by PyTorch, is the chart's maximum."""
    scores, transitions, lengths = random_case([30, 12], n_types, seed=5)
    states, emissions = best_paths(scores, transitions)
    unscaled = np.cumsum(scores.transpose(1, 0, 2)[:, :, 0] - emissions[:, :, 0], axis=0)
    for doc, decoded in enumerate(decode(scores, transitions, lengths)):
        length = lengths[doc]
        path = [0] * length
        for start, end, label, _ in decoded.entities:
            kinds = [1] if end - start == 1 else [0, *[2] * (end - start - 2), 3]
            path[start:end] = [1 + kind * n_types + label for kind in kinds]
        found = float(path_scores(torch.tensor(scores[doc : doc + 1]), torch.tensor(transitions), [path])[0])
        assert found == pytest.approx(states[length, doc, :2].max() + unscaled[length - 1, doc], abs=1e-9)


def test_nothing_is_decoded_from_nothing():
    assert decode(np.zeros((0, 0, 9)), np.zeros(18), np.zeros(0, dtype=int)) == []
