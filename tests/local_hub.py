"""A model hub on loopback: serves folders through the part of the hub's HTTP interface that huggingface_hub uses."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serve(repositories: dict[str, Path]):
    """Serve `repositories` (hub id to folder), each at one commit; yields the address and the list of requests."""
    requests: list[str] = []
    handler = type("Handler", (_Handler,), {"repositories": repositories, "requests": requests})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    repositories: dict[str, Path]
    requests: list[str]

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def log_message(self, *arguments):
        pass

    def _answer(self, *, body):
        self.requests.append(f"{self.command} {self.path}")
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self._model_info("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
        elif len(parts) > 4 and parts[2] == "resolve":
            self._file("/".join(parts[:2]), "/".join(parts[4:]), body=body)
        else:
            self._send(404, b"")

    def _model_info(self, hub_id, revision):
        folder = self.repositories.get(hub_id)
        if folder is None:
            return self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
        if revision not in {"main", COMMIT}:
            return self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        siblings = [{"rfilename": path.relative_to(folder).as_posix()} for path in folder.rglob("*") if path.is_file()]
        info = {"_id": "1", "id": hub_id, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False}
        return self._send(200, json.dumps(info).encode(), {"Content-Type": "application/json"})

    def _file(self, hub_id, name, *, body):
        path = self.repositories[hub_id] / name
        if not path.is_file():
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        content = path.read_bytes()
        etag = hashlib.sha256(content).hexdigest()
        return self._send(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}, body=body)

    def _send(self, status, content, headers=None, *, body=True):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body and self.command == "GET":
            self.wfile.write(content)
