"""The commands of the registry, as a user calls them."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT
from pipelines import run
from releases import EPOCH, WORSE, candidate, make, prepare, tree

from domain_ner.releasing.registry import Registry

NAMED = ["--name", "rules", "--version", "0.1.0"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder of a registry with 0.1.0 in use and 0.2.0."""
    folder, better = prepare(tmp_path_factory.mktemp("prepared"))
    make(Registry(str(folder)), better, folder.parent / "work")
    return folder


@pytest.fixture
def place(prepared, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH + 60))
    shutil.copytree(prepared, tmp_path / "registry")
    return tmp_path / "registry"


def test_promote_takes_the_highest_version_and_says_what_rollback_returns_to(place):
    told = run("promote_release", place).stdout
    assert "in use: en_rules 0.2.0 " in told and "rollback returns to 0.1.0" in told
    assert "en_rules 0.2.0 is in use already" in run("promote_release", place).stdout
    assert run("promote_release", place, "0.1.0").stdout.startswith("in use: en_rules 0.1.0 ")


def test_rollback_says_what_is_in_use(place):
    run("promote_release", place)
    assert "(before: 0.2.0)" in run("rollback_release", place).stdout
    ended = run("rollback_release", place, check=False)
    assert ended.returncode == 1 and "nothing to go back to" in ended.stderr


def test_history_is_a_table_and_json(place):
    run("promote_release", place)
    run("rollback_release", place)
    told = run("show_history", place).stdout
    assert all(word in told for word in ("released", "promoted", "rolled back", "in use"))
    events = json.loads(run("show_history", place, "--json").stdout)
    assert [event["action"] for event in events][-2:] == ["promoted", "rolled back"]
    assert [event["version"] for event in events if event["is_current"]] == ["0.1.0"]
    assert events[-1]["at"] == "2026-09-21T14:14:20Z"


def test_fetch_release_replaces_a_folder_by_the_checked_wheels(place, tmp_path):
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "old.whl").touch()
    told = run("fetch_release", place, packages).stdout
    names = {"domain_ner-0.1.0-py3-none-any.whl", "en_rules-0.1.0-py3-none-any.whl"}
    assert set(tree(packages)) == names and f"pip install {packages}/domain_ner-0.1.0" in told
    run("fetch_release", place, packages, "--version", "0.2.0")
    assert "en_rules-0.2.0-py3-none-any.whl" in tree(packages)


def test_a_damaged_wheel_is_not_fetched_and_the_folder_stays(place, tmp_path):
    packages = tmp_path / "packages"
    run("fetch_release", place, packages)
    before = tree(packages)
    wheel = place / "versions" / "0.2.0" / "en_rules-0.2.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes()[:-1])
    ended = run("fetch_release", place, packages, "--version", "0.2.0", check=False)
    assert ended.returncode == 1 and "is damaged: expected SHA-256" in ended.stderr and tree(packages) == before


def test_without_a_version_the_commands_say_so(tmp_path):
    for script, message in [
        ("promote_release", "has no version"),
        ("rollback_release", "none was promoted"),
        ("fetch_release", "no version is in use"),
    ]:
        ended = run(script, tmp_path / "empty", cwd=tmp_path, check=False)
        assert ended.returncode == 1 and message in ended.stderr, ended.stderr


def test_a_failed_gate_ends_with_1_and_the_registry_stays(place, tmp_path):
    before = tree(place)
    made = candidate(tmp_path / "worse", names=WORSE)
    options = [*NAMED, "--work", tmp_path / "work"]
    ended = run("release_pipeline", made.model, made.corpus, place, *options, cwd=ROOT, check=False)
    assert ended.returncode == 1 and "The gate failed: nothing was released" in ended.stderr
    assert "Not passed" in ended.stdout and tree(place) == before


@pytest.mark.slow
def test_a_release_with_real_wheels_has_equal_bytes_when_it_is_made_again_and_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    made = candidate(tmp_path)
    for name in ("one", "two"):
        options = [*NAMED, "--no-check", "--promote", "--work", tmp_path / "work"]
        told = run("release_pipeline", made.model, made.corpus, tmp_path / name, *options, cwd=ROOT).stdout
        assert "released en_rules 0.1.0" in told and "in use: 0.1.0" in told
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    again = run("release_pipeline", made.model, made.corpus, tmp_path / "two", *options, cwd=ROOT).stdout
    assert "already released as en_rules 0.1.0" in again
    assert not Path(tmp_path / "work").exists()


def test_fetch_release_replaces_nothing_but_wheels(place, tmp_path):
    before = tree(place)
    for folder in (place.parent, place, tmp_path / "mine"):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / "notes.txt").touch()
        ended = run("fetch_release", place, folder, check=False)
        assert ended.returncode == 1 and "would be replaced as a whole" in ended.stderr
    (tmp_path / "here").mkdir()
    ended = run("fetch_release", place, ".", cwd=tmp_path / "here", check=False)
    assert ended.returncode == 1 and "the current folder" in ended.stderr
    assert tree(place) == before and (tmp_path / "mine" / "notes.txt").exists()


def test_a_registry_that_is_not_there_or_a_file_is_named(tmp_path):
    for script in ("show_history", "promote_release"):
        ended = run(script, tmp_path / "none", check=False)
        assert ended.returncode == 1 and "none has no version" in ended.stderr
    ended = run("rollback_release", tmp_path / "none", check=False)
    assert ended.returncode == 1 and "Run release first" in ended.stderr
    (tmp_path / "file").touch()
    ended = run("show_history", tmp_path / "file", check=False)
    assert ended.returncode == 1 and "is a file; expected a folder" in ended.stderr
