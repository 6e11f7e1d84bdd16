"""Documents of any length: probabilities that are exact, wherever a span stands, and training that learns from them."""

import math

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from test_lattice import arrays
from test_pipe import blank, confidences

torch = pytest.importorskip("torch")

from domain_ner.crf_ner.decoding import SpanProbabilities, decode  # noqa: E402
from domain_ner.crf_ner.lattice import (  # noqa: E402
    backward_chart,
    forward_chart,
    log_partition,
    marginals,
    n_transitions,
    transition_table,
)
from domain_ner.crf_ner.loss import KnownTags, negative_log_likelihood, span_tags  # noqa: E402
from domain_ner.crf_ner.padding import MAX_SCORES, length_groups, padded_groups  # noqa: E402

N_TYPES = 3
N_TAGS = 1 + 4 * N_TYPES
N_TOKENS = 20_000


@pytest.fixture(scope="module")
def long_case():
    """In float32, as the network gives them; far from normalised, as trained scores are."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn((1, N_TOKENS, N_TAGS), generator=generator) * 4 + 9
    return scores, torch.randn(n_transitions(N_TYPES), generator=generator) * 2, torch.tensor([N_TOKENS])


def test_marginals_of_each_of_20000_tokens_sum_to_one(long_case):
    sums = marginals(*long_case).emissions.sum(2)
    assert float((sums - 1).abs().max()) < 1e-6


def test_the_sum_over_all_paths_is_the_same_from_either_end(long_case):
    scores, flat, lengths = long_case
    chart = forward_chart(scores, flat)
    table, suffixes = transition_table(flat.double()), backward_chart(chart, flat, lengths)
    assert table.dtype == torch.float64
    assert float(suffixes[0, 0, 1]) == pytest.approx(float(log_partition(chart, lengths, scaled=True)[0]), abs=1e-8)


def test_the_same_passage_has_the_same_confidences_wherever_it_stands():
    generator = torch.Generator().manual_seed(1)
    passage = torch.randn((67, N_TAGS), generator=generator) * 3
    passage[[0, -1], 0] += 40  # it begins and ends outside, so that its neighbours tell it nothing
    flat = torch.randn(n_transitions(N_TYPES), generator=generator)
    (found,) = decode(*arrays(passage.repeat(300, 1)[None], flat, torch.tensor([67 * 300])))
    (alone,) = decode(*arrays(passage[None], flat, torch.tensor([67])))
    assert len(alone.entities) > 5
    assert len(found.entities) == 300 * len(alone.entities)
    for n, one in enumerate(found.entities):
        same = alone.entities[n % len(alone.entities)]
        assert (one.start % 67, one.label) == (same.start, same.label)
        assert math.exp(one.log_prob) == pytest.approx(math.exp(same.log_prob), abs=1e-9)


def test_no_probability_is_above_one(long_case):
    """Nothing hides an error by cutting it off: rounding alone is left."""
    scores, flat, lengths = long_case
    scores = scores.clone()
    scores[0, ::2, 0] += 60  # all but certain
    prober = SpanProbabilities(*arrays(scores, flat, lengths))
    log_probs = [one.log_prob for one in prober.probable(0, [math.log(0.01)] * N_TYPES)]
    assert len(log_probs) > 1000
    assert max(log_probs) < 1e-9


def test_the_gradient_of_a_long_document_is_exact():
    """Against the logarithms' own sums in float64, by autograd."""
    generator = torch.Generator().manual_seed(2)
    scores = torch.randn((1, 3000, N_TAGS), generator=generator) * 4
    flat = torch.randn(n_transitions(N_TYPES), generator=generator)
    entity = [0, 0, *span_tags(3, 1, N_TYPES), *span_tags(1, 2, N_TYPES)]
    known = KnownTags(entity * 500)
    found = negative_log_likelihood(scores, flat, [known])
    wanted = _reference_gradient(scores[0].double(), flat.double(), known)
    assert float((found.d_scores[0] - wanted[0]).norm() / wanted[0].norm()) < 1e-5
    assert float((found.d_transitions - wanted[1]).norm() / wanted[1].norm()) < 1e-5


