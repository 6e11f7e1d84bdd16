"""The fingerprint of a command's code: it changes with its files, and with no other."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT

from domain_ner.project.fingerprints import FOLDER, refresh

COMMANDS = [
    {"name": "count", "script": ["python scripts/count.py a b"], "deps": [f"{FOLDER}/count", "corpus"]},
    {"name": "clean", "script": ["python scripts/clean.py"]},
]


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / "scripts").mkdir(parents=True)
    (folder / "scripts" / "count.py").write_text("from domain_ner.metrics.scores import Score\n")
    (folder / "scripts" / "clean.py").write_text("")
    return folder


@pytest.fixture
def package(tmp_path):
    return shutil.copytree(ROOT / "domain_ner", tmp_path / "installed" / "domain_ner")


def refreshed(project, package):
    refresh(project, COMMANDS, package)
    return (project / FOLDER / "count" / "sha256").read_text()


def edit(path):
    path.write_text(path.read_text(encoding="utf8") + "# edited\n", encoding="utf8")


def test_a_file_that_the_command_imports_changes_it_and_another_does_not(project, package):
    before = refreshed(project, package)
    edit(package / "readers" / "gliner.py")
    edit(project / "scripts" / "clean.py")
    assert refreshed(project, package) == before
    edit(package / "metrics" / "scores.py")
    after = refreshed(project, package)
    assert after != before
    edit(project / "scripts" / "count.py")
    assert refreshed(project, package) != after


def test_it_is_the_same_wherever_project_and_package_are(project, package, tmp_path, monkeypatch):
    before = refreshed(project, package)
    moved = shutil.copytree(tmp_path, tmp_path / "moved", ignore=shutil.ignore_patterns("moved"))
    (moved / "installed").rename(moved / "a")
    assert refreshed(moved / "project", moved / "a" / "domain_ner") == before
    monkeypatch.chdir(project)
    assert refreshed(Path(), package) == before


def test_it_is_written_only_if_it_has_changed_and_lies_alone_in_its_folder(project, package):
    refreshed(project, package)
    before = [path.stat().st_mtime_ns for path in sorted(project.glob(f"{FOLDER}/**/*"))]
    refreshed(project, package)
    assert [path.stat().st_mtime_ns for path in sorted(project.glob(f"{FOLDER}/**/*"))] == before
    assert [path.name for path in (project / FOLDER / "count").iterdir()] == ["sha256"]
    assert not (project / FOLDER / "clean").exists()


def test_a_package_in_the_project_counts_beside_the_installed_one(project, package):
    shutil.copytree(package, project / "domain_ner")
    before = refreshed(project, package)
    edit(project / "domain_ner" / "metrics" / "scores.py")
    after = refreshed(project, package)
    assert after != before
    edit(package / "metrics" / "scores.py")
    assert refreshed(project, package) != after


@pytest.mark.parametrize("damaged", ["", "[1]", '{"a": '])
def test_damaged_notes_of_imports_are_made_anew(project, package, damaged):
    before = refreshed(project, package)
    notes = project / FOLDER / "imports.json"
    sound = json.loads(notes.read_text())
    notes.write_text(damaged)
    assert refreshed(project, package) == before
    assert json.loads(notes.read_text()) == sound
