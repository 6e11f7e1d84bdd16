"""Settings that need no training: thresholds, temperatures, candidates; given at load, kept on disk."""

import json
import math

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from test_pipe import TEXTS, blank, confidences, examples, fit, found

from domain_ner.crf_ner.fitting import set_settings
from domain_ner.crf_ner.settings import MAX_WEIGHT, Settings, rarity_weights
from domain_ner.errors import DomainNerError

TEXT = TEXTS[0][0]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A trained pipeline on disk."""
    nlp = blank()
    fit(nlp, examples(nlp), n_steps=15)
    folder = tmp_path_factory.mktemp("nlp") / "nlp"
    nlp.to_disk(folder)
    return folder


def load(folder, **settings):
    return spacy.load(folder, config={"components": {"crf_ner": settings}})


def spans(doc, key):
    group = doc.spans[key]
    return [(span.start_char, span.end_char, span.label_) for span in group], list(group.attrs["scores"])


def test_what_is_not_sure_enough_is_kept_apart_and_not_lost(saved):
    doc = load(saved, min_confidence={"TEAM": 1.0})(TEXT)
    assert [label for *_, label in found(doc)] == ["INFRA", "INFRA"]
    assert all(confidences(doc))
    below, scores = spans(doc, "below_threshold")
    assert below == [(0, 8, "TEAM")]
    assert 0.5 < scores[0] < 1
    assert doc.spans["below_threshold"][0]._.confidence == scores[0]


def test_one_threshold_for_all_types(saved):
    doc = load(saved, min_confidence=1.0)(TEXT)
    assert not doc.ents
    assert len(doc.spans["below_threshold"]) == 3


def test_without_a_threshold_there_is_no_group(saved):
    assert dict(load(saved)(TEXT).spans) == {}


def test_marginal_decoding_takes_spans_by_their_own_probability(saved):
    plain = load(saved, candidates=5, temperature=8.0)(TEXT)
    others, _ = spans(plain, "candidates")
    assert others
    doc = load(saved, candidates=5, temperature=8.0, decoding="marginal", min_confidence=0.02)(TEXT)
    assert len(doc.ents) > len(plain.ents)
    assert set(found(doc)) <= set(found(plain)) | set(others)
    assert all(confidence > 0.02 for confidence in confidences(doc))
    assert not set(spans(doc, "candidates")[0]) & set(found(doc))
    none = load(saved, temperature=8.0, decoding="marginal", min_confidence=1.0)(TEXT)
    assert not none.ents
    assert spans(none, "below_threshold")[0] == found(plain)


def test_marginal_decoding_asks_for_one_half_unless_told(saved):
    plain, doc = load(saved)(TEXT), load(saved, decoding="marginal")(TEXT)
    assert found(doc) == found(plain)
    assert confidences(doc) == confidences(plain)
    assert spans(doc, "below_threshold") == ([], [])


def test_settings_of_a_running_pipeline_are_saved_with_it(saved, tmp_path):
    nlp = load(saved)
    set_settings(nlp, "crf_ner", Settings({"INFRA": 1.0}, 2.0, {"TEAM": 3.0}, 2))
    nlp.to_disk(tmp_path / "nlp")
    again = spacy.load(tmp_path / "nlp")
    settings = again.get_pipe("crf_ner").settings
    assert (settings.min_confidence, settings.temperature, settings.n_candidates) == ({"INFRA": 1.0}, 2.0, 2)
    assert confidences(again(TEXT)) == pytest.approx(confidences(nlp(TEXT)))


def test_a_temperature_leaves_the_entities_and_moves_the_confidences(saved):
    plain, warm = load(saved)(TEXT), load(saved, temperature=3.0)(TEXT)
    assert found(plain) == found(warm)
    assert all(low < high for low, high in zip(confidences(warm), confidences(plain), strict=True))


def test_a_types_temperature_divides_its_log_odds(saved):
    plain, warm = load(saved)(TEXT), load(saved, type_temperatures={"TEAM": 2.0})(TEXT)
    before, after = confidences(plain), confidences(warm)
    assert after[1:] == before[1:]
    odds = [math.log(prob / (1 - prob)) for prob in (before[0], after[0])]
    assert odds[1] == pytest.approx(odds[0] / 2, rel=1e-3)


@pytest.mark.parametrize("log_prob", [0.0, -1e-9, -1.0, -800.0])
def test_any_probability_can_be_scaled(log_prob):
    for temperature in (0.1, 1.0, 5.0):
        assert 0 <= Settings(type_temperatures={"A": temperature}).confidence(log_prob, "A") <= 1


def test_candidates_are_the_probable_spans_beside_the_entities(saved):
    nlp = load(saved, candidates=2, temperature=8.0)
    doc = nlp(TEXT)
    others, scores = spans(doc, "candidates")
    assert others
    assert not set(others) & set(found(doc))
    assert scores == sorted(scores, reverse=True)
    assert all(0.01 <= score <= 1 for score in scores)
    for place, span in enumerate(doc.spans["candidates"]):  # one of the two most probable over one of its tokens
        before = list(doc.spans["candidates"])[:place]
        assert any(sum(one.start <= token.i < one.end for one in before) < 2 for token in span)


def test_confidences_and_candidates_survive_json_and_docbin(saved):
    nlp = load(saved, candidates=1, temperature=8.0)
    doc = nlp(TEXT)
    for again in (
        Doc(nlp.vocab).from_bytes(doc.to_bytes()),
        Doc(nlp.vocab).from_json(json.loads(json.dumps(doc.to_json(underscore=["confidence"])))),
    ):
        assert confidences(again) == pytest.approx(confidences(doc))
        assert len(again.spans["candidates"]) == len(doc.spans["candidates"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_confidence": {"TEAMS": 0.5}}, "'TEAMS'; expected one of INFRA, TEAM"),
        ({"min_confidence": {"TEAM": 1.5}}, "is 1.5 for 'TEAM'; expected 0 to 1"),
        ({"min_confidence": -0.1}, "is -0.1; expected 0 to 1"),
        ({"temperature": 0.0}, "expected more than 0"),
        ({"type_temperatures": {"TEAM": -1.0}}, "expected more than 0"),
        ({"candidates": -1}, "expected 0 or more"),
        ({"decoding": "greedy"}, "is 'greedy'; expected viterbi or marginal"),
        ({"type_weights": "rare"}, "expected auto, or weights by type"),
        ({"type_weights": {"TEAM": 0.5}}, "expected 1 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(saved, settings, message):
    with pytest.raises(DomainNerError, match=message):
        load(saved, **settings)


def test_the_rarer_a_type_the_more_it_weighs():
    weights = rarity_weights({"A": 1000, "B": 250, "C": 1, "D": 0})
    assert weights == {"A": 1.0, "B": 2.0, "C": MAX_WEIGHT}


def test_weights_found_in_the_data_stay_with_the_pipeline():
    nlp = spacy.blank("en")
    nlp.add_pipe("crf_ner", config={"type_weights": "auto"})
    fit(nlp, examples(nlp), n_steps=30)
    assert nlp.get_pipe("crf_ner").cfg["type_weights"] == {"INFRA": 1.0, "TEAM": pytest.approx((3 / 2) ** 0.5)}
    assert found(nlp(TEXT)) == TEXTS[0][1]


def test_nothing_is_wholly_certain_at_any_temperature():
    settings = Settings(type_temperatures={"A": 0.05})
    assert settings.confidence(-1e-9, "A") < 1 > settings.confidence(0.0, "A")


def test_thresholds_survive_labels_of_any_name_on_disk(tmp_path):
    names = ["LOC:city", "x=y", "#tag", "[REDACTED]", "@role", "first name", "50%", "Größe", "a.b", "; y"]
    nlp = blank()
    given = [Doc(nlp.vocab, words=[f"w{n}"], ents=[f"B-{name}"]) for n, name in enumerate(names)]
    fit(nlp, [Example(nlp.make_doc(doc.text), doc) for doc in given], n_steps=1)
    values = {name: n / 100 for n, name in enumerate(names, start=1)}
    for label in [*names, ""]:  # each by itself, and all
        some = {label: values[label]} if label else values
        set_settings(nlp, "crf_ner", Settings(min_confidence=some, type_temperatures=some))
        nlp.to_disk(tmp_path / "nlp")
        settings = load(tmp_path / "nlp").get_pipe("crf_ner").settings
        assert (settings.min_confidence, settings.type_temperatures) == (some, some)


def test_thresholds_can_be_pairs_at_load(saved):
    settings = load(saved, min_confidence=[["TEAM", 0.9]]).get_pipe("crf_ner").settings
    assert settings.min_confidence == {"TEAM": 0.9}
