"""What happens before `spacy project run`: in a domain-ner project, and in no other."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution

import pytest
import srsly
from conftest import ROOT

from domain_ner.project import preparation
from domain_ner.project.fingerprints import FOLDER
from domain_ner.project.hook import before_run
from domain_ner.project.variables import unknown_variables

ENTRY_POINT = "domain_ner.project.hook:before_run"
FOREIGN = """
vars: {size: 1}
commands:
  - {name: count, script: ["python -c 'print(${vars.size})'"], deps: [scripts/count.py], outputs: [training/n]}
"""


@pytest.fixture
def project(tmp_path):
    """project.yml, what `validate` runs and reads, and no package of its own."""
    folder = tmp_path / "project"
    for name in ["scripts", "assets", "configs"]:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("encoders", "__pycache__"))
    shutil.copy(ROOT / "project.yml", folder)
    for path in (folder / "assets" / "annotations").iterdir():
        path.write_text("".join(path.open(encoding="utf8").readlines()[:3]), encoding="utf8")
    return folder


@pytest.fixture
def foreign(tmp_path):
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / "project.yml").write_text(FOREIGN)
    return folder


def prepare(*arguments):
    before_run(["project", "run", *map(str, arguments)])


def spacy(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "spacy", *map(str, arguments)],
        capture_output=True, text=True, encoding="utf8", check=False, **options,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("vars.encodr", "vars.encoder"),
        ("vars.gpu-id", "vars.gpu_id"),
        ("var.encoder", "vars.encoder"),
        ("vars.xyz", ""),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest_one(name, near):
    variables = srsly.read_yaml(ROOT / "project.yml")["vars"]
    (sentence,) = unknown_variables([name, "vars.seed", "project.title"], variables)
    assert sentence == f"No variable {name} in project.yml." + f" Did you mean {near}?" * bool(near)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--vars.encodr", "cnn"],
        ["--vars.encodr=cnn"],
        ["--dry", "--vars.seed", "1", "--vars.encodr", "x"],
        ["--vars.encodr"],
    ],
)
def test_a_misspelt_variable_ends_the_run_before_it_begins(project, arguments):
    with pytest.raises(SystemExit) as ended:
        prepare("validate", project, *arguments)
    assert str(ended.value).startswith("✘ No variable vars.encodr in project.yml. Did you mean vars.encoder?\n")
    assert "docs/reference/variables.md" in str(ended.value)
    assert not (project / "training").exists()


def test_a_misspelt_variable_in_the_environment_is_one_too(project, monkeypatch):
    monkeypatch.setenv("WEASEL_CONFIG_OVERRIDES", "--vars.sede 3 --vars.epochs 1")
    with pytest.raises(SystemExit, match=r"vars\.sede in project\.yml\. Did you mean vars\.seed\?"):
        prepare("validate", project)


def test_every_way_to_name_the_project_and_the_options_refreshes_its_fingerprints(project, monkeypatch):
    monkeypatch.chdir(project)  # a run without a folder takes what was the current one at the start: see below
    fingerprint = project / FOLDER / "validate" / "sha256"
    for arguments in [
        ["all", "."],
        ["--dry", "all", "."],
        ["-FD", "all", project, "--vars.seed", "2"],
        ["train", ".", "-D"],
    ]:
        prepare(*arguments)
        assert len(fingerprint.read_text().strip()) == 64
        fingerprint.unlink()


@pytest.mark.parametrize(
    "arguments",
    [["count", "."], ["count", ".", "--vars.sise", "2"], ["count", "nowhere"], ["count", "--vars.size", "2"]],
)
def test_a_foreign_project_is_left_alone(foreign, monkeypatch, arguments):
    monkeypatch.chdir(foreign)
    prepare(*arguments)
    assert os.listdir(foreign) == ["project.yml"]


@pytest.mark.parametrize("text", ["", "vars: [", "vars: {a: 1}", "commands: 3", "commands: [1]"])
def test_a_project_that_cannot_be_read_is_left_to_weasel(foreign, monkeypatch, text):
    monkeypatch.chdir(foreign)
    (foreign / "project.yml").write_text(text)
    prepare("all", ".", "--vars.x", "2")
    assert os.listdir(foreign) == ["project.yml"]


@pytest.mark.parametrize("arguments", [[], ["train", "config.cfg"], ["project", "assets"], ["project"], ["-c"]])
def test_another_command_of_spacy_is_left_alone(project, monkeypatch, arguments):
    monkeypatch.chdir(project)
    before_run([*arguments, "--vars.encodr", "x"])
    assert not (project / "training").exists()


def test_what_goes_wrong_is_a_warning_and_the_run_goes_on(project, monkeypatch, capsys):
    (project / "scripts" / "validate_guide.py").unlink()
    prepare("validate", project)
    told = capsys.readouterr().out
    assert "Cannot tell which code has changed" in told
    assert "--force" in told
    monkeypatch.setattr(preparation, "refresh", None)
    prepare("validate", project)


def test_the_module_that_every_command_of_spacy_imports_brings_nothing_along():
    names = "import sys, domain_ner.project.hook; print(*{name.partition('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-S", "-c", names], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) - set(sys.stdlib_module_names) == {"domain_ner", "__main__"}


def test_spacys_command_line_runs_it(project):
    declared = [entry.value for entry in distribution("domain-ner").entry_points if entry.group == "spacy_cli"]
    assert declared == [ENTRY_POINT], "install the project again: pip install -e ."
    ran = spacy("project", "run", "validate", ".", "--vars.encodr", "x", cwd=project)
    assert ran.returncode == 1
    assert "✘ No variable vars.encodr in project.yml. Did you mean vars.encoder?" in ran.stderr
    assert not (project / "training").exists()


@pytest.mark.slow
def test_a_second_run_runs_nothing_until_the_code_of_the_command_changes(project):
    def run(*options):
        ran = spacy("project", "run", "validate", *options, cwd=project)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    skipped = "Skipping 'validate': nothing changed"
    assert skipped not in run()
    assert skipped in run()
    with (project / "scripts" / "convert_annotations.py").open("a") as stream:
        stream.write("# edited\n")
    assert skipped in run(".", "--dry")
    with (project / "scripts" / "validate_guide.py").open("a") as stream:
        stream.write("# edited\n")
    assert skipped not in run("--dry")
