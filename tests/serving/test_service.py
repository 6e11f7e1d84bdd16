"""The API over HTTP, with a real server on loopback."""

import json
import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor

import jinja2
import pytest
import spacy
from conftest import ROOT
from fragile_pipelines import install_fragile, ruler
from served import TEXT, recogniser, running

from domain_ner.serving.access import JsonFormatter
from domain_ner.serving.schemas import ExtractAnswer, ExtractRequest, ModelAnswer

SECRET = "Redis of Jane Roe"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    return recogniser(tmp_path_factory.mktemp("served") / "pipeline")


@pytest.fixture(scope="module")
def service(pipeline):
    with running(pipeline, max_texts=20, max_characters=1000, max_body_bytes=20_000) as served:
        yield served


@pytest.fixture
def fragile(tmp_path, monkeypatch):
    install_fragile(tmp_path / "site", monkeypatch)
    return ruler(tmp_path / "fragile", "fragile")


def extract(service, **content):
    return service.call("POST", "/v1/extract", content)


def expected(pipeline, text):
    doc = spacy.load(pipeline)(text)
    # The last digit depends on the other texts of a batch.
    return [
        (ent.start_char, ent.end_char, ent.text, ent.label_, pytest.approx(ent._.confidence, abs=2e-4))
        for ent in doc.ents
    ]


def rows(document, key="entities"):
    return [tuple(entity[name] for name in ("start", "end", "text", "label", "confidence")) for entity in document[key]]


def test_a_text_gets_the_entities_of_the_pipeline(service, pipeline):
    answer = extract(service, text=TEXT)
    assert answer.status == 200 and len(answer.json["documents"]) == 1
    assert rows(answer.json["documents"][0]) == expected(pipeline, TEXT) != []
    assert answer.json["pipeline"].startswith("en_served 1.2.0 ")
    ExtractAnswer.model_validate_json(answer.text)


def test_many_texts_get_theirs_in_order(service, pipeline):
    texts = [TEXT, "", "Nothing here.", f"{TEXT} {TEXT}", *(f"Redis {n}" for n in range(16))]
    documents = extract(service, texts=texts).json["documents"]
    assert [rows(document) for document in documents] == [expected(pipeline, text) for text in texts]


def test_requests_at_the_same_time_get_their_own(service, pipeline):
    texts = [f"{TEXT} Ticket {n}." for n in range(40)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda text: extract(service, text=text).json["documents"][0], texts))
    assert [rows(answer) for answer in answers] == [expected(pipeline, text) for text in texts]


def test_what_is_below_the_threshold_is_answered_on_request(service):
    (document,) = extract(service, text=TEXT, below_threshold=True).json["documents"]
    assert [row[2:4] for row in rows(document, "below_threshold")] == [("Payments squad", "TEAM")]
    assert "below_threshold" not in extract(service, text=TEXT).json["documents"][0]


def test_labels_and_a_least_confidence_choose(service):
    both = {row[3] for row in rows(extract(service, text=TEXT, labels=["INFRA", "TEAM"]).json["documents"][0])}
    assert both == {"INFRA"}
    assert rows(extract(service, text=TEXT, labels=["TEAM"]).json["documents"][0]) == []
    found = rows(extract(service, text=TEXT).json["documents"][0])
    least = max(row[4] for row in found)
    kept = rows(extract(service, text=TEXT, min_confidence=least).json["documents"][0])
    assert kept == [row for row in found if row[4] >= least] != found


