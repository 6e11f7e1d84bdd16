"""The lattice against brute force: every legal path of short documents, written out."""

import math
from itertools import product

import pytest

torch = pytest.importorskip("torch")

from domain_ner.crf_ner import lattice  # noqa: E402
from domain_ner.crf_ner.decoding import SpanProbabilities, decode  # noqa: E402
from domain_ner.crf_ner.lattice import marginals, n_transitions, path_scores, transition_index  # noqa: E402
from domain_ner.crf_ner.loss import KnownTags, is_legal, negative_log_likelihood, span_tags  # noqa: E402
from domain_ner.crf_ner.selection import select_candidates  # noqa: E402

N_TYPES = 2
N_TAGS = 1 + 4 * N_TYPES


def random_case(lengths, seed=0, scale=1.5):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn((len(lengths), max(lengths), N_TAGS), generator=generator) * scale
    flat = torch.randn(n_transitions(N_TYPES), generator=generator) * scale
    return scores, flat, torch.tensor(lengths)


def arrays(scores, flat, lengths):
    """As `decode` takes them."""
    return scores.double().numpy(), flat.double().numpy(), lengths.numpy()


def paths(length):
    return [path for path in product(range(N_TAGS), repeat=length) if is_legal(path, N_TYPES)]


def score(scores, flat, doc, path):
    return float(path_scores(scores[doc : doc + 1], flat, [list(path)])[0])


def spans_of(path):
    found, start = [], None
    for n, tag in enumerate(path):
        if tag == 0:
            continue
        kind, label = divmod(tag - 1, N_TYPES)
        if kind in (0, 1):
            start = n
        if kind in (1, 3):
            found.append((start, n + 1, label))
    return found


def test_legal_are_exactly_the_paths_that_spell_entities():
    """Counted otherwise: a sequence of length n is outside tokens and entities of any length, of two types."""
    ways = [1]
    for n in range(1, 5):
        ways.append(ways[n - 1] + sum(N_TYPES * ways[n - k] for k in range(1, n + 1)))
        assert len(paths(n)) == ways[n]


@pytest.fixture(params=["probabilities", "logarithms"])
def way(request, monkeypatch):
    """The two ways to sum paths on a CPU."""
    if request.param == "logarithms":
        monkeypatch.setattr(lattice, "count_tags", lambda *_: None)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("seed", range(5))
def test_partition_and_tag_marginals_are_those_of_all_paths(seed):
    scores, flat, lengths = random_case([4, 1, 3], seed)
    found = marginals(scores, flat, lengths)
    for doc, length in enumerate(lengths.tolist()):
        weighed = {path: math.exp(score(scores, flat, doc, path)) for path in paths(length)}
        total = sum(weighed.values())
        assert float(found.log_z[doc]) == pytest.approx(math.log(total), abs=1e-4)
        for position, tag in product(range(length), range(N_TAGS)):
            share = sum(weight for path, weight in weighed.items() if path[position] == tag) / total
            assert float(found.emissions[doc, position, tag]) == pytest.approx(share, abs=1e-5)
        assert float(found.emissions[doc, length:].abs().sum()) == 0


@pytest.mark.parametrize("seed", range(10))
def test_viterbi_finds_the_best_path_and_the_probability_of_its_spans(seed):
    scores, flat, lengths = random_case([4, 2, 1, 3], seed)
    for doc, found in enumerate(decode(*arrays(scores, flat, lengths))):
        weighed = {path: score(scores, flat, doc, path) for path in paths(int(lengths[doc]))}
        best = max(weighed, key=weighed.get)
        assert [one[:3] for one in found.entities] == spans_of(best)
        total = sum(map(math.exp, weighed.values()))
        for *span, log_prob in found.entities:
            share = sum(math.exp(weight) for path, weight in weighed.items() if tuple(span) in spans_of(path)) / total
            assert math.exp(log_prob) == pytest.approx(share, abs=1e-5)


def test_probability_of_any_span_is_exact():
    scores, flat, lengths = random_case([4], 3)
    prober = SpanProbabilities(*arrays(scores, flat, lengths))
    weighed = {path: math.exp(score(scores, flat, 0, path)) for path in paths(4)}
    for start, end, label in [(s, e, k) for s in range(4) for e in range(s + 1, 5) for k in range(N_TYPES)]:
        share = sum(w for path, w in weighed.items() if (start, end, label) in spans_of(path)) / sum(weighed.values())
        assert math.exp(prober(0, start, end, label)) == pytest.approx(share, abs=1e-5)


@pytest.mark.parametrize("floor", [0.3, 0.05, 0.001])
def test_the_probable_spans_are_all_those_above_the_floor(floor):
    scores, flat, lengths = random_case([4, 1, 3], 9)
    prober = SpanProbabilities(*arrays(scores, flat, lengths))
    for doc, length in enumerate(lengths.tolist()):
        spans = [(s, e, k) for s in range(length) for e in range(s + 1, length + 1) for k in range(N_TYPES)]
        expected = {span: prober(doc, *span) for span in spans if prober(doc, *span) >= math.log(floor)}
        found = {one[:3]: one.log_prob for one in prober.probable(doc, [math.log(floor)] * N_TYPES)}
        assert found == pytest.approx(expected, abs=1e-5)


def test_candidates_are_in_order_and_not_among_the_entities():
    scores, flat, lengths = random_case([4, 2], 9)
    for found in decode(*arrays(scores, flat, lengths), floors=[math.log(0.01)] * N_TYPES):
        taken = {one[:3] for one in found.entities}
        candidates = select_candidates(found.probable, taken, 3)
        assert candidates
        assert not {one[:3] for one in candidates} & taken
        log_probs = [one.log_prob for one in candidates]
        assert log_probs == sorted(log_probs, reverse=True)


