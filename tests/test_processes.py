"""Workers end with the process that started them, whatever they do just then."""

import subprocess
import sys

import pytest
from conftest import ROOT
from ended import outlives

# A parent that starts a worker and waits; the worker says that it works, and would for a minute.
PARENT = """
import multiprocessing, os, sys, time
from domain_ner.processes import end_with_parent

def work():
    end_with_parent()
    print(os.getpid(), flush=True)
    {work}

if __name__ == "__main__":
    worker = multiprocessing.get_context("spawn").Process(target=work, daemon=True)
    worker.start()
    worker.join()
"""


@pytest.mark.parametrize(
    "work", ["time.sleep(60)", "sum(number for number in range(10**10))"], ids=["it waits", "it computes"]
)
def test_a_worker_ends_when_its_parent_is_killed(tmp_path, work):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(work=work), encoding="utf8")
    parent = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert not outlives(worker)


def test_a_process_that_nobody_started_as_a_worker_goes_on():
    ran = subprocess.run(
        [sys.executable, "-c", "from domain_ner.processes import end_with_parent; end_with_parent(); print('on')"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert ran.stdout == "on\n"
