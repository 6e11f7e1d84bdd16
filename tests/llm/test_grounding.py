"""From what a model names to places in the text: literal, at word edges, allowed by the guide, without a doubt."""

import pytest
from asked import GUIDE
from conftest import GUIDE as EXAMPLE
from hypothesis import given
from hypothesis import strategies as st

from domain_ner.guide.legality import SpanRules
from domain_ner.guide.schema import load_guide
from domain_ner.llm.answers import Named
from domain_ner.llm.grounding import ABSENT, AMBIGUOUS, IN_WORDS, NO_LABEL, NO_OCCURRENCE, NO_TEXT, OVERLAP, ground

RULES = SpanRules.of(GUIDE)


def grounded(text, *answers):
    """[(surface, start, label)], and the reasons."""
    done = ground(text, [Named(*answer) for answer in answers], RULES)
    return [(text[span.start : span.end], span.start, span.label) for span in done.spans], sorted(
        done.reasons.elements()
    )


def test_a_text_with_one_label_stands_for_all_its_occurrences():
    assert grounded("Redis, then Redis.", ("Redis", "INFRA")) == ([("Redis", 0, "INFRA"), ("Redis", 12, "INFRA")], [])


def test_the_nth_answer_is_the_nth_occurrence():
    found, reasons = grounded("Ask Billing about Billing now", ("Billing", "TEAM"), ("Billing", "SERVICE"))
    assert found == [("Billing", 4, "TEAM"), ("Billing", 18, "SERVICE")] and not reasons


def test_several_labels_for_another_number_of_occurrences_are_ambiguous():
    text = "Billing, Billing and Billing"
    assert grounded(text, ("Billing", "TEAM"), ("Billing", "SERVICE")) == ([], [AMBIGUOUS, AMBIGUOUS])


def test_a_number_names_one_occurrence_and_the_others_are_shared_out():
    text = "Billing, Billing and Billing"
    assert grounded(text, ("Billing", "TEAM", 2))[0] == [("Billing", 9, "TEAM")]
    found, reasons = grounded(text, ("Billing", "TEAM", 2), ("Billing", "SERVICE"))
    assert [label for _, _, label in found] == ["SERVICE", "TEAM", "SERVICE"] and not reasons
    for number in (0, -1, 4):
        assert grounded(text, ("Billing", "TEAM", number)) == ([], [NO_OCCURRENCE])


def test_an_occurrence_inside_a_longer_entity_is_not_one_of_its_own():
    text = "The Payments squad runs Payments."
    found, reasons = grounded(text, ("Payments squad", "TEAM"), ("Payments", "SERVICE"))
    assert found == [("Payments squad", 4, "TEAM"), ("Payments", 24, "SERVICE")] and not reasons
    assert grounded("The Payments squad.", ("Payments squad", "TEAM"), ("Payments", "SERVICE"))[1] == [OVERLAP]


def test_the_longer_of_two_that_cross_wins():
    found, reasons = grounded("alpha beta gamma", ("alpha beta", "TEAM"), ("beta gamma", "TEAM"))
    assert found == [("alpha beta", 0, "TEAM")] and reasons == [OVERLAP]


def test_a_type_that_may_nest_stays_inside_a_longer_one():
    rules = SpanRules(RULES.rules | {"INFRA": RULES.rules["INFRA"].model_copy(update={"nesting": True})}, {})
    done = ground("the Redis team", [Named("Redis team", "TEAM"), Named("Redis", "INFRA", 1)], rules)
    assert [span.label for span in done.spans] == ["INFRA", "TEAM"] or len(done.spans) == 2


@pytest.mark.parametrize(
    ("text", "answer", "reason"),
    [
        ("Redis is down", ("Valkey", "INFRA"), ABSENT),
        ("Redis is down", ("redis", "INFRA"), ABSENT),
        ("Predispose", ("redis", "INFRA"), IN_WORDS),
        ("Redis2 and xRedis", ("Redis", "INFRA"), IN_WORDS),
        ("Redis is down", ("Redis", "PLANET"), NO_LABEL),
        ("Redis is down", ("Redis", ""), NO_LABEL),
        ("Redis is down", (" ", "INFRA"), NO_TEXT),
        ("the team", ("the team", "TEAM"), "article"),
        ("run kubectl", ("kubectl", "INFRA"), "not an entity"),
        ("the billing service", ("billing", "SERVICE"), "rule must_take_after"),
        ("GET v1/x", ("v1/x", "ENDPOINT"), "rule must_match"),
        ("of Redis, too", ("Redis,", "INFRA"), "punctuation"),
        ("", ("Redis", "INFRA"), ABSENT),
    ],
)
def test_what_has_no_place_or_breaks_the_guide_is_rejected_with_the_reason(text, answer, reason):
    assert grounded(text, answer) == ([], [reason])


