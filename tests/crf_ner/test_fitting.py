"""Calibration of a recogniser on documents it did not learn."""

import pytest
import spacy
from pipelines import run
from spacy.tokens import DocBin, Span
from spacy.training import Example
from test_pipe import blank, examples, fit, found

from domain_ner.calibration import calibration_error, precise_threshold
from domain_ner.crf_ner.fitting import fit as calibrate
from domain_ner.crf_ner.settings import Settings
from domain_ner.errors import DomainNerError

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
    fitted = calibrate(nlp, examples(nlp, DEV), "crf_ner", lambda judged, n: precise_threshold(judged, n, 0.95))
    assert not fitted.thresholds["INFRA"].is_reached
    nlp.to_disk(tmp_path / "nlp")
    doc = spacy.load(tmp_path / "nlp")(DEV[0][0])
    assert not doc.ents
    assert len(doc.spans["below_threshold"]) == 1


def test_the_command_tells_at_most_what_can_be_promised(overconfident, tmp_path):
    nlp = spacy.load(overconfident)
    DocBin(docs=[one.reference for one in examples(nlp, DEV)]).to_disk(tmp_path / "dev.spacy")
    places = [overconfident, tmp_path / "dev.spacy", tmp_path / "nlp", tmp_path / "calibration.json"]
    told = run("calibrate_model", *places, "--threshold", "0.95").stdout
    [row] = [line.split("│")[1:-1] for line in told.splitlines() if "none" in line and "│" in line]
    label, confidence, precision, bound, recall = map(str.strip, row)
    assert (label, confidence, precision, recall) == ("INFRA", "none", "", "")
    assert 0 < float(bound) < 95
    assert told.count('at most what is under "at least"') == 1


def test_decoding_for_f1_finds_what_no_single_path_is_sure_of(tmp_path):
    nlp = blank()
    fit(nlp, examples(nlp, UNSURE), n_steps=80)
    assert not nlp("Ask Redis now").ents
    fitted = calibrate(nlp, examples(nlp, UNSURE), "crf_ner", for_f1=True)
    assert fitted.settings.is_marginal
    assert fitted.settings.threshold("INFRA") < 0.5
    assert fitted.f1[0] < fitted.f1[1]
    assert fitted.thresholds["INFRA"].recall > 0.9
    nlp.to_disk(tmp_path / "nlp")
    doc = spacy.load(tmp_path / "nlp")("Ask Redis now")
    assert found(doc) == [(4, 9, "INFRA")]
    assert fitted.settings.threshold("INFRA") < doc.ents[0]._.confidence < 0.5


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
    with pytest.raises(DomainNerError, match="it is no crf_ner"):
        calibrate(nlp, [], "ner")


@pytest.mark.parametrize("for_f1", [True, False])
def test_thresholds_can_be_set_by_type_at_load_whatever_calibrate_chose(tmp_path, for_f1):
    nlp = blank()
    fit(nlp, examples(nlp, UNSURE), n_steps=80)
    choose = None if for_f1 else lambda judged, n: precise_threshold(judged, n, 0.3)
    calibrate(nlp, examples(nlp, UNSURE), "crf_ner", choose, for_f1=for_f1)
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
