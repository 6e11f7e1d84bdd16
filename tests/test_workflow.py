"""The workflow as a user runs it: `spacy project run` in a copy of the project, and every command and block of docs."""

import json
import os
import runpy
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from unittest import mock

import pytest
import spacy
from conftest import ANNOTATIONS, LABELS, ROOT
from docs_pages import PAGES, blocks, marked, shell_commands, spacy_words
from pipelines import run, run_here
from spacy.cli import setup_cli
from wheels import assert_forgotten, pickles_in, words

from domain_ner.project.hook import before_run

SKIPPED = "nothing changed"
WORKFLOW = [
    "validate", "fetch-encoder", "convert", "create-config", "train", "calibrate", "evaluate", "optimize", "package",
]  # fmt: skip
# Commands of the docs that this file runs in other ways: whole workflows, and what writes into the repository itself.
ELSEWHERE = {"all", "report", "docs", "pictures"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with 60 passages, on which everything has been run once with the encoder `cnn`."""
    folder = tmp_path_factory.mktemp("project")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    for path in sorted((folder / "assets" / "annotations").iterdir()):
        path.write_text("".join(path.open(encoding="utf8").readlines()[:6]), encoding="utf8")
    (folder / "assets" / "splits.json").unlink()  # most of its test set is gone
    first = run_project(folder)
    assert first.returncode == 0, first.stdout + first.stderr
    assert SKIPPED not in first.stdout
    return folder


def run_arguments(folder, *arguments, command="all"):
    variables = ["--vars.encoder", "cnn", "--vars.epochs", "2", *arguments]
    return ["project", "run", command, str(folder), *variables]


def run_project(folder, *arguments, command="all"):
    return spacy_here(*run_arguments(folder, *arguments, command=command))


def spacy_here(*arguments, cwd=None):
    """Run spaCy's command line in this process, and the scripts that it starts as well."""

    def run_command(command, capture):
        ran = run(Path(command[1]).stem, *command[2:], check=False)
        sys.stdout.write(ran.stdout + ran.stderr)
        if ran.returncode:
            sys.exit(ran.returncode)

    def program():
        before_run(arguments)
        setup_cli()

    with mock.patch("weasel.cli.run.run_command", run_command):
        return run_here(program, "spacy", *arguments, cwd=cwd, check=False)


def reran(folder, *arguments):
    """The commands that a further run of `all`, tried dry, would run again."""
    said = spacy_here(*run_arguments(folder, "--dry", *arguments)).stdout
    assert "Running workflow 'all'" in said
    return [name for name in WORKFLOW if f"Skipping '{name}'" not in said]


def test_all_makes_what_it_says(project):
    assert json.loads((project / "training" / "metrics.json").read_text())["by_type"].keys() <= set(LABELS)
    assert (project / "configs" / "config.cfg").exists()
    assert len(list((project / "training" / "packages").glob("*.whl"))) == 2
    nlp = spacy.load(project / "training" / "model-calibrated")
    assert nlp.pipe_names == ["tok2vec", "crf_ner"]
    fitted = json.loads((project / "training" / "reports" / "calibration.json").read_text())
    assert nlp.config["components"]["crf_ner"]["temperature"] == fitted["temperature"]
    measured = json.loads((project / "training" / "metrics.json").read_text())["calibration"]
    assert {"before", "after", "by_type"} <= set(measured)


def test_the_wheel_holds_no_pickle_and_no_word_of_the_training_text_and_the_scores_of_the_test_set(project):
    wheel = next((project / "training" / "packages").glob("en_*.whl"))
    assert pickles_in(wheel) == []
    splits = json.loads((project / "corpus" / "tokenizer.json").read_text())["splits"]
    assert_forgotten(wheel, project / "corpus" / "train.spacy", known=words(str(splits)))
    measured = json.loads((project / "training" / "metrics.json").read_text())
    with zipfile.ZipFile(wheel) as archive:
        metas = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith("meta.json")]
    assert len(metas) == 2
    for meta in metas:
        assert meta["performance"]["ents_f"] == pytest.approx(measured["micro"]["f1"])
        assert set(meta["performance"]) == {"ents_p", "ents_r", "ents_f", "ents_per_type"}
        assert "test passages" in meta["domain_ner"]["performance"]


