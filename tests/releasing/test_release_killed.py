"""A release that is killed at each step and at each write, and run again."""

import json
import os
import shutil
import signal
from itertools import count
from pathlib import Path

import pytest
from power_cut import watch
from releases import EPOCH, candidate, make, prepare, tree, zip_wheels

from domain_ner.releasing.registry import Registry
from domain_ner.releasing.release import STEPS

# The first write at which a release is killed, to look at one kill alone.
FIRST_KILL = int(os.environ.get("FIRST_KILL", "1"))
# 1: at every write; more: at every so-manieth.
KILL_EVERY = int(os.environ.get("KILL_EVERY", "5"))


@pytest.fixture
def registry(tmp_path):
    return Registry(str(tmp_path / "registry"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder of a registry with 0.1.0 in use, and a better candidate with more data."""
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def used(prepared, registry, tmp_path):
    """A registry with 0.1.0 in use."""
    shutil.copytree(prepared[0], tmp_path / "registry")
    return registry


@pytest.fixture
def better(prepared):
    return prepared[1]


@pytest.fixture(scope="module")
def expected(prepared, tmp_path_factory):
    """The files of a registry after an undisturbed release of the better candidate."""
    return {protocol: release_in(tmp_path_factory.mktemp("whole"), prepared, protocol) for protocol in ("", "local://")}


def release_in(folder, prepared, protocol):
    shutil.copytree(prepared[0], folder / "registry")
    make(Registry(f"{protocol}{folder / 'registry'}"), prepared[1], folder / "work")
    return tree(folder / "registry")


def in_child(function):
    """Run a function in a process that is forked; returns its exit code, negative if it was killed."""
    child = os.fork()
    if not child:
        try:
            function()
            os._exit(0)
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_at(step):
    """A callback that kills this process after a step."""

    def die(reached, _):
        if reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


@pytest.mark.parametrize("protocol", ["", "local://"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_after_a_step_and_run_again_there_is_one_new_version_and_nothing_half(
    used, better, expected, step, protocol
):
    tmp_path = Path(used.place).parent
    place, work, done = Registry(f"{protocol}{tmp_path / 'registry'}"), tmp_path / "work", []
    assert in_child(lambda: make(place, better, work, on_step=kill_at(step))) == -9
    made = make(place, better, work, on_step=lambda _, is_done: done.append(is_done))
    assert made.record.version == "0.2.0" and tree(tmp_path / "registry") == expected[protocol]
    assert done[:4] == [n <= STEPS.index(step) for n in range(4)] or (step == "registry" and not done)
    assert not work.exists()


def test_a_run_that_is_continued_keeps_the_date_of_the_first(used, better, expected, tmp_path):
    assert in_child(lambda: make(used, better, tmp_path / "work", on_step=kill_at("wheels"))) == -9
    make(used, better, tmp_path / "work", epoch=EPOCH + 86400)
    assert tree(tmp_path / "registry") == expected[""]


def test_each_step_is_done_once(used, better, tmp_path):
    built = []

    def build(*given):
        built.append(given)
        return zip_wheels(better)(*given)

    def stop(step, _):
        if step == "documents":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(used, better, tmp_path / "work", build=build, on_step=stop)
    make(used, better, tmp_path / "work", build=build)
    assert len(built) == 1


def test_with_other_inputs_an_unfinished_release_begins_anew(used, better, tmp_path):

    def stop(step, _):
        if step == "wheels":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(used, better, tmp_path / "work", on_step=stop)
    done = []
    other = candidate(tmp_path / "third", n_train=12)
    make(used, other, tmp_path / "work", on_step=lambda _, is_done: done.append(is_done))
    assert done == [False] * 5 and not (tmp_path / "work").exists()


def release_until(moment, folder, better, log):
    """Release in a process that is killed at its so-manieth write below a folder; returns the exit code."""
    log.write_bytes(b"")

    def killed():
        watch(folder, log, (moment, 0))
        make(Registry(str(folder / "registry")), better, folder / "work")

    return in_child(killed)


@pytest.mark.slow
def test_killed_at_any_write_and_run_again_the_registry_is_that_of_an_undisturbed_run(
    prepared, better, expected, tmp_path
):
    for moment in count(FIRST_KILL, KILL_EVERY):
        folder = tmp_path / str(moment)
        shutil.copytree(prepared[0], folder / "registry")
        registry = Registry(str(folder / "registry"))
        code = release_until(moment, folder, better, tmp_path / "log")
        if code == 0:
            break
        assert code == -9
        assert registry.versions()[0].version == "0.1.0"
        for record in registry.versions():
            registry.verify(record)
        assert make(registry, better, folder / "work").record.version == "0.2.0"
        assert tree(folder / "registry") == expected[""], moment
        assert [path.name for path in folder.rglob(".*") if path.is_dir()] == [], moment
        assert not (folder / "work").exists(), moment
    assert moment > 50


def promote_until(moment, registry, folder, log):
    log.write_bytes(b"")

    def killed():
        watch(folder, log, (moment, 0))
        registry.promote("0.2.0", "2026-09-02T00:00:00Z")

    return in_child(killed)


def test_current_json_is_whole_at_every_write_of_a_promotion(used, better, tmp_path):
    make(used, better, tmp_path / "work")
    for moment in count(1):
        if promote_until(moment, used, tmp_path / "registry", tmp_path / "log") == 0:
            break
        assert used.in_use().version in ("0.1.0", "0.2.0")
        current = json.loads((tmp_path / "registry" / "current.json").read_text())
        assert current["version"] == current["promotions"][-1]["version"]
    assert moment > 2 and used.in_use().version == "0.2.0"
