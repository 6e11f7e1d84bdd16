"""The number of threads: what the process may use, in a container too."""

import os

import pytest

from domain_ner.onnx_encoder.threads import count_threads


@pytest.fixture
def cgroup(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    return tmp_path


def test_a_number_that_is_asked_for_is_used(cgroup):
    assert count_threads(3, cgroup=cgroup) == 3


def test_all_processors_that_the_process_is_bound_to(cgroup):
    assert count_threads(cgroup=cgroup) == 8


@pytest.mark.parametrize(("quota", "n_threads"), [("50000 100000", 1), ("250000 100000", 3), ("max 100000", 8)])
def test_the_quota_of_a_container_limits_them(cgroup, quota, n_threads):
    (cgroup / "cpu.max").write_text(quota)
    assert count_threads(cgroup=cgroup) == n_threads


@pytest.mark.parametrize(("quota", "n_threads"), [("50000", 1), ("400000", 4), ("-1", 8)])
def test_the_quota_of_an_older_container_limits_them(cgroup, quota, n_threads):
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (cgroup / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert count_threads(cgroup=cgroup) == n_threads


@pytest.mark.parametrize(("given", "n_threads"), [("2", 2), ("2,1", 2), ("", 8), ("many", 8), ("0", 8)])
def test_omp_num_threads_limits_them(cgroup, monkeypatch, given, n_threads):
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert count_threads(cgroup=cgroup) == n_threads
