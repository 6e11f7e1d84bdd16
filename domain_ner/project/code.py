"""Finds the code files that a script runs, by reading its imports. Runs and imports none of them."""

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from itertools import accumulate
from pathlib import Path

PACKAGE = "domain_ner"
# A module with one of these calls builds a pipeline: its config names the components, which spaCy then imports.
BUILDS_PIPELINES = re.compile(rb"\b(?:spacy\.load|load_model_from_config|init_nlp|registry\.resolve)\(")
# Runs a command of the package; the command and its module have the same name.
RUNS_COMMAND = re.compile(rb'\brun_script\("([\w-]+)"\)')
# Packs all of the package into a wheel.
BUILDS_WHEELS = "packaging/wheels.py"
# Groups of entry points that start command lines, which no pipeline needs.
STARTS = {"spacy_cli", "console_scripts"}
# Added to a pipeline after all commands whose code is tracked: none of them runs it.
ADDED_LATER = {"llm_fallback"}
# Part of the cache key: a change in this module invalidates imports that were parsed before.
OWN_CODE = Path(__file__).read_bytes()


@dataclass
class Sources:
    """Code files, each read once, and parsed only if its content is new.

    parsed: imported names by key of the content, from an earlier run.
    used: the same for the contents of this run.
    """

    parsed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    used: dict[str, Sequence[str]] = field(default_factory=dict)
    _contents: dict[Path, bytes] = field(default_factory=dict)
    _modules: dict[Path, dict[str, Path]] = field(default_factory=dict)
    _needed: dict[Path, set[str]] = field(default_factory=dict)

    def content(self, path: Path) -> bytes:
        """Return the bytes of a file."""
        if path not in self._contents:
            self._contents[path] = path.read_bytes()
        return self._contents[path]

    def needed(self, path: Path) -> set[str]:
        """Return the dotted names that a Python file imports, anywhere in it, and modules that spaCy imports for it.

        They include the parent packages of a module, and names in a module that are not modules.
        """
        if path not in self._needed:
            content = self.content(path)
            names = [*self._imports(content), *_by_entry_point(content), *_commands(content)]
            self._needed[path] = {parent for name in names for parent in _with_packages(name)}
        return self._needed[path]

    def _imports(self, content: bytes) -> Sequence[str]:
        key = hashlib.sha256(OWN_CODE + content).hexdigest()
        if key not in self.used:
            self.used[key] = self.parsed[key] if key in self.parsed else sorted(set(_imports(content)))
        return self.used[key]

    def modules_of(self, package: Path) -> dict[str, Path]:
        """Map the dotted name of each module of a package to its file."""
        if package not in self._modules:
            self._modules[package] = {_dotted(path, package): path for path in package.rglob("*.py")}
        return self._modules[package]


def files_of(script: Path, package: Path, sources: Sources) -> set[Path]:
    """Find every code file that can change what a script does.

    These are the script, its imports from its own folder and from the package, and their imports in turn. Names of
    spaCy's registries, templates and styles count as imports if a module names them.
    script: a Python file. package: the folder domain_ner.
    Raises OSError if the script cannot be read.
    """
    modules = sources.modules_of(package) | {path.stem: path for path in script.parent.glob("*.py")}
    todo, files = [script], set[Path]()
    while todo:
        path = todo.pop()
        if path in files:
            continue
        files.add(path)
        if path.suffix == ".py":
            todo += [modules[name] for name in sources.needed(path) if name in modules]
        if path.is_relative_to(package):
            todo += _templates(path, sources)
            todo += _all_files(package) if path == package / BUILDS_WHEELS else []
    return files


def _by_entry_point(content: bytes) -> list[str]:
    """Find the modules of this package that spaCy imports for a module with this content."""
    builds = BUILDS_PIPELINES.search(content)
    return [
        module
        for name, module in _registered()
        if (builds and name not in ADDED_LATER) or f'"{name}"'.encode() in content
    ]


def _commands(content: bytes) -> list[str]:
    """Find the modules of the commands that a script with this content runs; they are imported on call."""
    return [f"{PACKAGE}.commands.{name.decode().replace('-', '_')}" for name in RUNS_COMMAND.findall(content)]


def _with_packages(name: str) -> list[str]:
    """Expand `a.b.c` to a, a.b and a.b.c."""
    return list(accumulate(name.split("."), "{}.{}".format))


def _dotted(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(content: bytes) -> Iterator[str]:
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # Python reports it when the command runs
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # In `from domain_ner.readers import brat`, `domain_ner.readers.brat` may be a module too.
            yield node.module
            if node.module.split(".")[0] == PACKAGE:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _registered() -> tuple[tuple[str, str], ...]:
    """List (name, module) of this package's entry points, except those that start command lines."""
    try:
        entry_points = distribution("domain-ner").entry_points
    except PackageNotFoundError:
        return ()
    return tuple((entry.name, entry.module) for entry in entry_points if entry.group not in STARTS)


def _templates(path: Path, sources: Sources) -> list[Path]:
    """Find the other files in a module's folder that it names."""
    return [
        other for other in path.parent.iterdir()
        if other.suffix != ".py" and other.name.encode() in sources.content(path) and other.is_file()
    ]  # fmt: skip


def _all_files(package: Path) -> list[Path]:
    return [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
