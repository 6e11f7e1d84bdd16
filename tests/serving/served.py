"""A real server on loopback, in a thread of the test's process, and requests to it."""

import json
import threading
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace

import spacy
import uvicorn
from pipelines import learn_by_heart
from spacy.training import Example
from thinc.api import fix_random_seed

from domain_ner.serving.app import create_app
from domain_ner.serving.settings import ServiceSettings

TEXT = "The Payments squad runs Redis and Kafka."
LEARNED = [
    (TEXT, [(4, 18, "TEAM"), (24, 29, "INFRA"), (34, 39, "INFRA")]),
    ("Nothing failed today, the gateway was fine.", []),
]


def recogniser(folder: Path) -> Path:
    """A trained `crf_ner`, with confidences, of which one type is suppressed unless it is nearly certain."""
    fix_random_seed(0)
    nlp = spacy.blank("en", meta={"name": "served", "version": "1.2.0"})
    nlp.add_pipe("crf_ner", config={"min_confidence": {"TEAM": 1.0}, "temperature": 6.0})
    given = [Example.from_dict(nlp.make_doc(text), {"entities": spans}) for text, spans in LEARNED]
    learn_by_heart(nlp, given, learn_rate=0.01, n_steps=12)
    nlp.meta["performance"] = {
        "ents_p": 0.9, "ents_r": 0.8, "ents_f": 0.85, "ents_per_type": {"INFRA": {"p": 1.0, "r": 0.5, "f": 0.66}},
    }  # fmt: skip
    nlp.to_disk(folder)
    return folder


@contextmanager
def running(pipeline: Path, **settings):
    """Serve a pipeline; gives a function that sends a request."""
    app = create_app(ServiceSettings(str(pipeline), port=0, **{"workers": 0, **settings}))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]

    def call(method, path, content=None, headers=None, raw=None):
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        body = raw if raw is not None else None if content is None else json.dumps(content)
        connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        is_json = response.getheader("content-type", "").startswith("application/json")
        return SimpleNamespace(
            status=response.status, text=text, json=json.loads(text) if is_json else None, headers=response.headers
        )

    try:
        yield SimpleNamespace(call=call, url=f"http://127.0.0.1:{port}", server=server, app=app)
    finally:
        server.should_exit = True
        thread.join()
