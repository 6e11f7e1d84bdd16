"""`serve` as a process: its log, its end, several workers, and what it refuses."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from fragile_pipelines import install_fragile, ruler

from domain_ner.client import Client, ServiceError

pytestmark = pytest.mark.slow


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def serving(pipeline, *options, env=None):
    """Gives the process, its address, and the lines of its log once it ended."""
    port = free_port()
    command = [sys.executable, "-m", "domain_ner", "serve", str(pipeline), "--port", str(port), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
    reader.start()
    client = Client(f"http://127.0.0.1:{port}", retries=9)
    client.model()
    try:
        yield process, client, lines
    finally:
        process.kill()
        process.wait()
        reader.join()


def test_a_signal_under_load_loses_no_request_and_the_log_has_no_text(tmp_path, monkeypatch):
    install_fragile(tmp_path / "site", monkeypatch)
    answered, refused = [], []
    with serving(ruler(tmp_path / "fragile", "fragile")) as (process, client, lines):

        def send(number):
            mine = Client(f"http://{client._host}:{client._port}", retries=0)
            while True:
                try:
                    answered.append(mine.extract_one(f"SLOW Redis of Jane Roe {number}"))
                except ServiceError as err:
                    refused.append(err)
                    return

        threads = [threading.Thread(target=send, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(30)
        assert process.wait(30) == 0
    assert len(answered) > 16 and {len(document.entities) for document in answered} == {1}
    # Those that were cut off had not been taken: refused, or closed while idle.
    assert {err.status for err in refused} <= {0, 503}
    rows = [json.loads(line) for line in lines if line.startswith("{")]
    requests = [row for row in rows if row["event"] == "request" and row["path"] == "/v1/extract"]
    assert sum(row["status"] == 200 for row in requests) == len(answered)
    assert "Jane" not in "".join(lines)


def test_several_workers_count_together(tmp_path):
    with serving(ruler(tmp_path / "ruler"), "--workers", "2") as (_, client, _lines):
        for _ in range(20):
            mine = Client(f"http://{client._host}:{client._port}")
            mine.extract_one("Redis")
            mine.close()
        texts = {client._send("GET", "/metrics", None)[2].decode() for _ in range(3)}
    assert all('\ndomain_ner_entities_total{label="INFRA"} 20.0\n' in text for text in texts)


def test_a_second_signal_ends_it_at_once(tmp_path, monkeypatch):
    install_fragile(tmp_path / "site", monkeypatch)
    with serving(ruler(tmp_path / "fragile", "fragile")) as (process, client, _):
        url = f"http://{client._host}:{client._port}"
        slow = threading.Thread(target=lambda: list(stubborn(url)), daemon=True)
        slow.start()
        time.sleep(4)  # on a busy machine, the request takes a while to come
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
        assert process.wait(15)


def stubborn(url):
    """A request that takes half a minute; it may be cut off."""
    with suppress(ServiceError):
        yield from Client(url, retries=0, batch_size=500).extract(["SLOW"] * 500)


def test_a_setting_of_the_environment_gives_way_to_an_option(tmp_path, monkeypatch):
    monkeypatch.setenv("DOMAIN_NER_WORKERS", "many")
    with serving(ruler(tmp_path / "ruler"), "--workers", "0") as (_, client, _lines):
        assert client.extract_one("Redis").entities


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing"], "Cannot load a pipeline from missing"),
        (["{}", "--workers", "-1"], "--workers"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_served_is_said(tmp_path, arguments, message):
    given = [part.format(ruler(tmp_path / "ruler")) for part in arguments]
    ran = subprocess.run(
        [sys.executable, "-m", "domain_ner", "serve", *given], capture_output=True, text=True, check=False
    )
    assert ran.returncode and message in ran.stdout + ran.stderr and "Traceback" not in ran.stderr


def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "domain_ner", "serve", str(ruler(tmp_path / "ruler")), "--port", port]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1 and "address already in use" in ran.stderr and "Traceback" not in ran.stderr


def test_port_0_is_a_free_one_and_said(tmp_path):
    command = [sys.executable, "-m", "domain_ner", "serve", str(ruler(tmp_path / "ruler")), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            assert not url.endswith(":0") and Client(url, retries=9).model()["labels"]
        finally:
            process.kill()
