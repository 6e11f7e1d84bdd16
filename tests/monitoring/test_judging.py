"""Windows against the baseline: what is found, the verdict with its reasons, the passages, reviews and history."""

import json
from dataclasses import replace

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.monitoring.baseline import Identity, Known
from domain_ner.monitoring.building import make_baseline
from domain_ner.monitoring.comparing import MonitorSettings
from domain_ner.monitoring.history import read_history, write_history
from domain_ner.monitoring.judging import monitor
from domain_ner.monitoring.observations import Observation
from domain_ner.monitoring.prometheus import metrics_of
from domain_ner.monitoring.reviews import ReviewedF1, read_reviews
from domain_ner.monitoring.windows import Window

SETTINGS = MonitorSettings(n_permutations=499)
IDENTITY = Identity(name="en_x", version="1.0.0", sha256="ab" * 32)


def documents(rng, n, *, sure=0.9, unseen=0.05, rate=0.8, prefix="d"):
    """Labelled documents whose entities are right as often as their confidence says."""
    made = []
    for number in range(n):
        words = rng.integers(10, 30)
        told = [round(min(0.999, max(0.05, rng.normal(sure, 0.05))), 4) for _ in range(rng.poisson(rate))]
        right = sum(rng.random() < p for p in told)
        made.append(
            Observation(
                id=f"{prefix}{number}",
                counts={"characters": int(words) * 6, "tokens": int(words) + 2, "words": int(words),
                        "unseen": int(rng.binomial(words, unseen))},
                confidences={"A": told} if told else {},
                expected={"A": sum(told)},
                correct={"A": int(right)},
                gold={"A": int(right)},
            )
        )  # fmt: skip
    return made


@pytest.fixture
def rng():
    import numpy as np

    return np.random.default_rng(0)


@pytest.fixture
def known(rng):
    return Known(make_baseline(documents(rng, 400), IDENTITY, "en", "test.spacy"), (IDENTITY.sha256,), "baseline.json")


def report_of(known, observations, **options):
    return monitor(known, [Window("week", len(observations), observations)], SETTINGS, **options)


def test_a_window_like_the_baseline_is_fine(known, rng):
    report = report_of(known, documents(rng, 300))
    window = report.windows[0]
    assert report.verdict == "fine" and window.reasons == [] and window.significant == []
    assert window.f1.low <= window.f1.baseline <= window.f1.high
    assert window.figures.unseen == pytest.approx(0.05, abs=0.01)


def test_less_confidence_asks_for_retraining_and_says_why(known, rng):
    window = report_of(known, documents(rng, 300, sure=0.7)).windows[0]
    assert window.verdict == "retrain"
    assert any(reason.startswith("F1 fell from 9") for reason in window.reasons)
    assert any(reason.startswith("The mean confidence fell by") for reason in window.reasons)
    assert {finding.name for finding in window.significant} == {"mean confidence", "confidence histogram"}


def test_new_words_ask_for_retraining_and_the_passages_are_those_that_have_them(known, rng):
    given = documents(rng, 280) + documents(rng, 20, unseen=1.0, prefix="new")
    window = report_of(known, given).windows[0]
    finding = window.significant[0]
    assert window.verdict == "retrain" and finding.name == "unseen words"
    assert finding.passages[:15] == [one for one in finding.passages[:15] if one.startswith("new")]
    assert len(finding.passages) == 20 and "% of the words are unseen" in window.reasons[0]


def test_a_type_that_is_more_frequent_asks_for_a_look(known, rng):
    window = report_of(known, documents(rng, 300, rate=1.6)).windows[0]
    assert window.verdict == "look" and "entities of A" in window.reasons[0]


def test_a_significant_difference_that_is_small_changes_nothing(rng):
    def sized(n, length):
        return [Observation(counts={"tokens": length + number % 2}, id=str(number)) for number in range(n)]

    known = Known(make_baseline(sized(200, 100), IDENTITY, "en", "test.spacy"), (), "")
    window = report_of(known, sized(200, 102)).windows[0]
    assert window.significant and all(finding.is_small for finding in window.significant if finding.name != "length")
    assert window.verdict == "fine" and "too small to matter" in window.reasons[0]
    assert window.f1 is None and window.by_type == {}


def test_what_a_window_lacks_is_named(known, rng):
    bare = [replace(one, counts={}, expected=None) for one in documents(rng, 50)]
    window = report_of(known, bare).windows[0]
    assert window.missing == ["characters", "expected", "tokens", "unseen", "words"] and window.f1 is None
    assert {finding.name for finding in window.findings} == {
        "empty documents", "entities", "mean confidence", "confidence histogram",
    }  # fmt: skip


def test_the_verdict_is_that_of_the_newest_window(known, rng):
    windows = [Window("bad", 300, documents(rng, 300, sure=0.7)), Window("good", 300, documents(rng, 300))]
    report = monitor(known, windows, SETTINGS)
    assert [window.verdict for window in report.windows] == ["retrain", "fine"] and report.verdict == "fine"


def test_a_reviewed_sample_is_put_beside_the_estimate(known, rng):
    given = documents(rng, 300)
    agrees = report_of(known, given, reviews={"": ReviewedF1(0.9, 0.85, 0.95), "A": ReviewedF1(0.2)}).windows[0]
    assert agrees.f1.reviewed.agrees and not agrees.by_type["A"].reviewed.agrees


def test_reviews_are_read_from_several_shapes(tmp_path):
    path = tmp_path / "review.json"
    path.write_text(json.dumps({"by_type": {"A": {"f1": {"value": 0.9, "low": 0.8, "high": 1}}, "B": {"f1": None}},
                                "micro": {"f1": 0.7}}))  # fmt: skip
    assert read_reviews(path) == {"A": ReviewedF1(0.9, 0.8, 1), "": ReviewedF1(0.7)}
    path.write_text('{"by_type": {}}')
    with pytest.raises(DomainNerError, match="holds no F1 by type"):
        read_reviews(path)
    with pytest.raises(DomainNerError, match="Cannot read"):
        read_reviews(tmp_path / "none.json")


def test_the_history_keeps_each_window_once(known, rng, tmp_path):
    path, report = tmp_path / "history.jsonl", report_of(known, documents(rng, 100))
    for _ in range(2):
        write_history(path, read_history(path), report)
    rows = read_history(path)
    assert [(row.name, row.n_documents, row.verdict) for row in rows] == [("week", 100, report.verdict)]
    write_history(path, rows, report_of(known, documents(rng, 120)))
    assert [row.n_documents for row in read_history(path)] == [100, 120]
    path.write_text("{}\n")
    with pytest.raises(DomainNerError, match=r"history\.jsonl:1 is no window"):
        read_history(path)


def test_prometheus_reads_the_newest_window(known, rng):
    from prometheus_client.parser import text_string_to_metric_families

    report = report_of(known, documents(rng, 300, sure=0.7))
    samples = {
        (sample.name, sample.labels.get("label", ""), sample.labels.get("of", "")): sample.value
        for family in text_string_to_metric_families(metrics_of(report))
        for sample in family.samples
    }
    assert samples["domain_ner_monitor_verdict", "", ""] == 2
    assert samples["domain_ner_monitor_f1", "A", "window"] == pytest.approx(report.windows[0].by_type["A"].value)
    assert samples["domain_ner_monitor_documents", "", ""] == 300
