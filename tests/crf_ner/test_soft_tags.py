"""Learning from another model's marginals, against brute force: every tagging of short documents, written out."""

import math

import pytest
from test_lattice import KNOWN, paths, random_case, score

torch = pytest.importorskip("torch")

from domain_ner.crf_ner.lattice import marginals  # noqa: E402
from domain_ner.crf_ner.loss import KnownTags, SoftTags, negative_log_likelihood  # noqa: E402

LENGTHS = [4, 1, 3]


def taught(lengths, seed, weight=1.0):
    """What a teacher with other scores thinks of each document, and those scores."""
    scores, flat, n_tokens = random_case(lengths, seed)
    found = marginals(scores.double(), flat.double(), n_tokens)
    soft = [SoftTags(found.emissions[doc, :n], found.uses[doc], weight) for doc, n in enumerate(lengths)]
    return soft, scores, flat


def log_probabilities(scores, flat, doc, length):
    totals = {path: score(scores, flat, doc, path) for path in paths(length)}
    log_z = math.log(sum(map(math.exp, totals.values())))
    return {path: total - log_z for path, total in totals.items()}


def test_the_loss_is_the_cross_entropy_of_all_taggings():
    soft, *teacher = taught(LENGTHS, 3)
    scores, flat, _ = random_case(LENGTHS, 4)
    found = negative_log_likelihood(scores, flat, soft)
    for doc, length in enumerate(LENGTHS):
        of_teacher, own = (log_probabilities(*case, doc, length) for case in (teacher, (scores, flat)))
        expected = -sum(math.exp(of_teacher[path]) * own[path] for path in own)
        assert float(found.losses[doc]) == pytest.approx(expected, abs=1e-4)


def test_the_gradient_agrees_with_finite_differences_beside_known_tags():
    given = [*taught(LENGTHS, 3, weight=0.4)[0], *KNOWN, KnownTags([0, 0], weight=0.5)]
    scores, flat, _ = random_case([len(one.tags) for one in given], 11)
    scores, flat, step = scores.double(), flat.double(), 1e-2
    found = negative_log_likelihood(scores, flat, given)
    for values, gradient in ((scores, found.d_scores), (flat, found.d_transitions)):
        for place in torch.randperm(values.numel(), generator=torch.Generator().manual_seed(0))[:60].tolist():
            before, totals = values.view(-1)[place].item(), []
            for moved in (before + step, before - step, before):
                values.view(-1)[place] = moved
                totals.append(float(negative_log_likelihood(scores, flat, given).losses.sum()))
            expected = (totals[0] - totals[1]) / (2 * step)
            assert float(gradient.reshape(-1)[place]) == pytest.approx(expected, abs=2e-3)


def test_who_thinks_as_the_teacher_has_nothing_to_learn():
    soft, scores, flat = taught(LENGTHS, 5)
    found = negative_log_likelihood(scores, flat, soft)
    assert float(found.d_scores.abs().max()) < 1e-6 and float(found.d_transitions.abs().max()) < 1e-6


def test_a_sure_teacher_is_an_annotation():
    (known,) = [one for one in KNOWN if one.is_complete]
    scores, flat, lengths = random_case([4], 6)
    emissions = torch.nn.functional.one_hot(torch.tensor([known.tags]), scores.shape[2]).double()
    sure = marginals(torch.where(emissions == 1, 100.0, -100.0), torch.zeros_like(flat), lengths)
    soft = negative_log_likelihood(scores, flat, [SoftTags(sure.emissions[0], sure.uses[0])])
    hard = negative_log_likelihood(scores, flat, [known])
    assert float(soft.losses[0]) == pytest.approx(float(hard.losses[0]), abs=1e-6)
    assert torch.allclose(soft.d_scores, hard.d_scores, atol=1e-6)
    assert torch.allclose(soft.d_transitions, hard.d_transitions, atol=1e-6)


def test_a_document_counts_as_much_as_its_weight():
    scores, flat, _ = random_case([3, 3], 7)
    whole = negative_log_likelihood(scores, flat, [KnownTags([0, None, 0]), KnownTags([0, 0, 0])])
    half = negative_log_likelihood(scores, flat, [KnownTags([0, None, 0], weight=0.5), KnownTags([0, 0, 0], weight=0)])
    assert float(half.losses[0]) == pytest.approx(float(whole.losses[0]) / 2)
    assert torch.allclose(half.d_scores[0], whole.d_scores[0] / 2)
    assert float(half.losses[1]) == 0 and float(half.d_scores[1].abs().max()) == 0
