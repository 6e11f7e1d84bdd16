"""A fingerprint of each command's code, in a folder that is among the command's `deps`: weasel compares it."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from domain_ner.files import write_text
from domain_ner.project.code import PACKAGE, Sources, files_of

# Holds a folder for each command, with its fingerprint and nothing else: weasel hashes all files of a folder.
FOLDER = "training/code"
PARSED = "imports.json"


def is_tracked(command: Mapping[str, Any]) -> bool:
    """Whether a command of project.yml depends on its fingerprint."""
    return f"{FOLDER}/{command['name']}" in command.get("deps", ())


def refresh(project: Path, commands: Iterable[Mapping[str, Any]], installed: Path) -> None:
    """Write the fingerprint of each tracked command if its code has changed.

    project: folder of project.yml. commands: of project.yml. installed: the folder domain_ner that Python imports.
    Raises OSError or DomainNerError where a script cannot be read, or a fingerprint cannot be written.
    """
    folder = project / FOLDER
    sources = Sources(_parsed(folder / PARSED))
    packages = _packages(project, installed)
    for command in filter(is_tracked, commands):
        scripts = [project / line.split()[1] for line in command["script"]]
        _write_new(folder / command["name"] / "sha256", fingerprint(project, scripts, packages, sources) + "\n")
    _write_new(folder / PARSED, json.dumps(sources.used, sort_keys=True))


def fingerprint(project: Path, scripts: Sequence[Path], packages: Sequence[Path], sources: Sources) -> str:
    """The SHA-256 of the names and contents of all files of code that scripts run."""
    lines = []
    for package in packages:
        for path in {path for script in scripts for path in files_of(script, package, sources)}:
            name = path.relative_to(package.parent if path.is_relative_to(package) else project)
            lines.append(f"{name.as_posix()} {hashlib.sha256(sources.content(path)).hexdigest()}\n")
    # Their order must not depend on where project and package are.
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _packages(project: Path, installed: Path) -> list[Path]:
    """The package that Python imports and, if that is another one, the project's: a change of either counts."""
    own = project / PACKAGE
    return [installed] if not own.is_dir() or own.samefile(installed) else [installed, own]


def _parsed(path: Path) -> Mapping[str, Sequence[str]]:
    try:
        found = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_new(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf8") != text:
        write_text(path, text)
