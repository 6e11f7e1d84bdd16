"""A second pipeline beside the one that answers: where they differ is counted, and nothing of it reaches an answer."""

import threading
import time

import pytest
import spacy
from fragile_pipelines import install_fragile, ruler
from served import running

from domain_ner.errors import DomainNerError
from domain_ner.serving import shadow as module
from domain_ner.serving.found import Entity, Found
from domain_ner.serving.metrics import Metrics
from domain_ner.serving.settings import ServiceSettings
from domain_ner.serving.shadow import FAILED, LOADING, RUNNING, Shadow

IDENTITY = {"name": "en_other", "version": "2.0.0", "sha256": "f" * 64}


def found(*entities, error=""):
    return Found(tuple(Entity(start, end, label, 0.9) for start, end, label in entities), error=error)


class FakeProcess:
    """Answers as a function says. gate: what a call waits for."""

    def __init__(self, answer, fails=0):
        self.answer, self.fails, self.gate, self.n_started, self.killed = answer, fails, threading.Event(), 0, 0
        self.gate.set()

    def start(self):
        self.n_started += 1
        if self.n_started <= self.fails:
            raise DomainNerError("Cannot load a pipeline from other.")
        return IDENTITY

    def __call__(self, texts):
        self.gate.wait(10)
        return [self.answer(text) for text in texts]

    def kill(self):
        self.killed += 1
        self.gate.set()

    def close(self):
        pass


def started(process, metrics, **settings):
    given = {"share": 1.0, "max_queued": 1000, "max_wordpieces": 100, **settings}
    shadow = Shadow("other", metrics, process=process, **given)
    shadow.start()
    return shadow


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(f"domain_ner_shadow_{name}", labels) or 0


def wait_for(condition, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def logged(caplog):
    return str([record.__dict__.get("values") for record in list(caplog.records)])


@pytest.fixture
def metrics():
    return Metrics({"name": "served"})


@pytest.fixture
def closing():
    shadows = []
    yield shadows.append
    for shadow in shadows:
        shadow.close()


def test_texts_on_which_the_two_differ_and_their_entities_are_counted_by_label(metrics, closing):
    shadow = started(FakeProcess(lambda text: found((0, 2, "A"), (5, 7, "B")) if text == "x" else found()), metrics)
    closing(shadow)
    shadow.offer(["x", "y", "x"], [found((0, 2, "A"), (5, 8, "B")), found(), found((0, 2, "A"), (5, 7, "B"))])
    wait_for(lambda: value(metrics, "texts_total") == 3)
    assert value(metrics, "different_texts_total") == 1
    counted = {
        (found_by, label): value(metrics, "entities_total", found_by=found_by, label=label)
        for found_by in ("both", "served", "shadow")
        for label in "AB"
    }
    assert counted == {
        ("both", "A"): 2, ("both", "B"): 1, ("served", "A"): 0, ("served", "B"): 1, ("shadow", "A"): 0,
        ("shadow", "B"): 1,
    }  # fmt: skip


def test_a_text_on_which_one_of_them_fails_is_counted_apart(metrics, closing):
    shadow = started(FakeProcess(lambda text: found(error="ValueError") if text == "x" else found()), metrics)
    closing(shadow)
    shadow.offer(["x", "y", "z"], [found(), found(error="ValueError"), found()])
    wait_for(lambda: value(metrics, "texts_total") == 1)
    assert value(metrics, "failed_texts_total") == 2 and value(metrics, "different_texts_total") == 0


def test_when_it_is_behind_texts_are_dropped_and_counted_and_no_call_waits(metrics, closing):
    process = FakeProcess(lambda _: found())
    process.gate.clear()
    shadow = started(process, metrics, max_queued=30, max_wordpieces=10)
    closing(shadow)
    begun = time.monotonic()
    for _ in range(100):
        shadow.offer(["abcd"], [found()])
    assert time.monotonic() - begun < 1
    n_dropped = value(metrics, "dropped_texts_total")
    assert 85 <= n_dropped <= 92  # what waits and a batch are kept
    process.gate.set()
    wait_for(lambda: value(metrics, "texts_total") + n_dropped == 100)
    shadow.offer(["abcd"], [found()])
    wait_for(lambda: value(metrics, "texts_total") + n_dropped == 101)


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.25, 150, 350), (1.0, 1000, 1000)])
def test_a_share_of_the_texts_is_compared(metrics, closing, share, least, most):
    shadow = started(FakeProcess(lambda _: found()), metrics, share=share, max_queued=10**6)
    closing(shadow)
    for _ in range(1000):
        shadow.offer(["x"], [found()])
    wait_for(lambda: shadow._n_queued == 0)
    time.sleep(0.05)
    assert least <= value(metrics, "texts_total") <= most and value(metrics, "dropped_texts_total") == 0


