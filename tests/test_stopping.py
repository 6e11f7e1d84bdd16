"""Ctrl-C: what is printed, by every command and at once, before `spacy project run` kills the command."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import srsly
from conftest import ROOT

SCRIPTS = ROOT / "scripts"
COMMANDS = srsly.read_yaml(ROOT / "project.yml")["commands"]
OF_SCRIPTS = [(one["name"], ROOT / one["script"][0].split()[1]) for one in COMMANDS if "scripts/" in one["script"][0]]
LIGHT = {*sys.stdlib_module_names, "typer", "srsly", "rich"}
# Takes longer to end than weasel lets it.
SLOW = """\"\"\"`train`: slow to end.\"\"\"
import sys, time
sys.path.insert(0, {scripts!r})
from _console import resumable, run
def main():
    \"\"\"Wait.\"\"\"
    with resumable(lambda: "All is kept."):
        try:
            print("ready", flush=True)
            time.sleep(60)
        finally:
            time.sleep({unwinding})
{call}
"""


def press_ctrl_c(command):
    """Run a command in a process group of its own, and stop the group when it says that it is ready."""
    with subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        # Where the tests themselves run in the background, Ctrl-C is ignored, and what they start inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    ) as running:  # fmt: skip
        for line in running.stdout:
            if line.startswith("ready"):
                break
        os.killpg(running.pid, signal.SIGINT)
        told = running.stdout.read()
    return told, running.returncode


def slow_script(folder, *, unwinding=0.0, call="run(main)"):
    path = folder / "slow.py"
    path.write_text(SLOW.format(scripts=str(SCRIPTS), unwinding=unwinding, call=call), encoding="utf8")
    return path


def test_a_command_under_weasel_says_so_before_it_is_killed(tmp_path):
    script = slow_script(tmp_path, unwinding=20)
    weasel = f"import sys; from weasel.util import run_command; run_command([sys.executable, {str(script)!r}])"
    told, code = press_ctrl_c(["-c", weasel])
    assert "Stopped. All is kept.\nGo on with: python -m spacy project run train (with the same --vars, if any)" in told
    assert code != 0


def test_a_stopped_command_ends_with_130_and_without_a_traceback(tmp_path):
    told, code = press_ctrl_c([slow_script(tmp_path)])
    assert (code, told.count("Stopped."), "Traceback" in told) == (130, 1, False)


def test_a_command_that_is_stopped_while_it_imports_says_so_too(tmp_path):
    waiting = "print('ready', flush=True); time.sleep(60)"
    told, code = press_ctrl_c([slow_script(tmp_path, call=waiting)])
    assert "Start it again with: python -m spacy project run train" in told
    assert (code, "Traceback" in told) == (130, False)


@pytest.mark.parametrize(("name", "script"), OF_SCRIPTS, ids=[name for name, _ in OF_SCRIPTS])
def test_the_command_that_a_script_names_is_there_and_its_own(name, script):
    assert ast.get_docstring(ast.parse(script.read_text(encoding="utf8"))).startswith(f"`{name}`: ")


@pytest.mark.parametrize("script", [path for _, path in OF_SCRIPTS], ids=lambda path: path.stem)
def test_a_script_takes_ctrl_c_over_before_imports_that_take_seconds(script):
    for node in ast.parse(script.read_text(encoding="utf8")).body:
        if isinstance(node, ast.ImportFrom) and node.module == "_console":
            return
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert {Path(name.replace(".", "/")).parts[0] for name in names} <= LIGHT, names
