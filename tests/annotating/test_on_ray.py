"""The Ray engine: what a worker does, without Ray; and with Ray where it is installed (`pip install "ray[data]"`)."""

import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from annotators import output_rows, outputs, run, start_command, text_of, write_rows
from fragile_pipelines import install_fragile, ruler

from domain_ner.annotating.jobs import Job, Settings
from domain_ner.annotating.on_ray import (
    Cluster,
    ShardAnnotator,
    count_workers,
    job_from_json,
    pipeline_folder,
    run_on_ray,
)
from domain_ner.annotating.shards import Limits, plan_shards
from domain_ner.annotating.sources import find_sources
from domain_ner.errors import DomainNerError
from domain_ner.files.locks import acquire


@pytest.fixture
def jobs(tmp_path):
    """Three jobs of ten documents."""
    pipeline = ruler(tmp_path / "ruler")
    given = write_rows(tmp_path / "in.jsonl", [{"id": n, "text": text_of(n)} for n in range(30)])
    shards = plan_shards(find_sources([str(given)], output=tmp_path / "out"), Limits(10))
    return [Job(shard, Settings(), str(pipeline), "ruler 1.0.0", str(tmp_path / "out")) for shard in shards]


def annotated(annotator, *jobs):
    return [json.loads(row) for row in annotator({"job": [json.dumps(asdict(job)) for job in jobs]})["result"]]


def test_a_worker_annotates_what_it_gets(jobs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = annotated(ShardAnnotator(str(tmp_path), use_gpu=False), *jobs)
    assert [(row["number"], row["n_documents"], row["n_errors"]) for row in results] == [
        (0, 10, 0),
        (1, 10, 0),
        (2, 10, 0),
    ]
    assert len(output_rows(tmp_path / "out")) == 30


def test_jobs_travel_as_json(jobs):
    assert [job_from_json(json.loads(json.dumps(asdict(job)))) for job in jobs] == jobs


def test_a_worker_reports_what_it_cannot_read_or_load(jobs, tmp_path):
    annotator = ShardAnnotator(str(tmp_path), use_gpu=False)
    (gone,) = annotated(annotator, replace(jobs[0], pipeline="missing"))
    assert "Cannot load a pipeline from missing" in gone["error"]
    (tmp_path / "in.jsonl").write_text("")
    (changed,) = annotated(annotator, jobs[0])
    assert "changed after its documents were counted" in changed["error"]


def test_a_folder_that_the_worker_does_not_have_is_told(jobs, tmp_path):
    (row,) = annotated(ShardAnnotator(str(tmp_path / "elsewhere"), use_gpu=False), jobs[0])
    assert "must lie on storage that each machine of the cluster has" in row["error"]


def test_a_worker_waits_for_a_shard_that_another_process_holds(jobs, tmp_path, monkeypatch):
    (tmp_path / "out" / ".unfinished").mkdir(parents=True)
    lock = acquire(tmp_path / "out" / ".unfinished" / "part-000000.lock")
    monkeypatch.setattr("domain_ner.annotating.on_ray.time.sleep", lambda _: os.close(lock))
    monkeypatch.chdir(tmp_path)
    assert annotated(ShardAnnotator(str(tmp_path), use_gpu=False), jobs[0])[0]["n_documents"] == 10


def test_workers_fill_the_cluster():
    assert count_workers({"CPU": 8.0}, 0.0) == 8
    assert count_workers({"CPU": 8.0, "GPU": 2.0}, 0.5) == 4
    assert count_workers({"CPU": 8.0}, 1.0) == 1


def test_the_folder_of_a_pipeline_is_found(tmp_path):
    folder = ruler(tmp_path / "ruler")
    assert pipeline_folder(str(folder)) == folder


def test_without_ray_it_says_what_to_install(jobs, monkeypatch):
    monkeypatch.setattr("domain_ner.annotating.on_ray.find_spec", lambda _: None)
    with pytest.raises(DomainNerError, match="pip install"):
        list(run_on_ray(jobs, Cluster(), lambda *_: None))


def test_settings_of_ray_without_ray_are_refused(tmp_path):
    given = write_rows(tmp_path / "in.jsonl", [{"text": "Redis"}])
    process = start_command(ruler(tmp_path / "ruler"), given, tmp_path / "out", "--address", "auto")
    assert "Add --engine ray" in process.communicate()[0] and process.returncode == 1


@pytest.mark.slow
def test_ray_writes_what_local_processes_write(tmp_path, monkeypatch):
    """A document that ends its worker, one that fails, and the rest."""
    pytest.importorskip("ray")
    install_fragile(tmp_path / "site", monkeypatch)
    pipeline = ruler(tmp_path / "fragile", "fragile")
    rows = [{"id": f"d{n}", "text": text_of(n)} for n in range(60)]
    rows[13]["text"], rows[44]["text"] = "KILL", "RAISE"
    given = write_rows(tmp_path / "in.jsonl", rows)
    run(pipeline, [given], tmp_path / "local", Settings(), n_processes=2)
    options = ["--engine", "ray", "--processes", 2, "--shard-size", 10]
    process = start_command(pipeline, given, tmp_path / "ray", *options)
    said = process.communicate()[0]
    assert process.returncode == 2, said
    assert outputs(tmp_path / "ray") == outputs(tmp_path / "local")
    assert [json.loads(line)["id"] for line in (tmp_path / "ray/errors.jsonl").open()] == ["d13", "d44"]


@pytest.mark.slow
def test_a_cluster_gets_package_and_pipeline(tmp_path, monkeypatch):
    """A cluster of one machine that was started before, reached by its address."""
    pytest.importorskip("ray")
    import subprocess

    given = write_rows(tmp_path / "in.jsonl", [{"id": f"d{n}", "text": text_of(n)} for n in range(30)])
    pipeline = ruler(tmp_path / "ruler")
    run(pipeline, [given], tmp_path / "local", Settings())
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    ray = [sys.executable, "-c", "import sys; from ray.scripts.scripts import main; sys.exit(main())"]
    start = [*ray, "start", "--head", "--port", "6397", "--num-cpus", "1", "--include-dashboard=false"]
    subprocess.run(start, check=True, capture_output=True, cwd=Path.home())
    try:
        options = ["--engine", "ray", "--address", "127.0.0.1:6397", "--shard-size", 10]
        process = start_command(pipeline, given.name, tmp_path / "ray", *options, cwd=tmp_path)
        said = process.communicate(timeout=300)[0]
    finally:
        subprocess.run([*ray, "stop", "--force"], check=False, capture_output=True)
    assert process.returncode == 0, said
    assert outputs(tmp_path / "ray").keys() == outputs(tmp_path / "local").keys()
    assert [row["id"] for row in output_rows(tmp_path / "ray")] == [f"d{n}" for n in range(30)]
