import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.metrics.perturbations import DESCRIPTIONS, NEW_NAMES, PERTURBATIONS, Passage, apply, perturb

TEXT = 'On Monday "Kafka" (the broker) fell over, and Billing API timed out: 500 errors.'
ENTITIES = ((11, 16, "INFRA"), (46, 57, "SERVICE"))
SURFACES = {"INFRA": ["Kafka", "Redis"], "SERVICE": ["Billing API", "Ledger"]}


def named(passage):
    return [(passage.text[start:end], label) for start, end, label in passage.entities]


def changed(name, seed=0, passage=Passage(TEXT, ENTITIES)):  # noqa: B008
    return perturb(passage, name, random.Random(seed), SURFACES)


def test_every_perturbation_is_described():
    assert PERTURBATIONS.keys() == DESCRIPTIONS.keys()


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("lower case", TEXT.lower(), ["kafka", "billing api"]),
        ("upper case", TEXT.upper(), ["KAFKA", "BILLING API"]),
        (
            "no punctuation",
            "On Monday Kafka the broker fell over and Billing API timed out 500 errors",
            ["Kafka", "Billing API"],
        ),
        ("doubled white space", TEXT.replace(" ", "  "), ["Kafka", "Billing  API"]),
    ],
)
def test_what_is_certain(name, text, names):
    passage = changed(name)
    assert passage.text == text
    assert named(passage) == list(zip(names, ("INFRA", "SERVICE"), strict=True))


def test_other_entities_of_the_type_take_the_place():
    passage = changed(NEW_NAMES)
    assert named(passage) == [("Redis", "INFRA"), ("Ledger", "SERVICE")]
    assert passage.text == TEXT.replace("Kafka", "Redis").replace("Billing API", "Ledger")


def test_the_same_name_gets_the_same_other_name():
    text = "Kafka calls Kafka, Kafka, Kafka and Kafka"
    names = {"INFRA": [f"name {n}" for n in range(50)]}
    entities = tuple((n, n + 5, "INFRA") for n in range(len(text)) if text.startswith("Kafka", n))
    passage = perturb(Passage(text, entities), NEW_NAMES, random.Random(0), names)
    assert len(set(named(passage))) == 1 and len(named(passage)) == 5


def test_an_entity_within_another_goes_with_it():
    passage = Passage("the Billing API fell", ((4, 15, "SERVICE"), (12, 15, "INFRA")))
    assert named(changed(NEW_NAMES, passage=passage)) == [("Ledger", "SERVICE")]


@pytest.mark.parametrize("name", ["typing errors", "scanned"])
def test_noise_changes_some_of_the_text_and_follows_the_entities(name):
    long = Passage(" ".join([TEXT] * 40), tuple((s + n * (len(TEXT) + 1), e + n * (len(TEXT) + 1), label)
                                                for n in range(40) for s, e, label in ENTITIES))  # fmt: skip
    passage = changed(name, passage=long)
    assert passage.text != long.text
    assert 0.9 < len(passage.text) / len(long.text) < 1.1
    same = sum(one in (("Kafka", "INFRA"), ("Billing API", "SERVICE")) for one in named(passage))
    assert 40 < same < 80 == len(passage.entities)
    assert changed(name, passage=long) == passage
    assert changed(name, seed=1, passage=long) != passage


def test_letters_that_become_two():
    passage = changed("upper case", passage=Passage("die Straße brennt", ((4, 10, "ORT"),)))
    assert named(passage) == [("STRASSE", "ORT")]


def test_an_edit_over_the_edge_of_an_entity_belongs_outside():
    passage = apply(Passage("abcdef", ((2, 4, "A"),)), [(1, 3, "XXX"), (5, 6, "")])
    assert (passage.text, named(passage)) == ("aXXXde", [("d", "A")])


def test_an_entity_of_which_nothing_is_left_is_left_out():
    assert apply(Passage("ab ; cd", ((3, 4, "A"), (5, 7, "B"))), [(3, 4, "")]).entities == ((4, 6, "B"),)


def test_what_is_put_in_beside_an_entity_stays_outside():
    passage = apply(Passage("ab", ((0, 1, "A"), (1, 2, "B"))), [(0, 0, "<"), (1, 1, "|"), (2, 2, ">")])
    assert (passage.text, named(passage)) == ("<a|b>", [("a", "A"), ("b", "B")])


@given(st.text(max_size=40), st.integers(0, 9), st.sampled_from(sorted(PERTURBATIONS)))
def test_entities_stay_inside_the_text_whatever_it_holds(text, seed, name):
    entities = tuple((n, min(len(text), n + 3), "INFRA") for n in range(0, len(text), 4))
    passage = perturb(Passage(text, entities), name, random.Random(seed), SURFACES)
    assert all(0 <= start < end <= len(passage.text) for start, end, _ in passage.entities)


def test_nothing_to_change():
    for name in PERTURBATIONS:
        assert changed(name, passage=Passage("", ())) == Passage("", ())
