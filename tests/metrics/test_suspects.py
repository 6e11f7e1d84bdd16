"""Suspicious annotations: each of its kind, with the probability that the model is right about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.metrics.scores import score_entities
from domain_ner.metrics.suspects import (
    BOUNDARY,
    KINDS,
    LACKING_ANNOTATION,
    NEEDLESS_ANNOTATION,
    OTHER_TYPE,
    Suspect,
    Usage,
    find_suspects,
    max_plausible_score,
    smooth_probability,
)

TEAM, INFRA = (0, 8, "TEAM"), (14, 19, "INFRA")


@pytest.mark.parametrize(
    ("annotated", "predicted", "kind"),
    [
        ([], [INFRA], LACKING_ANNOTATION),
        ([INFRA], [(14, 19, "TEAM")], OTHER_TYPE),
        ([INFRA], [(14, 21, "INFRA")], BOUNDARY),
        ([INFRA], [(14, 16, "INFRA"), (17, 19, "INFRA")], BOUNDARY),
    ],
)
def test_where_the_model_suggests_something_its_probability_is_the_score(annotated, predicted, kind):
    probable = dict.fromkeys(predicted, 0.9) | {predicted[0]: 0.7, TEAM: 0.99}
    [found] = find_suspects(annotated, predicted, probable)
    assert (found.kind, found.score) == (kind, 0.7)
    assert (found.annotated, found.suggested) == (tuple(annotated), tuple(predicted))


def test_an_annotation_where_the_model_sees_nothing_is_as_suspicious_as_nothing_is_probable():
    [found] = find_suspects(
        [TEAM, INFRA], [TEAM], {TEAM: 0.9, INFRA: 0.1, (14, 21, "INFRA"): 0.2, (30, 35, "TEAM"): 1.0}
    )
    assert (found.kind, found.annotated, found.suggested) == (NEEDLESS_ANNOTATION, (INFRA,), ())
    assert found.score == pytest.approx(0.7)
    assert (found.start, found.end) == (14, 19)


def test_what_both_say_is_not_suspicious():
    assert find_suspects([TEAM, INFRA], [TEAM, INFRA], {TEAM: 0.3, INFRA: 0.2}) == []


def test_a_model_is_believed_as_far_as_other_places_do_not_know_better():
    assert smooth_probability(0.9, "A", Usage(0, {})) == pytest.approx(0.9)
    assert smooth_probability(0.01, "A", Usage(20, {"A": 20})) > 0.9
    assert smooth_probability(0.01, "A", Usage(20, {"B": 20})) < 0.001
    assert smooth_probability(0.99, "A", Usage(50, {})) < 0.05


@given(st.floats(0, 1), st.integers(0, 50), st.integers(0, 50))
def test_a_weighed_probability_is_one(p, n_same, n_other):
    assert 0 <= smooth_probability(p, "A", Usage(n_same + n_other, {"A": n_same, "B": n_other})) <= 1


ENTITIES = st.lists(st.tuples(st.integers(0, 8), st.integers(1, 4), st.sampled_from("AB")), max_size=4).map(
    lambda some: sorted({(start, start + length, label) for start, length, label in some})
)


@given(ENTITIES, ENTITIES, st.floats(0, 1))
def test_every_difference_is_in_one_suspect_of_a_known_kind(annotated, predicted, sure):
    found = find_suspects(annotated, predicted, dict.fromkeys(predicted, sure))
    assert sorted(one for suspect in found for one in suspect.annotated) == sorted(set(annotated) - set(predicted))
    assert sorted(one for suspect in found for one in suspect.suggested) == sorted(set(predicted) - set(annotated))
    assert all(suspect.kind in KINDS and 0 <= suspect.score <= 1 for suspect in found)


def test_a_suspicion_claims_no_more_than_the_models_have_shown():
    """Of TEAM they find 1 of 9 and are right 1 time of 2; of INFRA they know all."""
    gold = [(n, n + 1, "TEAM") for n in range(9)] + [(n, n + 1, "INFRA") for n in range(20, 118)]
    found = [*gold[:1], (50_000, 50_001, "TEAM"), *gold[9:]]
    scores = score_entities([(gold, found)])
    assert max_plausible_score(Suspect(NEEDLESS_ANNOTATION, (TEAM,), (), 1.0), scores) == pytest.approx(2 / 11)
    assert max_plausible_score(Suspect(LACKING_ANNOTATION, (), (TEAM,), 1.0), scores) == pytest.approx(2 / 4)
    assert max_plausible_score(Suspect(OTHER_TYPE, (TEAM,), (INFRA,), 1.0), scores) == pytest.approx(99 / 100)
    assert max_plausible_score(Suspect(BOUNDARY, (TEAM,), (INFRA, TEAM), 1.0), scores) == pytest.approx(2 / 4)
