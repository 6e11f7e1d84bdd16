"""An optimised pipeline beside the trained one: what differs, which limits are passed, and how both are timed."""

import warnings

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config, fix_random_seed

from domain_ner.annotations.doc_keys import META_KEY, SOURCE_KEY
from domain_ner.errors import DomainNerError
from domain_ner.evaluation import timing
from domain_ner.evaluation.parity import (
    LONG,
    MAX_LONG,
    alone_and_in_batches,
    calibration_by_chance,
    difference,
    failures,
    long_documents,
    most_different,
)
from domain_ner.evaluation.parity_schema import Difference, Promise, Quality, Side, Timing
from domain_ner.evaluation.predicting import Evaluated, EvaluatedDoc, evaluate_pipeline
from domain_ner.evaluation.timing import time_in_turn

# As `vars.encoder cnn` makes it: the recogniser listens to a tok2vec.
LISTENING = """
[model]
@architectures = "domain_ner.CRF.v1"

[model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = 96
"""
TEXTS = [
    ("Payments uses Redis and Kafka Streams.", [(0, 8, "TEAM"), (14, 19, "INFRA"), (24, 37, "INFRA")]),
    ("Nothing here.", []),
    ("Ask the Risk Desk about Redis", [(8, 17, "TEAM"), (24, 29, "INFRA")]),
    ("Redis " * 30 + "is what the Risk Desk asks for", []),
]
NO_DIFFERENCE = Difference(n_texts=1000, n_entities=900, n_different=0, confidence_largest=0, confidence_mean=0)


@pytest.fixture(scope="module")
def trained():
    fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    nlp.add_pipe("crf_ner", config=Config().from_str(LISTENING))
    examples = [Example.from_dict(nlp.make_doc(text), {"entities": entities}) for text, entities in TEXTS[:3]]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    return nlp


def differing(**changed):
    return NO_DIFFERENCE.model_copy(update=changed)


def side(f1=0.9, error=0.02, *, long_f1=0.88, long_error=0.03):
    return Side(
        sha256="", size_mb=1, timing=None,
        quality=Quality(f1=f1, f1_by_type={}, calibration_error=error, by_chance=0.01),
        long=Quality(f1=long_f1, f1_by_type={}, calibration_error=long_error, by_chance=0.01),
    )  # fmt: skip


def failed(precision, before, after, different, alone, *, promises=(), f1_p=0.01, calibration_p=(0.01, 0.01)):
    return failures(precision, (before, after), different, alone, promises, f1_p=f1_p, calibration_p=calibration_p)


def test_entities_that_only_one_has_are_counted_and_confidences_of_the_others_compared():
    before = [{(0, 5, "A"): 0.9, (6, 9, "A"): 0.8}, {}, {(0, 1, "B"): 0.5}]
    after = [{(0, 5, "A"): 0.8, (6, 9, "B"): 0.1}, {(3, 4, "A"): 0.7}, {(0, 1, "B"): 0.52}]
    found = difference(before, after)
    assert (found.n_texts, found.n_entities, found.n_different) == (3, 5, 3)
    assert found.confidence_largest == pytest.approx(0.1) and found.confidence_mean == pytest.approx(0.06)


def test_nothing_differs_in_no_texts():
    assert difference([], []) == Difference(
        n_texts=0, n_entities=0, n_different=0, confidence_largest=0, confidence_mean=0
    )


def test_predictions_of_other_texts_cannot_be_compared():
    with pytest.raises(ValueError, match="."):
        difference([{}], [{}, {}])


def test_a_pipeline_that_loses_nothing_fails_nothing():
    for precision in ("int8", "float32"):
        assert failed(precision, side(), side(), NO_DIFFERENCE, NO_DIFFERENCE) == []


@pytest.mark.parametrize(
    ("worse", "failure"),
    [
        ({"f1": 0.894}, "F1 on the test set falls by 0.60 points; at most 0.5"),
        ({"long_f1": 0.87}, "F1 on long documents falls by 1.00 points; at most 0.5"),
        ({"error": 0.032}, "the calibration error on the test set rises by 0.012; at most 0.01"),
        ({"long_error": 0.05}, "the calibration error on long documents rises by 0.020; at most 0.01"),
    ],
)
def test_int8_may_lose_little_f1_and_calibration_but_float32_is_judged_by_its_entities(worse, failure):
    many = differing(n_different=50)
    assert failed("int8", side(), side(**worse), many, NO_DIFFERENCE) == [failure]
    assert failed("float32", side(), side(**worse), NO_DIFFERENCE, NO_DIFFERENCE) == []


