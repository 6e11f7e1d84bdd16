"""Ctrl-C: what is printed, by every command and at once, before `spacy project run` kills the command."""

import ast
import os
import signal
import subprocess
import sys

import pytest
import srsly
from conftest import ROOT

COMMANDS = srsly.read_yaml(ROOT / "project.yml")["commands"]
OF_SCRIPTS = [(one["name"], ROOT / one["script"][0].split()[1]) for one in COMMANDS if "scripts/" in one["script"][0]]
# They run for those who change the project, and take their time.
OF_MAINTAINERS = {"build_docs", "build_pictures"}
LIGHT = {*sys.stdlib_module_names, "typer", "srsly", "rich", "_reference"}
IMPORTED_LATE = "domain_ner.commands"
# What takes Ctrl-C over may import of the package.
FIRST = {"domain_ner", IMPORTED_LATE, f"{IMPORTED_LATE}.main", f"{IMPORTED_LATE}.stopping"}
# Stands in the place of a command, and takes longer to end than weasel lets it.
SLOW = """
import sys, time, types
from domain_ner.commands.main import run, run_script
from domain_ner.commands.stopping import resumable
def main():
    \"\"\"Wait.\"\"\"
    with resumable(lambda: "All is kept.", option="--resume"):
        try:
            print("ready", flush=True)
            time.sleep(60)
        finally:
            time.sleep({unwinding})
            {last}
train = sys.modules["domain_ner.commands.train"] = types.ModuleType("train")
train.main = main
{call}
"""
BY_SCRIPT = "run_script('train')"
BY_COMMAND_LINE = "sys.argv = ['/usr/bin/domain-ner', 'train']; run()"
# A package in the place of spaCy, which never ends to be imported, and takes an interruption for something else.
SLOW_IMPORT = """
import time
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt as err:
    raise ImportError("something is missing") from err
"""


def press_ctrl_c(command, **environment):
    """Run a command in a process group of its own, and stop the group when it says that it is ready."""
    with subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        # Where the tests themselves run in the background, Ctrl-C is ignored, and what they start inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    ) as running:  # fmt: skip
        for line in running.stdout:
            if line.startswith("ready"):
                break
        os.killpg(running.pid, signal.SIGINT)
        told = running.stdout.read()
    return told, running.returncode


def slow_script(folder, *, unwinding=0.0, call=BY_SCRIPT, last="pass"):
    path = folder / "slow.py"
    path.write_text(SLOW.format(unwinding=unwinding, call=call, last=last), encoding="utf8")
    return path


def test_a_command_under_weasel_says_so_before_it_is_killed(tmp_path):
    script = slow_script(tmp_path, unwinding=20)
    weasel = f"import sys; from weasel.util import run_command; run_command([sys.executable, {str(script)!r}])"
    told, code = press_ctrl_c(["-c", weasel])
    assert "Stopped. All is kept.\nResume with: python -m spacy project run train" in told
    assert code != 0


@pytest.mark.parametrize(
    ("call", "again"),
    [
        (BY_SCRIPT, "python -m spacy project run train (with the same --vars, if any)"),
        (BY_COMMAND_LINE, "domain-ner train --resume"),
    ],
)
def test_a_stopped_command_ends_with_130_and_says_how_to_go_on(tmp_path, call, again):
    told, code = press_ctrl_c([slow_script(tmp_path, call=call)])
    assert told.endswith(f"Stopped. All is kept.\nResume with: {again}\n")
    assert (code, told.count("Stopped."), "Traceback" in told) == (130, 1, False)


def test_an_error_that_ctrl_c_caused_is_not_reported_as_one(tmp_path):
    told, code = press_ctrl_c([slow_script(tmp_path, last="raise RuntimeError('a half-closed worker')")])
    assert (code, told.count("Stopped."), "Traceback" in told) == (130, 1, False)


@pytest.mark.parametrize(
    ("command", "again"),
    [
        (
            [ROOT / "scripts" / "train_model.py", "a.cfg", "out dir", "--card", "x"],
            "python -m spacy project run train (with the same --vars, if any)",
        ),
        (
            ["-m", "domain_ner", "train", "a.cfg", "out dir", "--card", "x"],
            "python -m domain_ner train a.cfg 'out dir' --card x",
        ),
    ],
    ids=["script", "command line"],
)
def test_a_command_that_is_stopped_while_it_imports_says_so_too(tmp_path, command, again):
    (tmp_path / "spacy").mkdir()
    (tmp_path / "spacy" / "__init__.py").write_text(SLOW_IMPORT, encoding="utf8")
    told, code = press_ctrl_c(command, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert f"Start again with: {again}\n" in told
    assert (code, "Traceback" in told) == (130, False)


@pytest.mark.parametrize(("name", "script"), OF_SCRIPTS, ids=[name for name, _ in OF_SCRIPTS])
def test_the_command_that_a_script_names_is_there_and_its_own(name, script):
    assert ast.get_docstring(ast.parse(script.read_text(encoding="utf8"))).startswith(f"`{name}`: ")


def top_level_imports(path):
    for node in ast.parse(path.read_text(encoding="utf8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("script", [path for _, path in OF_SCRIPTS], ids=lambda path: path.stem)
def test_a_script_takes_ctrl_c_over_before_imports_that_take_seconds(script):
    for name in top_level_imports(script):
        assert name.partition(".")[0] in LIGHT or name.startswith(IMPORTED_LATE) or script.stem in OF_MAINTAINERS, name


@pytest.mark.parametrize("module", ["main", "stopping", "__init__", "../__main__"])
def test_what_takes_ctrl_c_over_imports_nothing_but_itself_and_the_standard_library(module):
    for name in top_level_imports(ROOT / "domain_ner" / "commands" / f"{module}.py"):
        assert name in FIRST or name.partition(".")[0] in sys.stdlib_module_names, name
