"""Calibration of a recogniser on documents it did not learn."""

import json
import re

import pytest
import spacy
from pipelines import run
from spacy.tokens import DocBin, Span
from spacy.training import Example
from test_pipe import blank, examples, fit, found

from domain_ner.crf_ner.fitting import fit as calibrate
from domain_ner.crf_ner.settings import Settings
from domain_ner.errors import DomainNerError
from domain_ner.metrics.calibration import calibration_error, threshold_for_precision

NAMES = ["Redis", "Kafka", "Envoy", "Minio"]
TRAIN = [(f"Ask {name}{n} now", [(4, 5 + len(name), "INFRA")]) for name in NAMES for n in range(3)]
TRAIN += [(f"Ask {name} now", []) for name in ("people", "nobody", "everyone")]
# Half of what looks like a name is none: a pipeline that learned TRAIN by heart is far too sure of them.
DEV = [(f"Ask {name}{n} now", [(4, 5 + len(name), "INFRA")] * (n % 2)) for name in NAMES for n in range(10)]
# Two times in five it is one.
UNSURE = [("Ask Redis now", [(4, 9, "INFRA")])] * 2 + [("Ask Redis now", [])] * 3


@pytest.fixture(scope="module")
def overconfident(tmp_path_factory):
    nlp = blank()
    fit(nlp, examples(nlp, TRAIN), n_steps=60)
    folder = tmp_path_factory.mktemp("nlp") / "nlp"
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def unsure(tmp_path_factory):
    nlp = blank()
    fit(nlp, examples(nlp, UNSURE), n_steps=80)
    folder = tmp_path_factory.mktemp("unsure") / "nlp"
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def two_types(tmp_path_factory):
    nlp = blank()
    people = [(f"Meet Ann{n} now", [(5, 8 + len(str(n)), "TEAM")]) for n in range(12)]
    fit(nlp, examples(nlp, TRAIN + people), n_steps=60)
    folder = tmp_path_factory.mktemp("two") / "nlp"
    nlp.to_disk(folder)
    return folder


def test_confidences_come_nearer_to_the_truth_and_entities_stay(overconfident):
    nlp = spacy.load(overconfident)
    before = [found(nlp(text)) for text, _ in DEV]
    assert sum(map(len, before)) > 30
    fitted = calibrate(nlp, examples(nlp, DEV), "crf_ner")
    assert calibration_error(fitted.before) > 0.2
    assert calibration_error(fitted.after) < calibration_error(fitted.before) / 2
    assert [found(nlp(text)) for text, _ in DEV] == before
    assert nlp.get_pipe("crf_ner").settings == fitted.settings
    assert fitted.n_gold == {"INFRA": 20}


def test_a_precision_that_is_not_to_be_had_suppresses_the_type(overconfident, tmp_path):
    nlp = spacy.load(overconfident)
    fitted = calibrate(nlp, examples(nlp, DEV), "crf_ner", lambda judged, n: threshold_for_precision(judged, n, 0.95))
    assert not fitted.thresholds["INFRA"].is_reached
    nlp.to_disk(tmp_path / "nlp")
    doc = spacy.load(tmp_path / "nlp")(DEV[0][0])
    assert not doc.ents
    assert len(doc.spans["below_threshold"]) == 1


def of_two_types(folder, path):
    """What calibrate takes for a dev set in which INFRA is always right, and TEAM every second time."""
    given = [(f"Ask Redis{n} now", [(4, 9 + len(str(n)), "INFRA")]) for n in range(60)]
    given += [(f"Meet Ann{n} now", [(5, 8 + len(str(n)), "TEAM")] * (n % 2)) for n in range(60)]
    DocBin(docs=[one.reference for one in examples(spacy.load(folder), given)]).to_disk(path / "dev.spacy")
    return [folder, path / "dev.spacy", path / "nlp", path / "calibration.json"]


