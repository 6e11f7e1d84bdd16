import pytest

from domain_ner.metrics.scores import Score
from domain_ner.metrics.slices import (
    SEEN,
    SEEN_OTHERWISE,
    UNSEEN,
    Diversity,
    Occurrence,
    Surfaces,
    case,
    diversity,
    position_attributes,
    slices,
    surface_attributes,
    window_distance,
)


@pytest.fixture
def trained():
    surfaces = Surfaces()
    for surface, label in [("Redis", "INFRA"), ("redis", "INFRA"), ("Billing  API", "SERVICE")]:
        surfaces.add(surface, label)
    return surfaces


@pytest.mark.parametrize(
    ("surface", "label", "seen", "often"),
    [
        ("REDIS", "INFRA", SEEN, "2 to 5 times"),
        ("billing\napi", "SERVICE", SEEN, "once"),
        ("Redis", "SERVICE", SEEN_OTHERWISE, "2 to 5 times"),
        ("Kafka", "INFRA", UNSEEN, "never"),
    ],
)
def test_surfaces_seen_in_training(trained, surface, label, seen, often):
    traits = surface_attributes(surface, label, trained)
    assert (traits["surface"], traits["in training"]) == (seen, often)


@pytest.mark.parametrize(
    ("surface", "written"),
    [
        ("kafka", "lower"), ("Kafka", "Title"), ("Payments Squad", "Title"), ("SLA", "UPPER"), ("MAX_RETRIES", "UPPER"),
        ("iPhone", "mixed"), ("Payments squad", "mixed"), ("42", "no letters"),
        ("/v1/users", "lower"), ("", "no letters"),
        ("東京", "lower"), ("A", "Title"), ("Élan", "Title"),
    ],
)  # fmt: skip
def test_case(surface, written):
    assert case(surface) == written


def test_place():
    assert position_attributes(first=99, n_entity_tokens=5, n_tokens=100) == {
        "length": "more", "document length": "26 to 100", "position": "last fifth",
    }  # fmt: skip
    assert position_attributes(first=0, n_entity_tokens=1, n_tokens=1)["position"] == "first fifth"


def test_slices_hold_the_scores_of_what_has_the_trait_in_order():
    def one(is_gold, is_predicted, length):
        return Occurrence("A", is_gold, is_predicted, {"length": length})

    found = slices([one(True, True, "more"), one(True, False, "1 token"), one(False, True, "1 token")])
    assert found == {"length": {"1 token": Score(0, 1, 1), "more": Score(1, 1, 1)}}
    assert list(found["length"]) == ["1 token", "more"]


def test_diversity():
    mentions = [("Redis", "INFRA"), ("redis", "INFRA"), ("Kafka", "INFRA"), ("Core", "TEAM")]
    assert diversity(mentions) == {"INFRA": Diversity(3, 2, 1, "redis", 2), "TEAM": Diversity(1, 1, 1, "core", 1)}


@pytest.mark.parametrize(
    ("first", "last", "cuts", "value"),
    [
        (0, 2, [], "a passage in one window"),
        (95, 97, [100], "within 10 tokens of a cut"),
        (98, 103, [100], "within 10 tokens of a cut"),
        (109, 110, [50, 100], "within 10 tokens of a cut"),
        (110, 111, [50, 100], "farther from any cut"),
        (20, 22, [100], "farther from any cut"),
    ],
)
def test_how_near_to_where_windows_meet(first, last, cuts, value):
    assert window_distance(first, last, cuts) == value