def test_margins_make_a_missed_entity_cost_more_and_leave_the_rest():
    scores, flat, _ = random_case([4, 1, 2], 5)
    plain, same, more = (negative_log_likelihood(scores, flat, COMPLETE, weights) for weights in ([], [1, 1], [1, 3]))
    assert torch.equal(plain.losses, same.losses)
    assert more.losses[0] > plain.losses[0]  # an entity of type 1
    assert torch.equal(more.losses[1:], plain.losses[1:])  # one of type 0, and none


def test_margins_are_those_of_the_paths():
    """Brute force: each path weighs more by the weight of every entity token that it gets wrong."""
    scores, flat, _ = random_case([3], 2)
    gold, weight = [*span_tags(2, 1, N_TYPES), 0], 2.5
    found = negative_log_likelihood(scores, flat, [KnownTags(gold)], [1.0, weight])
    total = 0.0
    for path in paths(3):
        n_wrong = sum(tag != own for tag, own in zip(gold[:2], path[:2], strict=True))
        total += math.exp(score(scores, flat, 0, path)) * weight**n_wrong
    assert float(found.losses[0]) == pytest.approx(math.log(total) - score(scores, flat, 0, gold), abs=1e-4)


def brute_loss(scores, flat, doc, known):
    weighed = {path: math.exp(score(scores, flat, doc, path)) for path in paths(len(known.tags))}
    agreeing = {
        path: weight
        for path, weight in weighed.items()
        if all(tag in (None, own) for tag, own in zip(known.tags, path, strict=True))
    }
    loss = math.log(sum(weighed.values())) - math.log(sum(agreeing.values()))
    for span in known.rejected:
        share = sum(w for path, w in agreeing.items() if span in spans_of(path)) / sum(agreeing.values())
        loss -= math.log(1 - share)
    return loss


KNOWN = [
    KnownTags([0, *span_tags(2, 1, N_TYPES), 0]),
    KnownTags([None, None, None, None]),
    KnownTags([None, 0, *span_tags(2, 0, N_TYPES)]),
    KnownTags([span_tags(2, 1, N_TYPES)[0], None, None]),
    KnownTags([None, None, None], [(0, 2, 1), (1, 2, 0)]),
    KnownTags([0, None, None], [(0, 2, 1)]),
    KnownTags([None]),
]


def test_loss_is_that_of_all_paths_which_agree_with_what_is_known():
    scores, flat, _ = random_case([len(one.tags) for one in KNOWN], 7)
    found = negative_log_likelihood(scores, flat, KNOWN)
    for doc, known in enumerate(KNOWN):
        assert float(found.losses[doc]) == pytest.approx(brute_loss(scores, flat, doc, known), abs=1e-4), known


COMPLETE = [KnownTags([0, *span_tags(2, 1, N_TYPES), 0]), KnownTags(span_tags(1, 0, N_TYPES)), KnownTags([0, 0])]


def test_paths_that_are_known_whole_cost_the_same_alone_and_beside_others():
    scores, flat, _ = random_case([4, 1, 2, 3], 5)
    alone = negative_log_likelihood(scores[:3], flat, COMPLETE)
    beside = negative_log_likelihood(scores, flat, [*COMPLETE, KnownTags([None] * 3)])
    assert torch.allclose(alone.losses, beside.losses[:3], atol=1e-4)
    assert torch.allclose(alone.d_scores, beside.d_scores[:3], atol=1e-5)
    assert torch.allclose(alone.d_transitions, beside.d_transitions, atol=1e-4)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("given", [KNOWN, COMPLETE], ids=["partial", "complete"])
def test_gradient_agrees_with_finite_differences(given):
    scores, flat, _ = random_case([len(one.tags) for one in given], 11)
    scores, flat, step = scores.double(), flat.double(), 1e-2
    found = negative_log_likelihood(scores, flat, given)

    def total():
        return float(negative_log_likelihood(scores, flat, given).losses.double().sum())

    for values, gradient in ((scores, found.d_scores), (flat, found.d_transitions)):
        for place in torch.randperm(values.numel(), generator=torch.Generator().manual_seed(0))[:60].tolist():
            before = values.view(-1)[place].item()
            values.view(-1)[place] = before + step
            above = total()
            values.view(-1)[place] = before - step
            below = total()
            values.view(-1)[place] = before
            assert float(gradient.reshape(-1)[place]) == pytest.approx((above - below) / (2 * step), abs=2e-3)


def test_nothing_known_teaches_nothing():
    scores, flat, _ = random_case([3], 1)
    found = negative_log_likelihood(scores, flat, [KnownTags([None] * 3)])
    assert float(found.losses[0]) == pytest.approx(0, abs=1e-5)
    assert float(found.d_scores.abs().max()) < 1e-5


def test_tags_that_make_no_path_cost_nothing_and_are_counted():
    scores, flat, _ = random_case([2, 2], 2)
    begin = span_tags(2, 0, N_TYPES)[0]
    found = negative_log_likelihood(scores, flat, [KnownTags([begin, 0]), KnownTags([0, 0])])
    assert found.n_impossible == 1
    assert float(found.losses[0]) == 0
    assert torch.isfinite(found.d_scores).all()
    assert torch.isfinite(found.d_transitions).all()


def test_every_legal_transition_has_a_place_of_its_own():
    index = transition_index(N_TYPES)
    used = set(index[index >= 0].tolist())
    assert used == set(range(n_transitions(N_TYPES)))


def test_large_scores_stay_finite():
    scores, flat, lengths = random_case([4], 0, scale=200.0)
    assert torch.isfinite(marginals(scores, flat, lengths).emissions).all()
