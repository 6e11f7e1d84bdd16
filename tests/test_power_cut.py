"""train, calibrate, package and release, killed at random moments, with a power cut after it: the next run ends as one
that was never stopped, says whether it went on or started anew, and nothing is left behind.

POWER_CUTS sets how many moments of each are tried. Unless it is set, one is, and package, which installs into a clean
environment each time, is left to the workflow's test.
"""

import os
import random
import sys

import pytest
from conftest import ROOT
from pipelines import convert, create_config, fetch, train
from power_cut import Project, moments

from domain_ner.files import sha256_of_folder

N_CUTS = int(os.environ.get("POWER_CUTS", "1"))
SEED = int(os.environ.get("POWER_CUTS_SEED", "0"))
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and counts by Linux's calls")


@pytest.fixture(scope="module")
def given(example_rows, tmp_path_factory):
    """A folder with a corpus, a config, a trained pipeline, and the encoder's card."""
    folder = tmp_path_factory.mktemp("given")
    card, corpus = fetch(folder, "cnn"), convert(folder, example_rows[:60])
    config = create_config(folder, card, corpus, "--epochs", "4", "--patience", "4")
    train(folder, config, card)
    return folder


def cut_again_and_again(tmp_path, make_command, cwd, *, result, before_result, n_ended):
    """Run a command to its end, then kill it at random moments; each time cut the power, and run it again.

    result: what it makes, which must always be the same, and whole at any time. n_ended: after so many cuts a run goes
    to its end. Gives what `before_result` said before each run to the end, and what that printed.
    """
    whole = Project(tmp_path / "whole", tmp_path / "whole.log")
    code, output = whole.run(*make_command(whole.root), cwd=cwd)
    assert code == 0, output
    expected, n_moments = result(whole.root), whole.n_moments()
    assert whole.left_behind() == []
    project = Project(tmp_path / "cut", tmp_path / "cut.log")
    project.root.mkdir()
    command, rng = make_command(project.root), random.Random(SEED)
    printed, n_cuts = [], 0
    for moment in moments(n_moments, SEED):
        before = project.state()
        code, _ = project.run(*command, cwd=cwd, moment=moment)
        if code != -9:  # it had ended before it could be killed
            continue
        damaged, had = project.cut_power(before, rng), before_result(project.root)
        n_cuts += 1
        told = f"cut {n_cuts} at {moment} of {n_moments}: {[line.replace(str(project.root), '') for line in damaged]}"
        print(told, flush=True)
        assert not printed or result(project.root) == expected, told  # the former, or the new one, but a whole one
        if n_cuts % n_ended and n_cuts < N_CUTS:
            continue
        code, output = project.run(*command, cwd=cwd)
        assert code == 0 and "Traceback" not in output, told + output
        assert result(project.root) == expected, told
        assert project.left_behind() == [], told
        printed.append((had, output))
        for line in output.splitlines():
            if "damaged" in line or "again" in line or "restarts" in line or "Resuming" in line:
                print("   ", line.replace(str(project.root), ""), flush=True)
        if n_cuts >= N_CUTS:
            return printed
    raise AssertionError


def test_train(given, tmp_path):
    def command(root):
        options = ["--card", given / "encoder.json", "--resume", "--checkpoint-every", "0"]
        return ["train_model", given / "config.cfg", root / "training", *options]

    def result(root):
        return [sha256_of_folder(root / "training" / name) for name in ("model-best", "model-last")]

    printed = cut_again_and_again(
        tmp_path, command, None, result=result, n_ended=1,
        before_result=lambda root: (root / "training" / "unfinished").is_dir(),
    )  # fmt: skip
    for had_unfinished, told in printed:
        assert had_unfinished == ("Resuming the interrupted run after step" in told or "training restarts" in told), (
            told
        )


def test_calibrate(given, tmp_path):
    def command(root):
        training = root / "training"
        arguments = [given / "model-best", given / "corpus" / "dev.spacy", training / "model-calibrated"]
        return ["calibrate_model", *arguments, training / "calibration.json", "--threshold", "f1"]

    def result(root):
        return [
            sha256_of_folder(root / "training" / "model-calibrated"),
            (root / "training" / "calibration.json").read_text(),
        ]

    cut_again_and_again(tmp_path, command, None, result=result, n_ended=1, before_result=lambda root: None)


@pytest.mark.skipif("POWER_CUTS" not in os.environ, reason="takes minutes; set POWER_CUTS")
def test_package(given, tmp_path):
    def command(root):
        release = ["--name", "tiny", "--version", "1.2.3"]
        return ["package_pipeline", given / "model-best", given / "corpus" / "test.spacy",
                root / "packages", *release]  # fmt: skip

    def result(root):
        return sorted(path.name for path in (root / "packages").iterdir())

    cut_again_and_again(tmp_path, command, ROOT, result=result, n_ended=10, before_result=lambda root: None)


def test_release(given, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")

    def command(root):
        options = ["--name", "tiny", "--version", "1.2.3", "--no-check", "--promote", "--work", root / "work"]
        return ["release_pipeline", given / "model-best", given / "corpus", root / "registry", *options]

    def result(root):
        return sha256_of_folder(root / "registry")

    n_cuts = N_CUTS
    monkeypatch.setitem(globals(), "N_CUTS", 1)  # a version is released once: each cut has its own registry
    for seed in range(SEED, SEED + n_cuts):
        monkeypatch.setitem(globals(), "SEED", seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        cut_again_and_again(folder, command, ROOT, result=result, n_ended=1, before_result=lambda root: None)
