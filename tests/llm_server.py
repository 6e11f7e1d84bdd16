"""A real HTTP server on loopback that speaks the protocol of chat completions, and fails as told."""

import json
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCEPTED = {"temperature", "max_tokens", "model", "messages", "stream", "response_format"}


class Behaviour:
    """How the server answers. names: surface to label. fail: called with (text, number of its call), returns a failure.

    A failure is the name of a method of `Handler` that ends the call, or None for the right answer.
    """

    def __init__(self, names, fail=lambda text, number: None, *, streams=False, usage=True, key=""):
        self.names, self.fail, self.streams, self.usage, self.key = names, fail, streams, usage, key
        self.calls = Counter()
        self.bodies, self.headers, self.tokens = [], [], 0
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.n_now = self.most_now = 0

    @property
    def n_calls(self):
        return self.calls.total()


def right_answer(text, names):
    """The entities of the dictionary in a text, in reading order, each surface once."""
    found = sorted((match.start(), name) for name in names for match in re.finditer(rf"\b{re.escape(name)}\b", text))
    return [
        {"text": name, "label": names[name], "occurrence": None} for name in dict.fromkeys(name for _, name in found)
    ]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        does = self.server.behaviour
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = body["messages"][1]["content"]
        with does.lock:
            number = does.calls[text]
            does.calls[text] += 1
            does.bodies.append(body)
            does.headers.append(dict(self.headers))
            does.n_now += 1
            does.most_now = max(does.most_now, does.n_now)
        try:
            failure = does.fail(text, number)
            if does.key and self.headers.get("Authorization") != f"Bearer {does.key}":
                self.error(401, {"code": "invalid_api_key", "message": f"Incorrect API key: {does.key}"})
            elif failure is None:
                self.answer(right_answer(text, does.names), body)
            elif callable(failure):
                failure(self, body)
            else:
                getattr(self, failure)(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with does.lock:
                does.n_now -= 1

    def send(self, status, content, kind="application/json", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def error(self, status, error, headers=()):
        self.send(status, json.dumps({"error": error}).encode(), headers=headers)

    def answer(self, entities, body, finish="stop"):
        self.say(json.dumps({"entities": entities}, ensure_ascii=False), body, finish)

    def say(self, content, body, finish="stop"):
        does = self.server.behaviour
        usage = {
            "prompt_tokens": len(json.dumps(body["messages"])) // 4, "completion_tokens": max(1, len(content) // 4),
        }  # fmt: skip
        with does.lock:
            does.tokens += sum(usage.values())
        if does.streams:
            self.stream(content, usage, finish)
            return
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
        whole = {"object": "chat.completion", "choices": [choice], **({"usage": usage} if does.usage else {})}
        self.send(200, json.dumps(whole).encode())

    def stream(self, content, usage, finish, *, is_whole=True):
        pieces = [content[start : start + 7] for start in range(0, len(content), 7)]
        events = [{"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in pieces]
        if is_whole:
            events += [
                {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
                {"choices": [], "usage": usage},
            ]
        lines = [f"data: {json.dumps(event)}\n\n" for event in events] + (["data: [DONE]\n\n"] if is_whole else [])
        self.send(200, (": comment\n\n" + "".join(lines)).encode(), "text/event-stream")

    # Failures, each by the name that `fail` returns.
    def status_500(self, body):
        self.error(500, {"message": body["messages"][1]["content"]})

    def status_429(self, body):
        self.error(429, {"message": "slow down", "code": "rate_limit_exceeded"}, [("Retry-After", "0")])

    def hang_up(self, body):
        self.close_connection = True
        self.connection.close()

    def truncated(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(b'{"choices": [{"message"')
        self.close_connection = True

    def broken_json(self, body):
        self.send(200, b'{"choices": [{"message": {"content": "[')

    def broken_stream(self, body):
        self.stream('{"entities": [{"text": "Re', {}, "stop", is_whole=False)

    def hang(self, body):
        self.server.behaviour.released.wait(20)
        self.close_connection = True

    def drip_headers(self, body):
        self.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 2000)

    def drip_body(self, body):
        self.drip(b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n" + b" " * 40)

    def drip(self, slowly, at_once=b""):
        self.wfile.write(at_once)
        for byte in slowly or b" " * 2000:
            self.wfile.write(bytes([byte]))
            if self.server.behaviour.released.wait(0.02):
                break
        self.close_connection = True

    def lie(self, body):
        text = body["messages"][1]["content"]
        words = text.split()
        entities = [
            {"text": "Nowhere", "label": "INFRA", "occurrence": None},
            {"text": words[0], "label": "PLANET", "occurrence": None},
            {"text": words[0][1:], "label": "TEAM", "occurrence": 1, "start": 5, "end": 900},
            {"text": " ".join(words[:2]), "label": "TEAM", "occurrence": 99},
            {"label": "TEAM"},
        ]
        self.answer(entities, body)

    def no_list(self, body):
        self.say("I cannot do that.", body)

    def too_long(self, body):
        self.error(400, {"code": "context_length_exceeded", "message": "maximum context length is 4096 tokens"})


@contextmanager
def serving(behaviour):
    """Serve on a free port of loopback; yields the URL."""

    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 64

        def handle_error(self, request, client_address):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    server.behaviour = behaviour
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        behaviour.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def wait_for(is_true, seconds=20.0):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