def test_a_pipeline_that_cannot_be_loaded_is_tried_again_later(metrics, closing, monkeypatch, caplog):
    monkeypatch.setattr(module, "RETRY_S", 0.3)
    shadow = started(FakeProcess(lambda _: found(), fails=1), metrics)
    closing(shadow)
    wait_for(lambda: shadow.description["state"] == FAILED)
    wait_for(lambda: "Cannot load a pipeline from other." in logged(caplog))
    shadow.offer(["x"], [found()])
    assert value(metrics, "dropped_texts_total") == 1 and value(metrics, "running") == 0
    wait_for(lambda: shadow.description == {"pipeline": "en_other 2.0.0 ffffffffffff", "state": RUNNING, "share": 1.0})
    shadow.offer(["x"], [found()])
    wait_for(lambda: value(metrics, "texts_total") == 1)
    assert value(metrics, "running") == 1


def test_a_process_that_fails_costs_the_texts_that_wait_and_its_message_is_not_logged(
    metrics, closing, monkeypatch, caplog
):
    monkeypatch.setattr(module, "RETRY_S", 0.1)

    def answer(text):
        if text == "secret":
            raise ValueError(text)
        return found()

    shadow = started(FakeProcess(answer), metrics)
    closing(shadow)
    shadow.offer(["secret"], [found()])
    wait_for(lambda: value(metrics, "running") == 0 and shadow.description["state"] != LOADING)
    wait_for(lambda: value(metrics, "running") == 1)
    shadow.offer(["fine"], [found()])
    wait_for(lambda: value(metrics, "texts_total") == 1)
    assert "secret" not in caplog.text + logged(caplog)


def test_a_process_that_hangs_is_ended(metrics, closing, monkeypatch):
    monkeypatch.setattr(module, "STUCK_S", 0.2)
    process = FakeProcess(lambda _: found())
    process.gate.clear()
    shadow = started(process, metrics)
    closing(shadow)
    shadow.offer(["x"], [found()])
    wait_for(lambda: shadow._busy_since != float("inf") and shadow.description["state"] == RUNNING)
    time.sleep(0.4)
    shadow.offer(["y"], [found()])
    assert process.killed == 1


def test_it_ends_at_once_whatever_waits(metrics):
    process = FakeProcess(lambda _: found())
    process.gate.clear()
    shadow = started(process, metrics)
    shadow.offer(["x"] * 100, [found()] * 100)
    begun = time.monotonic()
    shadow.close()
    assert time.monotonic() - begun < 2 and process.killed


def test_a_share_outside_0_to_1_is_an_error():
    with pytest.raises(DomainNerError, match=r"shadow_share is 1\.5; expected 0 to 1"):
        ServiceSettings("p", shadow="q", shadow_share=1.5)


def extract(service, *texts):
    answer = service.call("POST", "/v1/extract", {"texts": list(texts)})
    assert answer.status == 200
    return [[entity["text"] for entity in document["entities"]] for document in answer.json["documents"]]


def count(service, name):
    lines = service.call("GET", "/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"domain_ner_shadow_{name}"))


@pytest.fixture
def other(tmp_path):
    """Finds Kafka, and Postgres, but not Redis."""
    nlp = spacy.blank("en", meta={"name": "other", "version": "2.0.0"})
    patterns = [{"label": "INFRA", "pattern": name} for name in ("Kafka", "Postgres")]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    nlp.to_disk(tmp_path / "other")
    return tmp_path / "other"


@pytest.mark.slow
def test_the_service_answers_with_the_first_and_counts_where_the_second_differs(tmp_path, other):
    with running(ruler(tmp_path / "ruler"), shadow=str(other)) as service:
        wait_for(lambda: service.call("GET", "/v1/model").json["shadow"]["state"] == RUNNING, 400)
        assert service.call("GET", "/v1/model").json["shadow"]["pipeline"].startswith("en_other 2.0.0 ")
        answers = extract(service, "Redis", "Kafka", "Postgres", "nothing")
        wait_for(lambda: count(service, "texts_total") == 4)
        assert answers == [["Redis"], ["Kafka"], [], []]
        assert count(service, "different_texts_total") == 2
        for found_by in ("both", "served", "shadow"):
            assert count(service, f'entities_total{{found_by="{found_by}",label="INFRA"}}') == 1


@pytest.mark.slow
def test_a_text_that_ends_the_second_s_process_costs_only_itself(tmp_path, monkeypatch):
    install_fragile(tmp_path / "site", monkeypatch)
    with running(ruler(tmp_path / "ruler"), shadow=str(ruler(tmp_path / "fragile", "fragile"))) as service:
        wait_for(lambda: count(service, "running") == 1, 400)
        assert extract(service, "KILL Redis", "Redis") == [["Redis"], ["Redis"]]
        wait_for(lambda: count(service, "texts_total") == 1 and count(service, "failed_texts_total") == 1, 400)
        assert service.call("GET", "/readyz").status == 200


@pytest.mark.slow
def test_a_second_pipeline_that_is_missing_stops_no_answer(tmp_path):
    with running(ruler(tmp_path / "ruler"), shadow=str(tmp_path / "missing")) as service:
        assert extract(service, "Redis") == [["Redis"]]
        wait_for(lambda: service.call("GET", "/v1/model").json["shadow"]["state"] == FAILED, 400)
        assert extract(service, "Redis") == [["Redis"]] and service.call("GET", "/readyz").status == 200
