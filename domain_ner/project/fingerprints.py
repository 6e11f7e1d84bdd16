"""Writes a fingerprint of each command's code to a folder in the command's `deps`, which weasel compares."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from domain_ner.files import write_text
from domain_ner.project.code import PACKAGE, Sources, files_of

# Holds a folder for each command, with only its fingerprint: weasel hashes all files of a folder.
FOLDER = "training/code"
PARSED = "imports.json"


def is_tracked(command: Mapping[str, Any]) -> bool:
    """Whether a command of project.yml depends on its fingerprint."""
    return f"{FOLDER}/{command['name']}" in command.get("deps", ())


def refresh(project: Path, commands: Iterable[Mapping[str, Any]], installed: Path) -> None:
    """Write the fingerprint of each tracked command if its code has changed.

    project: folder of project.yml. commands: of project.yml. installed: the folder domain_ner that Python imports.
    Raises OSError or DomainNerError if a script cannot be read, or a fingerprint cannot be written.
    """
    folder = project / FOLDER
    sources = Sources(_parsed(folder / PARSED))
    packages = _packages(project, installed)
    for command in filter(is_tracked, commands):
        scripts = [project / line.split()[1] for line in command["script"]]
        _write_new(folder / command["name"] / "sha256", fingerprint(project, scripts, packages, sources) + "\n")
    _write_new(folder / PARSED, json.dumps(sources.used, sort_keys=True))


def fingerprint(project: Path, scripts: Sequence[Path], packages: Sequence[Path], sources: Sources) -> str:
    """Compute the SHA-256 of the names and contents of all code files that scripts run."""
    lines = []
    for package in packages:
        for path in {path for script in scripts for path in files_of(script, package, sources)}:
            name = path.relative_to(package.parent if path.is_relative_to(package) else project)
            lines.append(f"{name.as_posix()} {hashlib.sha256(sources.content(path)).hexdigest()}\n")
    # The order must not depend on the location of project and package.
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _packages(project: Path, installed: Path) -> list[Path]:
    """Return the package that Python imports and, if different, the project's: a change in either counts."""
    own = project / PACKAGE
    return [installed] if not own.is_dir() or own.samefile(installed) else [installed, own]


def _parsed(path: Path) -> Mapping[str, Sequence[str]]:
    try:
        parsed = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _write_new(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf8") != text:
        write_text(path, text)
