"""Ten thousand bodies that nobody means well with: each is answered, none with 5xx, and the service goes on."""

import json
import random
from collections import Counter
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from served import TEXT, recogniser, running

pytestmark = pytest.mark.slow
N_BODIES = 10_000
CONFIG = '<View><Labels name="l" toName="t"/><Text name="t" value="$text"/></View>'
VALUES = [
    None, True, False, 0, -1, 1e308, -0.0, 10**30, float("nan"), float("inf"), "", " ", "x", "\x00", "\ud800",
    "\udfff\ud800", "\U0001f600" * 50, "\u202e\u200d\ufeff", "a" * 5000, "\r\n\t", "e\u0301" * 200, "<script>", "'; --",
    "../../etc", "$text", "%s%n", [], {}, [[]], [{}], {"": ""}, [None], {"text": {"text": []}}, TEXT, [TEXT], 
    [TEXT] * 30, CONFIG, [{"data": {"text": TEXT}}], [{"data": {"text": "\ud800"}}],
]  # fmt: skip
KEYS = [
    "text", "texts", "labels", "min_confidence", "offsets", "below_threshold", "tasks", "label_config", "schema",
    "action", "project", "__proto__", "", "\u0000", "data", "utf16",
]  # fmt: skip
PATHS = ["/v1/extract", "/v1/extract", "/v1/extract", "/predict", "/setup", "/webhook"]
TYPES = ["application/json"] * 6 + ["text/plain", "application/xml", "application/json; charset=utf-16", ""]


def hostile(chance):
    """A body: mostly JSON of unlikely values, often damaged, sometimes bytes."""
    value = {chance.choice(KEYS): chance.choice(VALUES) for _ in range(chance.randint(0, 5))}
    if chance.random() < 0.2:  # what Label Studio asks, nearly
        value |= {"label_config": CONFIG, "tasks": [{"data": {"text": chance.choice(VALUES)}}, chance.choice(VALUES)]}
    for _ in range(chance.choice([0, 0, 0, 1, 3])):
        value = chance.choice([[value], {chance.choice(KEYS): value}, [value, value]])
    body = bytearray(json.dumps(value).encode("utf8", "surrogatepass"))
    for _ in range(chance.choice([0, 0, 0, 1, 5])):
        if body:
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    if chance.random() < 0.05:
        body = bytearray(chance.choice([b"[", b'{"a":', b"\xff\xfe", b"9"]) * chance.randint(1, 3000))
    return bytes(body)


def test_every_body_is_answered_and_none_with_5xx(tmp_path):
    chance, statuses = random.Random(0), Counter()
    with running(recogniser(tmp_path / "pipeline"), max_body_bytes=50_000, max_texts=20) as served:
        connection = HTTPConnection(urlsplit(served.url).netloc, timeout=60)
        for _ in range(N_BODIES):
            body, path = hostile(chance), chance.choice(PATHS)
            connection.request("POST", path, body, {"Content-Type": chance.choice(TYPES)})
            answer = connection.getresponse()
            content = answer.read()
            statuses[answer.status] += 1
            assert answer.status < 500, (path, body, content)
            json.loads(content)
        assert served.call("POST", "/v1/extract", {"text": TEXT}).json["documents"][0]["entities"]
    assert sum(statuses.values()) == N_BODIES and statuses[200] > 100 and statuses[422] > 1000
