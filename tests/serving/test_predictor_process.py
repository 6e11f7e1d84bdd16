"""A process of its own predicts; a text that ends it costs only itself."""

from pathlib import Path

import pytest
from fragile_pipelines import install_fragile, ruler
from served import running

from domain_ner.errors import DomainNerError
from domain_ner.serving.found import Found
from domain_ner.serving.process import ENDED, PredictorProcess

pytestmark = pytest.mark.slow


@pytest.fixture
def fragile(tmp_path, monkeypatch):
    install_fragile(tmp_path / "site", monkeypatch)
    return str(ruler(tmp_path / "fragile", "fragile"))


def test_a_text_that_ends_the_process_costs_only_itself(fragile):
    process = PredictorProcess(fragile, 1)
    assert process.start()["name"] == "en_ruler"
    found = process(["Redis", "KILL", "Kafka"])
    assert [len(one.entities) for one in found] == [1, 0, 1] and found[1] == Found(error=ENDED)
    assert process(["KILL"]) == [Found(error=ENDED)]
    assert len(process(["Redis"])[0].entities) == 1
    process.close()


def test_a_process_that_ends_while_it_has_nothing_to_do_costs_no_text(fragile):
    process = PredictorProcess(fragile, 1)
    process.start()
    process._process.kill()
    process._process.join()
    assert not process.is_running and len(process(["Redis"])[0].entities) == 1 and process.is_running
    process.close()


def test_a_pipeline_that_is_gone_is_503_until_it_is_back(fragile):
    with running(fragile, workers=1) as served:
        Path(fragile).rename(f"{fragile}-gone")
        assert served.call("POST", "/v1/extract", {"text": "KILL"}).status in (200, 503)
        answers = [served.call("POST", "/v1/extract", {"text": "Redis"}) for _ in range(2)]
        assert [answer.status for answer in answers] == [503, 503] and served.call("GET", "/readyz").status == 503
        Path(f"{fragile}-gone").rename(fragile)
        assert served.call("POST", "/v1/extract", {"text": "Redis"}).status == 200
        assert served.call("GET", "/readyz").status == 200


def test_a_pipeline_that_cannot_be_loaded_is_told():
    with pytest.raises(DomainNerError, match="Cannot load a pipeline from missing"):
        PredictorProcess("missing", 1).start()


def test_several_workers_answer_all_requests(fragile):
    with running(fragile, workers=2, batch_wordpieces=20) as served:
        answer = served.call("POST", "/v1/extract", {"texts": [f"Redis {n}" if n % 2 else "fine" for n in range(60)]})
        assert [len(document["entities"]) for document in answer.json["documents"]] == [n % 2 for n in range(60)]
        documents = served.call("POST", "/v1/extract", {"texts": ["KILL", "Redis"]}).json["documents"]
        assert documents[0]["error"] == f"the pipeline failed on this text ({ENDED})" and documents[1]["entities"]
