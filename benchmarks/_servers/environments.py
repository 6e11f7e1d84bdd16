"""Installs each annotation tool, pinned, into a virtual environment of its own, which the next run uses again."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from domain_ner.errors import DomainNerError

ToolT = TypeVar("ToolT")
INSTALLED = "installed.txt"
MAX_LINES = 4


@dataclass(frozen=True)
class Package:
    """A tool as the package index has it.

    requirements: all that is pinned, the tool first. pythons: the versions on which it runs, the best first.
    """

    name: str
    title: str
    requirements: tuple[str, ...]
    pythons: tuple[str, ...]


# doccano leaves open what it cannot work with: marshmallow 3.22 took a class from it, pandas 2 and numpy 2 came later,
# and setuptools 81 is without pkg_resources.
DOCCANO = Package(
    "doccano",
    "doccano 1.8.4",
    ("doccano==1.8.4", "marshmallow<3.22", "pandas==1.5.3", "numpy==1.26.4", "setuptools<81"),
    ("3.11", "3.10", "3.9"),
)
LABEL_STUDIO = Package(
    "label-studio", "Label Studio 1.23.2", ("label-studio==1.23.2",), ("3.11", "3.12", "3.13", "3.10")
)


def environment_of(package: Package, cache: Path) -> Path:
    """The folder with the tool's programs; installs it where it is not there yet.

    Raises DomainNerError where there is no Python for it, or where a package cannot be installed.
    """
    folder = (cache / package.name).resolve()
    programs, mark = folder / "bin", folder / INSTALLED
    wanted = "\n".join(package.requirements)
    if not mark.is_file() or mark.read_text(encoding="utf8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _run([_python(package), "-m", "venv", str(folder)], f"{package.title}: no virtual environment could be made")
        pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run(
            [*pip, *package.requirements], f"{package.title} could not be installed ({', '.join(package.requirements)})"
        )
        mark.write_text(wanted, encoding="utf8")
    return programs


def _python(package: Package) -> str:
    """A Python of a version that the tool runs on: this one if it is, else one on the path."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if own in package.pythons:
        return sys.executable
    found = next((path for version in package.pythons if (path := shutil.which(f"python{version}"))), None)
    if found is None:
        expected = " or ".join(package.pythons)
        raise DomainNerError(f"{package.title} needs Python {expected}; none is on the path.", "Install one.")
    return found


def _run(command: list[str], failure: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        lines = [line for line in ran.stderr.splitlines() if line.startswith("ERROR")] or ran.stderr.splitlines()
        told = "\n".join(f"  {line}" for line in lines[-MAX_LINES:])
        raise DomainNerError(f"{failure}:\n{told}", "Check that the package index can be reached, and run it again.")


def chosen(names: str, tools: Mapping[str, ToolT]) -> list[ToolT]:
    """The tools of these names, which are separated by commas. Raises DomainNerError for an unknown one."""
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in tools:
            raise DomainNerError(f"--tools has {name!r}; expected some of {', '.join(tools)}.")
    return [tools[name] for name in wanted]
