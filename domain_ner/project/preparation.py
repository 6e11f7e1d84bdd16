"""Prepares a project for `spacy project run`, before weasel reads project.yml: checks variables and code."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import srsly
from typer.main import get_command
from wasabi import msg
from weasel.cli.main import app
from weasel.util import parse_config_overrides

from domain_ner.project.fingerprints import is_tracked, refresh
from domain_ner.project.variables import unknown_variables

INSTALLED = Path(__file__).parents[1]


def prepare(arguments: Sequence[str]) -> None:
    """Check the overrides of variables, and refresh the fingerprints of the code. Does nothing in other projects.

    arguments: those after `spacy project run`.
    Raises SystemExit (1) for a variable that project.yml does not have.
    """
    try:
        folder, overrides = _parse(arguments)
        project = _read(folder)
    except Exception:  # weasel reads the same again, and reports the error
        return
    if project:
        _check(overrides, project)
        _refresh(folder, project)


def _parse(arguments: Sequence[str]) -> tuple[Path, list[str]]:
    """Parse (folder of the project, overrides) as weasel's own command does."""
    run = get_command(app).commands["run"]  # type: ignore[attr-defined]
    context = run.make_context("run", list(arguments), resilient_parsing=True)
    return context.params["project_dir"], context.args


def _read(folder: Path) -> dict[str, Any] | None:
    """Read project.yml; None unless it is a domain-ner project, where a command depends on its code's fingerprint."""
    project: dict[str, Any] = srsly.read_yaml(folder / "project.yml")
    return project if any(map(is_tracked, project["commands"])) else None


def _check(overrides: list[str], project: dict[str, Any]) -> None:
    try:
        given = parse_config_overrides(overrides)
    except Exception:  # not of the form --vars.NAME VALUE: weasel reports it
        return
    if wrong := unknown_variables(given, project["vars"]):
        hint = "All variables are at the top of project.yml, and in docs/reference/variables.md."
        raise SystemExit("\n".join([*(f"✘ {sentence}" for sentence in wrong), hint]))


def _refresh(folder: Path, project: dict[str, Any]) -> None:
    try:
        refresh(folder, project["commands"], INSTALLED)
    except Exception as err:
        msg.warn(f"Cannot tell which code has changed since the last run: {err}", "Add --force to run a step again.")