def test_int8_may_lose_what_is_within_the_limits_and_gain_anything():
    slightly = side(0.8955, 0.029, long_f1=0.8755, long_error=0.039)
    better = side(0.99, 0.001, long_f1=0.99, long_error=0.001)
    for after in (slightly, better):
        assert failed("int8", side(), after, NO_DIFFERENCE, NO_DIFFERENCE) == []


def test_a_loss_that_is_likely_by_chance_does_not_count():
    worse = side(0.89, 0.035)
    assert failed("int8", side(), worse, NO_DIFFERENCE, NO_DIFFERENCE, f1_p=0.06) == [
        "the calibration error on the test set rises by 0.015; at most 0.01"
    ]
    assert failed("int8", side(), worse, NO_DIFFERENCE, NO_DIFFERENCE, f1_p=0.06, calibration_p=(0.06, 0.01)) == []
    by_chance = worse.quality.model_copy(update={"by_chance": 0.04})
    worse = worse.model_copy(update={"quality": by_chance})
    assert failed("int8", side(), worse, NO_DIFFERENCE, NO_DIFFERENCE, f1_p=0.06) == []


def of_confidences(confidences):
    """One entity a document, right in four of five."""
    docs = []
    for n, confidence in enumerate(confidences):
        entity = (0, 3, "A")
        gold = (entity,) if n % 5 else ()
        docs.append(EvaluatedDoc(str(n), "abc", {}, ((0, 3),), gold, (entity,), {entity: confidence}))
    return Evaluated(scores=None, judged=[], docs=docs)