def test_white_space_and_the_form_of_accents_may_differ_from_the_text():
    assert grounded("the Café\n  Crew met", ("Cafe\u0301 Crew", "TEAM"))[0] == [("Café\n  Crew", 4, "TEAM")]
    assert grounded("the Cafe\u0301 met", (" Café ", "TEAM"))[0] == [("Cafe\u0301", 4, "TEAM")]
    assert grounded("the Cafe\u0301 met", ("Cafe", "TEAM"))[1] == [IN_WORDS]


def test_scripts_without_spaces_have_word_edges_everywhere():
    assert grounded("我在北京平台组工作", ("平台组", "TEAM"))[0] == [("平台组", 4, "TEAM")]


def test_a_name_that_stands_alone_is_not_taken_from_inside_another():
    text = "Redis feeds redis-a, Redis-b."
    assert grounded(text, ("Redis", "INFRA"))[0] == [("Redis", 0, "INFRA")]
    assert grounded("A Redis-backed cache", ("Redis", "INFRA"))[0] == [("Redis", 2, "INFRA")]


def test_what_stays_illegal_in_one_place_is_kept_in_the_others():
    found, reasons = grounded("billing and the billing service", ("billing", "SERVICE"))
    assert found == [("billing", 0, "SERVICE")] and not reasons


def test_a_name_that_is_listed_more_often_than_it_stands_alone_is_meant_everywhere():
    text = "MAX_POOL=5 fell behind MAX_POOL"
    assert len(grounded(text, ("MAX_POOL", "INFRA"))[0]) == 1
    assert len(grounded(text, ("MAX_POOL", "INFRA"), ("MAX_POOL", "INFRA"))[0]) == 2


def test_what_people_annotated_is_found_again_by_its_names_alone(example_rows):
    """A model that names all that the example's annotators marked, in order, but no place."""
    rules = SpanRules.of(load_guide(EXAMPLE))
    texts = {row["text"]: row["spans"] for row in example_rows}
    n_same = n_grounded = n_annotated = 0
    for text, spans in texts.items():
        annotated = sorted({(span["start"], span["end"], span["label"]) for span in spans})
        done = ground(text, [Named(text[start:end], label) for start, end, label in annotated], rules)
        found = {(span.start, span.end, span.label) for span in done.spans}
        n_same, n_grounded = n_same + len(found & set(annotated)), n_grounded + len(found)
        n_annotated += len(annotated)
    assert n_annotated > 13_000 and n_same / n_annotated > 0.998 and n_same / n_grounded > 0.995


words = st.sampled_from(["Redis", "Ops", "Ops team", "/v1", "the", "kubectl", "a b", "é", "Redis Ops", "", "\n"])
answers = st.builds(Named, words, st.sampled_from([*GUIDE.labels, "X", ""]), st.none() | st.integers(-1, 4))


@given(st.lists(words, max_size=12).map(" ".join), st.lists(answers, max_size=12))
def test_whatever_is_answered_only_legal_spans_come_out_and_every_answer_is_accounted_for(text, given_answers):
    done = ground(text, given_answers, RULES)
    assert len(done.accepted) + len(done.rejected) == len(given_answers)
    for span in done.spans:
        assert not list(RULES.faults(text, span)) and 0 <= span.start < span.end <= len(text)
    for first, second in zip(done.spans, done.spans[1:], strict=False):
        assert first.end <= second.start


def test_a_long_passage_with_many_names_is_grounded_in_time():
    text = "Redis and Ops met Atlas. " * 8_000
    done = ground(text, [Named("Redis", "INFRA"), Named("Ops", "TEAM"), Named("Atlas", "TEAM")], RULES)
    assert len(done.spans) == 24_000
