"""project.yml and what must agree with it: the code that a command runs, its help, and the README."""

import re
import runpy
import subprocess
from importlib.metadata import distribution, version
from pathlib import Path, PurePosixPath

import pytest
import spacy
import srsly
from conftest import ROOT
from pipelines import run_here
from test_layers import own_imports

from domain_ner.project.code import Sources, files_of
from domain_ner.project.fingerprints import FOLDER

PROJECT = srsly.read_yaml(ROOT / "project.yml")
COMMANDS = {command["name"]: command for command in PROJECT["commands"]}
WITH_DEPS = [name for name, command in COMMANDS.items() if "deps" in command]
SCRIPTS = sorted(
    path
    for folder in ("benchmarks", "scripts")
    for path in (ROOT / folder).glob("*.py")
    if not path.name.startswith("_")
)
README = (ROOT / "README.md").read_text(encoding="utf8")
# The code that a config names and spaCy finds by its entry point, so that no import shows it.
BY_ENTRY_POINT = [
    "corpus/tokenizer", "training/batching", "transformer/architectures", "transformer/lexical", "crf_ner/model",
    "crf_ner/factory", "crf_ner/implied_boundaries", "training/freezing", "training/oversampling", "training/silver",
    "transformer/layer_norm", "transformer/pooling", "onnx_encoder/architectures", "onnx_encoder/tok2vec",
]  # fmt: skip
RUNS_CONFIG = ["create-config", "train", "calibrate", "evaluate", "optimize", "package"]


def script_of(command):
    return ROOT / command["script"][0].split()[1]


def code_of(name):
    """Every file of code that can change what a command makes."""
    script = script_of(COMMANDS[name])
    todo = [*own_imports(script), f"commands/{name.replace('-', '_')}", "__init__"]
    if name == "convert":
        todo += ["corpus/tokenizer"]
    if name in RUNS_CONFIG:
        todo += BY_ENTRY_POINT
    if name == "package":
        todo += [
            path.relative_to(ROOT / "domain_ner").with_suffix("").as_posix()
            for path in (ROOT / "domain_ner").rglob("*.py")
        ]
    seen = set()
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += own_imports(ROOT / "domain_ner" / f"{module}.py")
            todo += [f"{folder.as_posix()}/__init__" for folder in PurePosixPath(module).parents if folder.name]
    files = {f"domain_ner/{module}.py" for module in seen}
    return files | {script.relative_to(ROOT).as_posix()}


def fingerprinted(name):
    """The files that the fingerprint of a command's code is made of."""
    files = files_of(script_of(COMMANDS[name]), ROOT / "domain_ner", Sources())
    return {path.relative_to(ROOT).as_posix() for path in files}


@pytest.mark.parametrize("name", WITH_DEPS)
def test_a_command_depends_on_exactly_the_code_it_runs(name):
    assert {path for path in fingerprinted(name) if path.endswith(".py")} == code_of(name)


def test_a_command_depends_on_the_templates_of_its_page():
    reports = {f"domain_ner/reports/{name}" for name in ("base.css", "colours.css", "guide.html.j2", "tables.css")}
    assert {path for path in fingerprinted("validate") if not path.endswith(".py")} == reports


@pytest.mark.parametrize("name", WITH_DEPS)
def test_a_command_depends_on_the_fingerprint_of_its_code_whose_folder_is_there(name):
    assert f"{FOLDER}/{name}" in COMMANDS[name]["deps"]
    assert f"{FOLDER}/{name}" in PROJECT["directories"]


def test_the_package_has_no_relative_imports_which_the_fingerprints_would_miss():
    for path in [*(ROOT / "domain_ner").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]:
        assert not re.search(r"^\s*from \.", path.read_text(encoding="utf8"), re.MULTILINE), path


def test_project_yml_is_short_and_each_variable_has_a_heading_and_a_line_of_comment():
    lines = (ROOT / "project.yml").read_text(encoding="utf8").splitlines()
    assert len(lines) < 400
    assert max(map(len, lines)) <= 120
    variables = [line for line in lines[lines.index("vars:") + 1 : lines.index("directories:")] if line]
    kinds = "".join("h" if line.startswith("  ## ") else "c" if line.startswith("  # ") else "v" for line in variables)
    assert re.fullmatch(r"(h(cv)+)+", kinds)
    for line in variables:
        if line.startswith("  ## "):
            page = re.fullmatch(r"  ## .+ \((docs/[\w-]+\.md)(#[\w-]+)?\)", line)
            assert page, line
            assert (ROOT / page[1]).is_file(), line


@pytest.mark.parametrize("name", WITH_DEPS)
def test_dependencies_are_files_that_are_there_or_that_a_command_makes(name):
    made = {output for command in COMMANDS.values() for output in command.get("outputs", [])}
    for dep in COMMANDS[name]["deps"]:
        assert dep in {*made, "assets/annotations", "assets/silver", f"{FOLDER}/{name}"} or (ROOT / dep).is_file(), dep


def test_create_config_depends_on_every_fragment():
    fragments = {path.relative_to(ROOT).as_posix() for path in (ROOT / "configs").glob("*_*.cfg")}
    assert fragments | {"configs/base.cfg"} <= set(COMMANDS["create-config"]["deps"])


def test_all_is_every_command_with_outputs_in_order():
    assert PROJECT["workflows"]["all"] == WITH_DEPS


def test_every_script_is_a_command_and_every_command_a_script():
    assert sorted(script_of(command) for command in COMMANDS.values()) == SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_has_a_help_that_tells_what_it_does(script, monkeypatch):
    monkeypatch.syspath_prepend(script.parent)
    ran = run_here(lambda: runpy.run_path(str(script), run_name="__main__"), script, "--help")
    summary = next(line.strip() for line in ran.stdout.splitlines()[2:] if line.strip())
    assert len(summary) > 20
    assert summary[0].isupper()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help(name):
    assert len(COMMANDS[name]["help"]) > 20


def test_the_readmes_code_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    """With a rule pipeline in the place of the package."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "INFRA", "pattern": "Redis"}])
    nlp.to_disk(tmp_path / "en_domain_ner")
    monkeypatch.chdir(tmp_path)
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "extract_entities" in block]
    exec(code, {})
    assert capsys.readouterr().out == "[{'name': 'Redis', 'type': 'INFRA', 'start': 63, 'end': 68}]\n"


def test_ci_runs_the_readmes_test_command():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf8")
    (command,) = [line for line in README.splitlines() if line.endswith("-m pytest")]
    assert command in ci.splitlines()


def test_the_versions_agree():
    import domain_ner

    assert version("domain-ner") == domain_ner.__version__
    assert f'version = "{domain_ner.__version__}"' in (ROOT / "pyproject.toml").read_text()
    assert f"## {domain_ner.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_entry_point_is_what_spacy_finds_by_that_name():
    spacy.blank("en")  # a pipeline imports the factories
    declared = [entry for entry in distribution("domain-ner").entry_points if entry.group != "console_scripts"]
    assert len(declared) >= 4
    for entry in declared:
        registry = getattr(spacy.registry, entry.group.partition("_")[2])
        assert registry.get(entry.name).__name__ == entry.attr


def test_no_file_names_a_place_that_others_do_not_have():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    for name in tracked:
        path = Path(ROOT, name)
        if path.suffix in {".py", ".md", ".yml", ".cfg", ".toml", ".txt"} and path.is_file():
            assert str(ROOT) not in path.read_text(encoding="utf8"), name
