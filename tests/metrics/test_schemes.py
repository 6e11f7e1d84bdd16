"""The forgiving schemes, against nervaluate, and the strict one against seqeval and spaCy's scorer too."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.metrics.schemes import EXACT, PARTIAL, SCHEMES, STRICT, TYPE, Matches, match
from domain_ner.metrics.scores import score_entities

LABELS = ["A", "B", "C"]
N_TOKENS = 12


def flat(rng):
    """Entities over tokens that do not overlap."""
    found, at = [], 0
    while at < N_TOKENS:
        start = at + rng.choice([0, 0, 1, 2])
        end = start + rng.choice([1, 1, 2, 3])
        if end > N_TOKENS:
            break
        if rng.random() < 0.7:
            found.append((start, end, rng.choice(LABELS)))
        at = end
    return found


def blurred(gold, rng):
    """As a recogniser that is right more often than not."""
    kept = [one for one in gold if rng.random() < 0.8]
    moved, at = [], 0
    for true_start, true_end, label in kept:
        start = max(at, true_start + rng.choice([0, 0, 0, -1, 1]))
        end = min(N_TOKENS, true_end + rng.choice([0, 0, 0, 1]))
        if start < end:
            moved.append((start, end, label if rng.random() < 0.8 else rng.choice(LABELS)))
            at = end
    return moved


def corpora(n, seed=0):
    rng = random.Random(seed)
    for _ in range(n):
        golds = [flat(rng) for _ in range(rng.randint(1, 5))]
        yield [(gold, blurred(gold, rng) if rng.random() < 0.7 else flat(rng)) for gold in golds]


def test_agrees_with_nervaluate_on_1000_random_corpora():
    nervaluate = pytest.importorskip("nervaluate")
    names = {STRICT: "strict", EXACT: "exact", PARTIAL: "partial", TYPE: "ent_type"}

    def as_dicts(entities):
        return [{"label": label, "start": start, "end": end - 1} for start, end, label in entities]

    for pairs in corpora(1000):
        golden, predicted = ([as_dicts(pair[n]) for pair in pairs] for n in (0, 1))
        theirs = nervaluate.Evaluator(golden, predicted, tags=LABELS, loader="dict").evaluate()["overall"]
        for scheme, name in names.items():
            ours, other = match(pairs, scheme), theirs[name]
            counted = (other.correct, other.incorrect, other.partial, other.missed, other.spurious)
            assert ours == Matches(*counted), (scheme, pairs)
            assert (ours.precision, ours.recall) == pytest.approx((other.precision, other.recall))
            assert ours.f1 == pytest.approx(other.f1)


def test_strict_agrees_with_seqeval_and_with_the_plain_scores_on_1000_random_corpora():
    metrics = pytest.importorskip("seqeval.metrics")

    def tags(entities):
        found = ["O"] * N_TOKENS
        for start, end, label in entities:
            found[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
        return found

    for pairs in corpora(1000, seed=1):
        ours, plain = match(pairs, STRICT), score_entities(pairs).micro
        assert ours.f1 == pytest.approx(plain.f1)
        if any(gold for gold, _ in pairs) and any(predicted for _, predicted in pairs):
            theirs = metrics.f1_score([tags(gold) for gold, _ in pairs], [tags(found) for _, found in pairs])
            assert ours.f1 == pytest.approx(theirs)


def test_agrees_with_spacys_scorer_on_1000_random_corpora():
    import spacy
    from spacy.scorer import Scorer
    from spacy.tokens import Doc, Span
    from spacy.training import Example

    vocab = spacy.blank("en").vocab

    def doc(entities):
        made = Doc(vocab, words=["w"] * N_TOKENS)
        made.set_ents([Span(made, start, end, label=label) for start, end, label in entities])
        return made

    for pairs in corpora(1000, seed=2):
        theirs = Scorer.score_spans([Example(doc(found), doc(gold)) for gold, found in pairs], "ents")
        ours = match(pairs, STRICT)
        if theirs["ents_f"] is not None:
            assert (ours.precision, ours.recall, ours.f1) == pytest.approx(
                (theirs["ents_p"], theirs["ents_r"], theirs["ents_f"])
            )


def test_each_scheme_forgives_what_it_says():
    gold = [(0, 5, "A")]
    f1 = {
        name: [match([(gold, [one])], name).f1 for one in [(0, 5, "B"), (1, 5, "A"), (1, 5, "B")]] for name in SCHEMES
    }
    assert f1 == {STRICT: [0, 0, 0], EXACT: [1, 0, 0], PARTIAL: [1, 0.5, 0.5], TYPE: [0, 1, 0]}


def test_an_exact_match_is_not_taken_by_an_entity_around_it():
    outer, inner = (0, 9, "A"), (0, 3, "A")
    for scheme in SCHEMES:
        assert match([([inner], [outer, inner])], scheme) == Matches(n_correct=1, n_spurious=1)


def test_nothing_is_zero_not_an_error():
    assert [match([([], [])], scheme).f1 for scheme in SCHEMES] == [0, 0, 0, 0]


ENTITIES = st.lists(
    st.tuples(st.integers(0, 8), st.integers(1, 6), st.sampled_from(LABELS)).map(lambda x: (x[0], x[0] + x[1], x[2])),
    max_size=6,
    unique=True,
)


@given(ENTITIES, ENTITIES, st.sampled_from(sorted(SCHEMES)))
def test_every_entity_is_counted_once_also_where_they_nest(gold, predicted, scheme):
    found = match([(gold, predicted)], scheme)
    both = found.n_correct + found.n_incorrect + found.n_partial
    assert (both + found.n_missed, both + found.n_spurious) == (len(gold), len(predicted))
    assert found.n_correct >= len(set(gold) & set(predicted))