def _reference_gradient(scores, flat, known):
    """Of the full table of tags by tags, one logsumexp a token, and PyTorch's own derivatives."""
    from domain_ner.crf_ner.lattice import path_scores, transition_index

    scores, flat = scores.requires_grad_(), flat.requires_grad_()
    index = transition_index(N_TYPES)
    table = torch.where(index >= 0, flat[index.clamp(min=0)], -math.inf)
    ends = torch.tensor([0, *range(1 + N_TYPES, 1 + 2 * N_TYPES), *range(1 + 3 * N_TYPES, N_TAGS)])
    reached = table[0] + scores[0]
    for emitted in scores[1:]:
        reached = (reached[:, None] + table).logsumexp(0) + emitted
    loss = reached[ends].logsumexp(0) - path_scores(scores[None], flat, [known.tags])[0]
    return torch.autograd.grad(loss, (scores, flat))


@pytest.mark.parametrize("n_types", [1, 6, 150])
def test_what_goes_through_the_lattice_together_is_bounded_by_tokens_times_tags(n_types):
    n_tags = 1 + 4 * n_types
    lengths = [2000] * 300 + [10] * 3000
    groups = list(length_groups(lengths, n_tags))
    assert sorted(n for group in groups for n in group) == list(range(len(lengths)))
    for group in groups:
        assert max(lengths[n] for n in group) * len(group) * n_tags <= max(MAX_SCORES, 2000 * n_tags)


def test_groups_are_made_for_the_tags_there_are():
    scores = [torch.zeros((2000, 601)).numpy()] * 10
    assert len(list(padded_groups(scores, torch.zeros(1202).numpy()))) == 4


NAMES = ["Redis", "Kafka", "Envoy", "Minio", "Consul", "Vault"]
VERBS = ["restarted", "failed", "lagged", "recovered", "stalled"]


def passages(n, first=0):
    """The name is an entity where it follows «the», and none where it follows «Mrs»."""
    for k in range(first, first + n):
        name, verb = NAMES[k % 6] + str(k % 7), VERBS[k % 5]
        yield (
            (["After", "noon", "the", name, "broker", verb, "again", "."], (3, 5))
            if k % 3
            else (
                ["At", "noon", "Mrs", name, "at", "last", verb, "."],
                None,
            )
        )


def gold(nlp, given):
    words, spans = [], []
    for part, span in given:
        spans += [(len(words) + span[0], len(words) + span[1])] if span else []
        words += part
    doc = Doc(nlp.vocab, words=words)
    doc.ents = [spacy.tokens.Span(doc, start, end, label="INFRA") for start, end in spans]
    return Example(Doc(nlp.vocab, words=words), doc)


def f1_after(given, n_steps):
    nlp = blank()
    made = [gold(nlp, part) for part in given]
    optimizer = nlp.initialize(lambda: made)
    for _ in range(n_steps):
        nlp.update(made, sgd=optimizer)
    return nlp.evaluate([gold(nlp, [one]) for one in passages(200, first=2000)])["ents_f"]


def test_one_document_of_5000_tokens_teaches_what_its_passages_teach():
    n_steps, given = 8, list(passages(625))
    assert sum(len(words) for words, _ in given) == 5000
    whole, in_passages = f1_after([given], n_steps), f1_after([[one] for one in given], n_steps)
    assert in_passages > 0.95
    assert whole >= in_passages - 0.01


def test_a_trained_pipeline_says_the_same_of_a_passage_wherever_it_stands():
    nlp = blank()
    made = [gold(nlp, [one]) for one in passages(60)]
    optimizer = nlp.initialize(lambda: made)
    for _ in range(6):
        nlp.update(made, sgd=optimizer)
    words = [word for part, _ in list(passages(15)) for word in part]
    doc = nlp(Doc(nlp.vocab, words=words * 300))
    n_ents = len(doc.ents) // 300
    assert n_ents >= 8
    given = torch.tensor(confidences(doc))[n_ents:-n_ents].view(-1, n_ents)
    assert float((given.max(0).values - given.min(0).values).max()) < 1e-4