def test_a_rise_of_the_calibration_error_is_likely_by_chance_if_confidences_only_change_bins():
    calibrated = of_confidences([0.8] * 100)
    jittered = of_confidences([0.8 + (-1) ** (n // 5) * 0.02 for n in range(100)])
    overconfident = of_confidences([0.95] * 100)
    assert calibration_by_chance(calibrated, overconfident) < 0.01
    assert calibration_by_chance(calibrated, jittered) > 0.05
    assert calibration_by_chance(overconfident, calibrated) > 0.9
    assert calibration_by_chance(of_confidences([]), of_confidences([])) == 1


def test_a_precision_that_was_promised_must_hold():
    promises = [
        Promise(label="TEAM", promised=0.95, bound=0.951, refitted=True),
        Promise(label="INFRA", promised=0.95, bound=0.94, refitted=True),
    ]
    assert failed("int8", side(), side(), NO_DIFFERENCE, NO_DIFFERENCE, promises=promises) == [
        "INFRA has a precision of 0.940 on dev; 0.95 was promised"
    ]


@pytest.mark.parametrize(("n_texts", "allowed"), [(0, 1), (10, 1), (999, 1), (1000, 2), (5000, 10)])
def test_float32_may_change_one_entity_in_500_passages(n_texts, allowed):
    assert most_different(n_texts) == allowed
    kept, passed = (differing(n_texts=n_texts, n_different=allowed + more) for more in (0, 1))
    assert failed("float32", side(), side(), kept, NO_DIFFERENCE) == []
    (failure,) = failed("float32", side(), side(), passed, NO_DIFFERENCE)
    assert failure.startswith(f"{allowed + 1} entities differ in {n_texts} passages; at most {allowed}")


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_a_text_must_not_depend_on_its_neighbours(precision):
    moved = differing(n_different=2, confidence_largest=0.006)
    entities, confidence = failed(precision, side(), side(), NO_DIFFERENCE, moved)
    assert entities == "2 entities depend on a text's neighbours in the batch; none may"
    assert confidence.startswith("a confidence moves by 0.0060") and confidence.endswith("at most 0.005")


def passages(nlp, n, *, words=("Redis", "is", "up")):
    docs = []
    for number in range(n):
        doc = Doc(nlp.vocab, words=words, spaces=[True] * (len(words) - 1) + [False])
        doc.ents = [doc.char_span(0, 5, "INFRA")]
        doc.user_data |= {SOURCE_KEY: f"a:{number}", META_KEY: {"org": number}}
        docs.append(doc)
    return docs


def test_passages_are_joined_with_their_entities_and_spaces_between_them():
    nlp = spacy.blank("en")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, rest = long_documents(passages(nlp, LONG + 2))
    assert first.text.startswith("Redis is up Redis is up ") and len(first.ents) == LONG
    assert (len(rest), len(rest.ents)) == (6, 2)
    assert {ent.text for ent in first.ents} == {"Redis"}


def test_passages_of_unknown_spacing_and_empty_ones_are_not_joined():
    nlp = spacy.blank("en")
    unknown, empty = Doc(nlp.vocab, words=["Redis", "is", "up"]), nlp.make_doc("")
    assert unknown.has_unknown_spaces
    (joined,) = long_documents([unknown, *passages(nlp, 2), empty])
    assert len(joined) == 6
    assert long_documents([unknown, empty]) == []


def test_no_more_long_documents_are_made_than_allowed():
    nlp = spacy.blank("en")
    assert len(long_documents(passages(nlp, LONG * MAX_LONG + 1, words=("Redis",)))) == MAX_LONG


def test_no_long_documents_can_be_evaluated(trained):
    assert evaluate_pipeline(trained, long_documents([])).scores.micro.f1 == 0


def test_each_text_is_compared_alone_and_once_in_each_round_of_batches(trained):
    gold = [trained.make_doc(text) for text, _ in TEXTS]
    found = alone_and_in_batches(trained, [*gold, trained.make_doc("")], n_batches=3, seed=1)
    n_found = sum(len(trained(text).ents) for text, _ in TEXTS)
    assert n_found and (found.n_texts, found.n_entities, found.n_different) == (3 * len(TEXTS), 3 * n_found, 0)
    assert found.confidence_largest < 1e-4


def test_a_pipeline_whose_texts_depend_on_their_neighbours_is_seen(trained, monkeypatch):
    gold = [trained.make_doc(text) for text, _ in TEXTS]
    pipe = trained.get_pipe("crf_ner")
    predict = pipe.set_annotations

    def only_alone(docs, *predicted):
        predict(docs, *predicted)
        if len(docs) > 1:
            docs[0].ents = []

    monkeypatch.setattr(pipe, "set_annotations", only_alone, raising=True)
    assert alone_and_in_batches(trained, gold, n_batches=8, seed=0).n_different


def test_a_pipeline_is_timed_in_a_process_of_its_own(tmp_path):
    spacy.blank("en").to_disk(tmp_path / "nlp")
    runs = []
    texts = [text for text, _ in TEXTS]
    (timed,) = time_in_turn([tmp_path / "nlp"], texts, rounds=1, threads=1, on_run=lambda: runs.append(1))
    assert runs == [1]
    assert all(value > 0 for name, value in timed if name != "memory_mb")
    assert timed.p50_ms <= timed.p99_ms and timed.start_s < 300


def test_pipelines_run_in_turn_and_the_best_of_each_figure_counts(monkeypatch):
    ran = []

    def run(pipeline, _texts, threads):
        ran.append((pipeline, threads))
        n = len(ran)
        return Timing(start_s=n, memory_mb=10 - n, batch_words_per_s=n, single_words_per_s=10 - n, p50_ms=n, p99_ms=n)

    monkeypatch.setattr(timing, "_run", run)
    first, second = time_in_turn(["a", "b"], ["text"], rounds=2, threads=3, on_run=lambda: None)
    assert ran == [("a", 3), ("b", 3)] * 2
    assert (first.start_s, first.memory_mb, first.batch_words_per_s, first.single_words_per_s) == (1, 7, 3, 9)
    assert (second.start_s, second.memory_mb, second.p50_ms, second.p99_ms) == (2, 6, 2, 2)


def test_a_folder_that_is_no_pipeline_cannot_be_timed(tmp_path):
    with pytest.raises(DomainNerError, match="Cannot time .*empty"):
        time_in_turn([tmp_path / "empty"], ["a"], rounds=1, on_run=lambda: None)