def test_a_type_of_which_nothing_can_be_promised_is_told_and_the_others_are_reported(two_types, tmp_path):
    places = of_two_types(two_types, tmp_path)
    told = run("calibrate_model", *places, "--threshold", "0.9").stdout
    [row] = [line.split("│")[1:-1] for line in told.splitlines() if "none" in line and "│" in line]
    label, confidence, precision, bound, recall = map(str.strip, row)
    assert (label, confidence, precision, recall) == ("TEAM", "none", "", "")
    assert 0 < float(bound) < 90
    assert told.count('at most the one under "at least"') == 1
    assert spacy.load(tmp_path / "nlp")("Ask Redis1 now").ents


def test_where_no_type_can_be_promised_it_is_an_error_and_nothing_is_written(two_types, tmp_path):
    places = of_two_types(two_types, tmp_path)
    ran = run("calibrate_model", *places, "--threshold", "0.99", check=False)
    assert ran.returncode == 1
    assert "cannot guarantee a precision of 0.99 (vars.threshold) for any type" in ran.stderr
    [(most, needed)] = re.findall(
        r"INFRA: at most (0\.9\d), with 60 entities on dev; 0.99 needs about (\d+)", ran.stderr
    )
    assert int(needed) > 200
    assert re.search(
        r"TEAM: .*, with 30 entities on dev; its most confident predictions are wrong too often", ran.stderr
    )
    assert f"ask for at most {most}" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["dev.spacy"]
    run("calibrate_model", *places, "--threshold", most)


def test_decoding_for_f1_finds_what_no_single_path_is_sure_of(unsure, tmp_path):
    nlp = spacy.load(unsure)
    assert not nlp("Ask Redis now").ents
    fitted = calibrate(nlp, examples(nlp, UNSURE * 4), "crf_ner", for_f1=True)
    assert fitted.settings.is_marginal and fitted.choice.is_better and fitted.choice.n_units == 20
    assert fitted.settings.threshold("INFRA") < 0.5
    assert fitted.f1[0] < fitted.f1[1]
    assert fitted.thresholds["INFRA"].recall > 0.9
    nlp.to_disk(tmp_path / "nlp")
    doc = spacy.load(tmp_path / "nlp")("Ask Redis now")
    assert found(doc) == [(4, 9, "INFRA")]
    assert fitted.settings.threshold("INFRA") < doc.ents[0]._.confidence < 0.5


def test_a_gain_that_may_be_luck_does_not_change_the_decoding(unsure):
    nlp = spacy.load(unsure)
    fitted = calibrate(nlp, examples(nlp, UNSURE), "crf_ner", for_f1=True)
    assert fitted.choice.value > fitted.f1[0] and not fitted.choice.is_better
    assert fitted.settings.decoding == "viterbi" and fitted.thresholds == {}
    assert fitted.f1[0] == fitted.f1[1]


def test_passages_of_a_group_are_one_case_for_the_choice(unsure):
    """Twenty passages of two customers say no more of the next customer than two do."""
    nlp = spacy.load(unsure)
    seven = ["abcdefg"[n % 7] for n in range(20)]
    fitted = calibrate(nlp, examples(nlp, UNSURE * 4), "crf_ner", for_f1=True, groups=seven)
    assert fitted.choice.n_units == 7


@pytest.mark.parametrize(
    ("n", "said"), [(1, "not significant, keeping the best path"), (4, "significant, using single spans")]
)
def test_the_command_says_which_decoding_it_chose_and_why(unsure, tmp_path, n, said):
    nlp = spacy.load(unsure)
    DocBin(docs=[one.reference for one in examples(nlp, UNSURE * n)]).to_disk(tmp_path / "dev.spacy")
    places = [unsure, *(tmp_path / name for name in ("dev.spacy", "nlp", "calibration.json"))]
    told = run("calibrate_model", *places, "--threshold", "f1").stdout
    assert "gain on held-out passages: +" in told and said in told
    figures = json.loads(places[3].read_text("utf8"))
    assert figures["decoding"] == ("marginal" if n > 1 else "viterbi")
    assert (figures["choice"]["p"] < 0.05) == (n > 1)


