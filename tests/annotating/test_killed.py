"""Runs that are killed at random, driver and workers, end with the bytes of a run that was not."""

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from annotators import output_rows, outputs, start_command, text_of, write_rows
from ended import outlives
from fragile_pipelines import install_fragile, ruler

N_DOCUMENTS, N_KILLS = 400, 4


def children(pid: int) -> list[int]:
    """The processes that a process started, the resource tracker of multiprocessing left out."""
    found = []
    with suppress(OSError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                found.append(child)
    return found


def test_a_run_killed_at_random_ends_with_each_document_once(tmp_path, monkeypatch):
    install_fragile(tmp_path / "site", monkeypatch)
    pipeline = ruler(tmp_path / "fragile", "fragile")
    rows = [{"id": f"d{n:04d}", "text": f"{text_of(n)} {'SLOW' * (n % 5 == 0)}"} for n in range(N_DOCUMENTS)]
    rows[200]["text"] = "KILL"
    given = write_rows(tmp_path / "in.jsonl", rows)
    options = ["--processes", 2, "--shard-size", 100]
    start_command(pipeline, given, tmp_path / "whole", *options).communicate()
    chance, n_kills = random.Random(0), 0
    while n_kills < N_KILLS:
        process = start_command(pipeline, given, tmp_path / "killed", *options)
        for _ in range(2):  # a worker, then the driver
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(2.0, 5.0))
            workers = children(process.pid)
            for pid in [chance.choice(workers)] if workers else []:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    n_kills += 1
        process.kill()
        process.wait()
        n_kills += 1
        assert not any(outlives(pid) for pid in workers)
    last = start_command(pipeline, given, tmp_path / "killed", *options)
    said = last.communicate()[0]
    assert last.returncode == 2, said  # one document failed
    assert outputs(tmp_path / "killed") == outputs(tmp_path / "whole")
    ids = [f"d{n:04d}" for n in range(N_DOCUMENTS) if n != 200]
    assert [row["id"] for row in output_rows(tmp_path / "killed")] == ids


def test_ctrl_c_stops_the_workers_and_says_how_to_go_on(tmp_path, monkeypatch):
    install_fragile(tmp_path / "site", monkeypatch)
    pipeline = ruler(tmp_path / "fragile", "fragile")
    given = write_rows(tmp_path / "in.jsonl", [{"text": f"SLOW {n}"} for n in range(2000)])
    process = start_command(pipeline, given, tmp_path / "out", "--processes", 2, "--shard-size", 1000)
    while len(children(process.pid)) < 2:
        time.sleep(0.1)
    time.sleep(2)
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=90)[0]  # a busy machine takes its time
    assert process.returncode == 130 and "Resume with: domain-ner annotate" in said.replace(
        "python -m domain_ner", "domain-ner"
    )
    assert not any(outlives(pid) for pid in workers)