def test_offsets_in_utf_16_units_are_those_of_a_browser(service):
    text = f"\U0001f600\U0001f680 {TEXT}"
    (plain,) = extract(service, text=text).json["documents"]
    (wide,) = extract(service, text=text, offsets="utf16").json["documents"]
    units = text.encode("utf-16-le")
    for (start, end, *_), (wide_start, wide_end, words, *_) in zip(rows(plain), rows(wide), strict=True):
        assert text[start:end] == words == units[2 * wide_start : 2 * wide_end].decode("utf-16-le")
        assert wide_start == start + 2


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ({}, "body"),
        ({"text": SECRET, "texts": [SECRET]}, "body"),
        ({"text": SECRET, "treshold": 1}, "body.treshold"),
        ({"text": 7}, "body.text"),
        ({"texts": [SECRET, None]}, "body.texts.1"),
        ({"texts": SECRET}, "body.texts"),
        ({"text": f"{SECRET}\ud800"}, "body.text"),
        ({"text": SECRET, "labels": ["\udfff"]}, "body.labels.0"),
        ({"text": SECRET, "min_confidence": float("nan")}, "body.min_confidence"),
        ({"text": SECRET, "min_confidence": 1.5}, "body.min_confidence"),
        ({"text": SECRET, "offsets": "bytes"}, "body.offsets"),
        ([SECRET], "body"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_told_where_and_its_text_is_not_repeated(service, content, where):
    answer = service.call("POST", "/v1/extract", raw=json.dumps(content))
    assert answer.status == 422 and answer.json["where"] == [where] and answer.json["error"]
    assert "Jane Roe" not in answer.text


@pytest.mark.parametrize("raw", ["", "{", '{"text": "' + SECRET, b"\xff\xfe", b"\x00", "[" * 10_000, '{"text": 1e999}'])
def test_what_is_no_json_is_the_senders_fault(service, raw):
    answer = service.call("POST", "/v1/extract", raw=raw)
    assert answer.status in (400, 422) and "Jane Roe" not in answer.text


def test_json_without_its_content_type_is_refused(service):
    answer = service.call("POST", "/v1/extract", {"text": TEXT}, {"Content-Type": "text/plain"})
    assert answer.status == 422


def test_too_much_is_413(service):
    assert extract(service, texts=["x"] * 21).status == 413
    answer = extract(service, texts=["x", "x" * 1001])
    assert answer.status == 413 and "Text 1 has 1001 characters" in answer.json["error"]
    whole = service.call("POST", "/v1/extract", {"text": "x" * 20_001})
    in_parts = service.call("POST", "/v1/extract", raw=iter([b"x" * 9000] * 3))  # chunked
    for answer in (whole, in_parts):
        assert answer.status == 413 and "at most 20000 bytes" in answer.json["error"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_too_many_at_once_are_429_with_when_to_come_back(fragile):
    with running(fragile, max_queued=20, batch_wordpieces=10) as served, ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda n: extract(served, text=f"SLOW {n}"), range(60)))
    assert {answer.status for answer in answers} == {200, 429}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status == 429)


def test_what_takes_too_long_is_503_and_the_rest_goes_on(fragile):
    with running(fragile, timeout_s=0.2, batch_wordpieces=10) as served:
        answer = extract(served, texts=["SLOW"] * 20)
        assert answer.status == 503 and answer.headers["retry-after"]
        assert extract(served, text="Redis").status == 200


def test_a_text_on_which_a_component_fails_costs_only_itself(fragile, caplog):
    with running(fragile) as served, caplog.at_level(logging.INFO):
        documents = extract(served, texts=["Redis", f"RAISE {SECRET}", "Kafka"]).json["documents"]
        metrics = served.call("GET", "/metrics").text
    assert [len(document["entities"]) for document in documents] == [1, 0, 1]
    assert [document.get("error") for document in documents] == [
        None,
        "the pipeline failed on this text (ValueError)",
        None,
    ]
    assert "domain_ner_failed_texts_total 1.0" in metrics and "domain_ner_texts_total 3.0" in metrics


def test_the_pipeline_is_described(service):
    answer = service.call("GET", "/v1/model")
    model = ModelAnswer.model_validate_json(answer.text)
    assert (model.name, model.version, model.f1) == ("en_served", "1.2.0", 0.85)
    assert {label.label: label.threshold for label in model.labels} == {"INFRA": 0.0, "TEAM": 1.0}
    assert {label.label: label.recall for label in model.labels} == {"INFRA": 0.5, "TEAM": None}
    assert model.limits == {"max_texts": 20, "max_characters": 1000, "max_body_bytes": 20_000}


def test_metrics_count_requests_texts_entities_and_confidences(pipeline):
    with running(pipeline) as served:
        extract(served, texts=[TEXT, "Nothing failed today, the gateway was fine."])
        served.call("GET", f"/{SECRET.replace(' ', '-')}")
        text = served.call("GET", "/metrics").text
    for line in [
        'domain_ner_requests_total{path="/v1/extract",status="200"} 1.0',
        'domain_ner_requests_total{path="other",status="404"} 1.0',
        "domain_ner_texts_total 2.0",
        "domain_ner_empty_texts_total 1.0",
        'domain_ner_entities_total{label="INFRA"} 2.0',
        'domain_ner_below_threshold_total{label="TEAM"} 1.0',
        'domain_ner_confidence_count{label="INFRA"} 2.0',
        "domain_ner_queued_wordpieces 0.0",
    ]:
        assert f"\n{line}\n" in text, line
    assert "Jane" not in text