def test_where_the_best_path_is_best_it_stays():
    nlp = blank()
    fit(nlp, examples(nlp, TRAIN), n_steps=60)
    fitted = calibrate(nlp, examples(nlp, TRAIN), "crf_ner", for_f1=True)
    assert fitted.f1 == (1.0, 1.0)
    assert fitted.settings.decoding == "viterbi"
    assert fitted.thresholds == {}


def test_what_gold_does_not_know_is_not_judged(overconfident):
    nlp = spacy.load(overconfident)
    reference = nlp.make_doc("Ask Redis now")
    reference.set_ents([], default="missing")
    fitted = calibrate(nlp, [Example(nlp.make_doc("Ask Redis now"), reference)], "crf_ner")
    assert fitted.after == []
    assert fitted.settings.type_temperatures == {} and fitted.settings.temperature == 1.0


def test_calibrating_twice_gives_the_same(overconfident):
    nlp = spacy.load(overconfident)
    once = calibrate(nlp, examples(nlp, DEV), "crf_ner").settings
    assert calibrate(nlp, examples(nlp, DEV), "crf_ner").settings == once
    assert once != Settings()


def test_a_pipeline_without_confidences_cannot_be_calibrated():
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    with pytest.raises(DomainNerError, match="it is not a crf_ner"):
        calibrate(nlp, [], "ner")


@pytest.mark.parametrize("for_f1", [True, False])
def test_thresholds_can_be_set_by_type_at_load_whatever_calibrate_chose(unsure, tmp_path, for_f1):
    nlp = spacy.load(unsure)
    choose = None if for_f1 else lambda judged, n: threshold_for_precision(judged, n, 0.3)
    calibrate(nlp, examples(nlp, UNSURE * 4), "crf_ner", choose, for_f1=for_f1)
    nlp.to_disk(tmp_path / "nlp")
    stored = spacy.load(tmp_path / "nlp").get_pipe("crf_ner").settings.threshold("INFRA")
    for value in (0.9, 0.05):
        loaded = spacy.load(tmp_path / "nlp", config={"components": {"crf_ner": {"min_confidence": {"INFRA": value}}}})
        assert loaded.get_pipe("crf_ner").settings.threshold("INFRA") == value != stored
    dotted = spacy.load(tmp_path / "nlp", config={"components.crf_ner.min_confidence.INFRA": 0.9})
    assert dotted("Ask Redis now").ents == ()


def test_a_rejected_span_is_judged_as_wrong(overconfident):
    """Half of the yes/no answers are no: a confidence that counted the yes alone would be far too high."""
    nlp = spacy.load(overconfident)
    given = []
    for n in range(80):
        reference = nlp.make_doc("Ask Redis now")
        span = Span(reference, 1, 2, label="INFRA")
        if n % 2:
            reference.set_ents([span], default="missing")
        else:
            reference.set_ents([], default="missing")
            reference.spans["incorrect_spans"] = [span]
        given.append(Example(nlp.make_doc("Ask Redis now"), reference))
    fitted = calibrate(nlp, given, "crf_ner")
    assert len(fitted.after) == 80 and sum(one.is_correct for one in fitted.after) == 40
    assert nlp("Ask Redis now").ents[0]._.confidence == pytest.approx(0.5, abs=0.02)


def test_what_was_always_right_is_not_taken_for_certain(overconfident):
    nlp = spacy.load(overconfident)
    known = [(text, entities) for text, entities in DEV if nlp(text).ents and entities]
    fitted = calibrate(nlp, examples(nlp, known * 4), "crf_ner")
    n = len(fitted.after)
    assert n >= 30 and all(one.is_correct for one in fitted.after)
    assert sum(one.confidence for one in fitted.after) / n < (n + 2) / (n + 3)
