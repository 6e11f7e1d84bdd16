"""`domain-ner COMMAND`: its help, quick; its names; the defaults in a project; and how errors end it."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import srsly
from conftest import ROOT
from typer.main import get_command
from typer.testing import CliRunner

import domain_ner
from domain_ner.commands import console
from domain_ner.commands.catalogue import COMMANDS
from domain_ner.commands.export import FORMATS_HELP
from domain_ner.commands.loading import app, load, single_command
from domain_ner.corpus.docs import MISALIGNED
from domain_ner.corpus.overlaps import OVERLAPS
from domain_ner.writers.formats import FORMATS

PROJECT = {one["name"]: one for one in srsly.read_yaml(ROOT / "project.yml")["commands"]}
# Outside the package: what makes the project's own pages, and its benchmarks.
OF_PROJECT = {name for name in PROJECT if name in {"docs", "pictures"} or name.startswith("benchmark-")}
# What takes seconds to import, or brings what does, or takes tenths; typer itself may bring pydantic.
HEAVY = {"spacy", "torch", "transformers", "thinc", "numpy", "srsly", "jinja2", "sklearn", "tqdm"}
# For each command line, a child of one process that has imported what all commands import.
HELP = """
import io, json, os, sys
import domain_ner.commands.loading
from domain_ner.commands.main import run

for place, line in json.loads(sys.argv[1]).items():
    if os.fork():
        assert os.wait()[1] == 0, line
        continue
    sys.argv, sys.stdout = ["domain-ner", *line], io.StringIO()
    try:
        run()
    except SystemExit:
        with open(place, "w", encoding="utf8") as file:
            json.dump([sys.stdout.getvalue(), list(sys.modules)], file)
    os._exit(0)
"""


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def helped(tmp_path_factory):
    """By name of the command, "" for none: what its --help prints, and the modules that are imported then."""
    folder = tmp_path_factory.mktemp("helped")
    lines = {str(folder / f"{name}.json"): [*filter(None, [name]), "--help"] for name in ["", *COMMANDS]}
    subprocess.run([sys.executable, "-c", HELP, json.dumps(lines)], check=True, cwd=ROOT)
    return {Path(place).stem if len(line) > 1 else "": srsly.read_json(place) for place, line in lines.items()}


def packages(modules):
    return {name.partition(".")[0] for name in modules}


def test_the_commands_are_those_of_the_project():
    assert set(COMMANDS) == set(PROJECT) - OF_PROJECT


def test_the_help_lists_every_command_in_order_and_imports_none(helped):
    told, modules = helped[""]
    listed = [line.split()[1] for line in told.splitlines() if line[:2] == "│ " and line[2] not in " -"]
    assert listed == list(COMMANDS)
    assert packages(modules) & HEAVY == set()
    assert not {f"domain_ner.commands.{name.replace('-', '_')}" for name in COMMANDS} & set(modules)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_imports_nothing_that_takes_long(helped, name):
    told, modules = helped[name]
    assert f"domain-ner {name}" in told
    assert packages(modules) & HEAVY == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_has_a_help(name):
    assert invoke(name, "--help").exit_code == 0
    command = get_command(single_command(load(name)))
    assert all(param.help for param in command.params)
    assert len(command.help) > 20


@pytest.mark.parametrize(("name", "entry"), COMMANDS.items())
def test_the_catalogue_has_the_help_of_the_command(name, entry):
    assert inspect.getdoc(load(name)) == entry.summary


@pytest.mark.parametrize("name", COMMANDS)
def test_a_script_calls_the_command_of_its_name(name):
    script = ROOT / PROJECT[name]["script"][0].split()[1]
    assert f'run_script("{name}")' in script.read_text(encoding="utf8")


def test_the_help_names_what_the_rooms_take():
    assert ", ".join(OVERLAPS) == console.OVERLAPS_HELP
    assert ", ".join(MISALIGNED) == console.MISALIGNED_HELP
    assert ", ".join(FORMATS) == FORMATS_HELP


def test_a_misspelt_command_is_an_error_that_names_the_nearest():
    ran = invoke("trian")
    assert ran.exit_code == 2
    assert "Did you mean 'train'?" in ran.output


def test_without_a_command_the_help_is_shown():
    assert "validate" in invoke().output


def test_the_version_is_the_package_s():
    assert invoke("--version").output == f"domain-ner {domain_ner.__version__}\n"


@pytest.fixture
def guide(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "guide.yml").write_bytes((ROOT / "assets" / "guide.yml").read_bytes())
    return tmp_path / "assets" / "guide.yml"


def test_a_command_takes_the_paths_of_the_project_it_is_called_in(tmp_path, guide, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = invoke("export-labels")
    assert ran.exit_code == 0, ran.output
    assert "training/labels/label_studio.xml" in ran.output
    assert (tmp_path / "training" / "labels" / "prodigy.json").is_file()


def test_a_path_that_may_be_left_out_is_taken_in_a_project_only_and_never_by_a_script(tmp_path, monkeypatch):
    default = console.in_project("training/reports", "Where to.").default_factory
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["domain-ner", "evaluate"])
    assert default() is None
    (tmp_path / "project.yml").touch()
    assert str(default()) == "training/reports"
    monkeypatch.setattr(sys, "argv", ["scripts/evaluate_model.py"])
    assert default() is None


@pytest.mark.parametrize("program", [["-m", "domain_ner", "export-labels"], ["scripts/export_labels.py"]])
def test_a_problem_that_the_user_can_mend_ends_it_without_a_traceback(tmp_path, program):
    ran = subprocess.run(
        [sys.executable, *program, tmp_path / "gone.yml", tmp_path],
        capture_output=True, text=True, encoding="utf8", check=False, cwd=ROOT,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.startswith("✘ ")
    assert "gone.yml" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("program", [["-m", "domain_ner", "export-labels"], ["scripts/export_labels.py"]])
def test_what_the_system_refuses_ends_it_with_the_place(tmp_path, guide, program):
    (tmp_path / "labels").write_text("a file", encoding="utf8")
    ran = subprocess.run(
        [sys.executable, *program, guide, tmp_path / "labels"],
        capture_output=True, text=True, encoding="utf8", check=False, cwd=ROOT,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "✘ " in ran.stderr
    assert str(tmp_path / "labels") in ran.stderr
    assert "Traceback" not in ran.stderr


def test_who_holds_a_folder_is_named_as_it_was_called(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/domain-ner", "train"])
    with console.hold(tmp_path / "corpus"):
        assert '"domain-ner train"' in (tmp_path / ".corpus.lock").read_text(encoding="utf8")
    monkeypatch.setattr(sys, "argv", ["scripts/train_model.py"])
    with console.hold(tmp_path / "corpus"):
        assert '"train_model.py"' in (tmp_path / ".corpus.lock").read_text(encoding="utf8")


def test_the_help_in_the_documentation_is_the_real_one():
    ran = subprocess.run(
        [sys.executable, "-m", "domain_ner", "--help"], capture_output=True, text=True, encoding="utf8", check=True,
        env={**os.environ, "COLUMNS": "100"}, cwd=ROOT,
    )  # fmt: skip
    printed = "\n".join(line.rstrip() for line in ran.stdout.splitlines()).replace("python -m domain_ner", "domain-ner")
    assert printed.strip() in (ROOT / "docs" / "start.md").read_text(encoding="utf8")
