"""The client: batches, retries, errors."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from served import TEXT, recogniser, running

from domain_ner.client import Client, Document, Entity, ServiceError


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(recogniser(tmp_path_factory.mktemp("served") / "pipeline"), api_keys=("key",)) as served:
        yield served


@pytest.fixture
def scripted():
    """A server that answers as told: (status, headers, body), or None to hang up."""
    answers, seen = [], []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            seen.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            answer = answers.pop(0)
            if answer is None:
                self.close_connection = True
                self.connection.close()
                return
            status, headers, content = answer
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers, seen
    server.shutdown()
    server.server_close()


def documents(*numbers):
    return {"pipeline": "x", "documents": [{"entities": []} for _ in numbers]}


def test_texts_come_back_in_order_with_what_they_hold(service):
    client = Client(service.url, api_key="key", batch_size=2)
    texts = [TEXT, "fine", TEXT, "", TEXT]
    found = list(client.extract(iter(texts), below_threshold=True))
    assert [len(document.entities) for document in found] == [2, 0, 2, 0, 2]
    assert found[0].entities[0].text == "Redis" and found[0].below_threshold[0].label == "TEAM"
    assert client.extract_one(TEXT, labels=["TEAM"]) == Document(())
    assert client.model()["name"] == "en_served"
    client.close()


def test_a_wrong_key_is_an_error_at_once(service):
    with pytest.raises(ServiceError, match="401: An API key") as raised:
        Client(service.url, api_key="other").extract_one(TEXT)
    assert raised.value.status == 401


def test_it_comes_back_when_told_and_after_a_broken_connection(scripted):
    url, answers, seen = scripted
    busy = (429, {"Retry-After": "0"}, {"error": "later"})
    answers += [busy, None, None, (503, {}, {"error": "ends"}), (200, {}, documents(1))]
    assert Client(url, api_key="").extract_one("a") == Document(())
    assert len(seen) == 5 and answers == []


def test_after_all_retries_it_gives_up(scripted):
    url, answers, _ = scripted
    answers += [(429, {}, {"error": "later"})] * 3
    with pytest.raises(ServiceError, match="429: later"):
        Client(url, retries=2).extract_one("a")


def test_a_service_that_is_not_there_is_named():
    with pytest.raises(ServiceError, match="127.0.0.1:9"):
        Client("http://127.0.0.1:9", retries=1).extract_one("a")


@pytest.mark.parametrize("content", [documents(), documents(1, 2)])
def test_another_number_of_documents_is_an_error(scripted, content):
    url, answers, _ = scripted
    answers.append((200, {}, content))
    with pytest.raises(ServiceError, match="for 1 texts"):
        Client(url).extract_one("a")


def test_what_is_no_json_is_shown(scripted):
    url, answers, _ = scripted
    answers.append((502, {}, b"<html>Bad gateway"))
    with pytest.raises(ServiceError, match="502: <html>Bad gateway"):
        Client(url).extract_one("a")


def test_batches_keep_to_both_limits(scripted):
    url, answers, seen = scripted
    answers += [(200, {}, documents(1, 2)), (200, {}, documents(1)), (200, {}, documents(1))]
    list(Client(url, batch_size=2, batch_characters=10).extract(["a", "b", "c" * 9, "dd"]))
    assert [row["texts"] for row in seen] == [["a", "b"], ["c" * 9], ["dd"]]


def test_a_url_without_scheme_is_refused():
    with pytest.raises(ValueError, match="expected one like"):
        Client("localhost:8000")


def test_prodigy_gets_tasks_with_suggestions(service):
    rows = [{"text": TEXT, "meta": {"n": 1}}, {"text": "fine", "id": 2}]
    tasks = list(Client(service.url, api_key="key", batch_size=1).prodigy_tasks(rows))
    assert [(span["start"], span["label"]) for span in tasks[0]["spans"]] == [(24, "INFRA"), (34, "INFRA")]
    assert tasks[0]["meta"]["n"] == 1 and 0 < tasks[0]["meta"]["score"] <= 1
    assert tasks[1] == {"text": "fine", "id": 2, "spans": [], "meta": {}}


def test_entities_are_typed(service):
    entity = Client(service.url, api_key="key").extract_one(TEXT).entities[0]
    assert isinstance(entity, Entity) and TEXT[entity.start : entity.end] == entity.text