def test_the_probes_say_that_it_lives_and_is_ready(service):
    assert service.call("GET", "/livez").json == {"status": "alive"}
    assert service.call("GET", "/readyz").json == {"status": "ready"}


def test_with_keys_only_probes_and_page_are_open(pipeline):
    with running(pipeline, api_keys=("one", "two")) as served:
        statuses = {
            path: served.call("GET", path).status for path in ("/livez", "/readyz", "/", "/page.js", "/page.css")
        }
        assert set(statuses.values()) == {200}
        for path in ("/v1/model", "/metrics", "/openapi.json", "/health", "/nothing"):
            answer = served.call("GET", path)
            assert answer.status == 401 and answer.headers["www-authenticate"] == "Bearer", path
        for headers in [
            {"Authorization": "Bearer two"},
            {"X-API-Key": "one"},
            {"Authorization": "Basic dXNlcjpvbmU="},  # user:one, as Label Studio sends it
        ]:
            assert served.call("GET", "/v1/model", headers=headers).status == 200
        for headers in [{"Authorization": "Bearer three"}, {"Authorization": "Basic !"}, {"X-API-Key": ""}]:
            assert served.call("GET", "/v1/model", headers=headers).status == 401


def test_on_loopback_another_host_name_is_refused(service, pipeline):
    assert service.call("GET", "/v1/model", headers={"Host": "evil.example"}).status == 421
    assert service.call("GET", "/v1/model", headers={"Host": "localhost:1234"}).status == 200
    with running(pipeline, allowed_hosts=("ner.example",)) as served:
        assert served.call("GET", "/v1/model", headers={"Host": "NER.example"}).status == 200
        assert served.call("GET", "/v1/model").status == 421
        assert served.call("GET", "/livez", headers={"Host": "10.0.0.7:8000"}).status == 200  # probes come by address


def test_no_other_site_may_call_it(service):
    answer = service.call("OPTIONS", "/v1/extract", headers={"Origin": "https://evil.example"})
    assert answer.status == 405 and "access-control-allow-origin" not in answer.headers


def test_logs_have_no_text(service, caplog):
    with caplog.at_level(logging.INFO):
        extract(service, text=SECRET)
        service.call("POST", f"/{SECRET.replace(' ', '')}?q=JaneRoe", {"text": SECRET})
        service.call("POST", "/v1/extract", {"texts": SECRET})
        time.sleep(0.2)  # a line is written after its answer
    lines = [JsonFormatter().format(record) for record in caplog.records if record.name != "uvicorn.access"]  # off
    assert [json.loads(line).get("status") for line in lines if '"POST"' in line] == [200, 404, 422]
    assert "Jane" not in "".join(lines)


def test_an_unforeseen_error_is_500_and_its_message_is_not_logged(pipeline, caplog, monkeypatch):
    def fail(*_):
        raise RuntimeError(SECRET)

    monkeypatch.setattr("domain_ner.serving.routes.extract_answer", fail)
    with running(pipeline) as served, caplog.at_level(logging.INFO):
        answer = extract(served, text=SECRET)
    assert answer.status == 500 and answer.json["error"]
    lines = "".join(JsonFormatter().format(record) for record in caplog.records)
    assert "RuntimeError" in lines and "Jane" not in lines + answer.text


def test_a_request_may_name_itself(service):
    assert service.call("GET", "/livez", headers={"X-Request-Id": "a-1"}).headers["x-request-id"] == "a-1"
    given = service.call("GET", "/livez", headers={"X-Request-Id": "a\tb"}).headers["x-request-id"]
    assert given.isalnum()


def test_the_openapi_document_describes_it_and_its_examples_work(service):
    document = service.call("GET", "/openapi.json").json
    assert {"/v1/extract", "/v1/model", "/livez", "/readyz", "/metrics", "/predict", "/setup"} <= set(document["paths"])
    examples = document["components"]["schemas"]["ExtractRequest"]["examples"]
    assert examples and all(extract(service, **example).status == 200 for example in examples)
    assert [ExtractRequest.model_validate(example) for example in examples]


def test_the_mapping_for_doccano_makes_its_labels_of_an_answer(service):
    """The template of docs/serving.md, which doccano renders with `input`, the answer."""
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf8")
    template = re.search(r"```jinja\n(.*?)```", page, re.DOTALL)[1]
    answer = extract(service, text=TEXT).json
    labels = json.loads(jinja2.Template(template).render(input=answer))
    found = [(row["start_offset"], row["end_offset"], row["label"]) for row in labels]
    assert found == [(row[0], row[1], row[3]) for row in rows(answer["documents"][0])] != []