def test_a_second_run_runs_nothing(project):
    assert reran(project) == []


def test_a_changed_annotation_file_reruns_from_convert_on(project):
    path = project / "assets" / "annotations" / "tillage.jsonl"
    before = path.read_bytes()
    path.write_bytes(before + before.splitlines(keepends=True)[0])
    try:
        # The dry run changes no corpus, so that what follows is not yet touched.
        assert reran(project) == ["validate", "convert"]
        assert run_project(project, command="convert").returncode == 0
    finally:
        path.write_bytes(before)
        run_project(project, command="convert")


def test_a_changed_corpus_reruns_what_follows(project):
    path = project / "corpus" / "train.spacy"
    before = path.read_bytes()
    path.write_bytes(before + b" ")
    try:  # the package has a baseline, with a sketch of the words
        assert reran(project) == ["convert", "create-config", "train", "evaluate", "package"]
    finally:
        path.write_bytes(before)


def test_a_changed_readme_reruns_nothing(project):
    with (project / "README.md").open("a") as stream:
        stream.write("\nA new paragraph.\n")
    assert reran(project) == []


def test_another_encoder_reruns_from_fetch_encoder(project):
    assert reran(project, "--vars.encoder", "minilm")[0] == "fetch-encoder"


@pytest.mark.parametrize(
    ("code", "command"),
    [
        ("domain_ner/corpus/tokenizer.py", "convert"),
        ("domain_ner/metrics/scores.py", "evaluate"),
        ("domain_ner/training/run.py", "train"),
    ],
)
def test_a_code_edit_reruns_what_it_can_change(project, code, command):
    path = project / code
    before = path.read_bytes()
    path.write_bytes(before + b"\n# edited\n")
    try:
        assert command in reran(project)
        assert "fetch-encoder" not in reran(project)
    finally:
        path.write_bytes(before)


def test_clean_removes_what_was_made_and_keeps_what_was_given(project, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    assert run_project(copy, command="clean").returncode == 0
    assert os.listdir(copy / "training") == os.listdir(copy / "corpus") == [".gitkeep"]
    assert not (copy / "configs" / "config.cfg").exists()
    assert len(os.listdir(copy / "assets" / "annotations")) == len(os.listdir(ANNOTATIONS))


@pytest.fixture
def installed(project, monkeypatch):
    """The package as pip would have installed it, in the folder of the project."""
    wheel = next((project / "training" / "packages").glob("en_*.whl"))
    folder = project / "training" / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(project)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks("python", page)], ids=lambda page: page.stem)
def test_the_python_of_a_page_runs(installed, page):
    namespace = {}
    for block in blocks("python", page):
        if not marked(block):
            exec(compile(block.text, str(block), "exec"), namespace)


def shown_commands():
    """(where, words) of each command line in a block that can run here: not marked, and no installation."""
    seen = set()
    for block in blocks("bash"):
        for command in () if marked(block) else shell_commands(block.text):
            is_ours = Path(command[0]).name == "domain-ner" or any(word.startswith("scripts/") for word in command)
            run = spacy_words(command)[:3]
            if (is_ours or (run[:2] == ["project", "run"] and run[2] not in ELSEWHERE)) and tuple(command) not in seen:
                seen.add(tuple(command))
                yield pytest.param(command, id=shlex.join(command))


@pytest.mark.parametrize("command", shown_commands())
def test_a_command_of_the_docs_runs(project, tmp_path, command, monkeypatch):
    copy = tmp_path / "project"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("packages", "site", "installed"))
    monkeypatch.setenv("WEASEL_CONFIG_OVERRIDES", "--vars.encoder cnn --vars.epochs 2")
    if words_of_spacy := spacy_words(command):
        # weasel takes the folder of its own import where none is given.
        given = [] if words_of_spacy[3:4] == ["."] else ["."]
        ran = spacy_here(*words_of_spacy[:3], *given, *words_of_spacy[3:], cwd=copy)
    elif Path(command[0]).name == "domain-ner":
        ran = run_here(lambda: runpy.run_module("domain_ner", run_name="__main__"), *command, cwd=copy, check=False)
    else:
        ran = run(Path(command[1]).stem, *command[2:], cwd=copy, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
