"""Builds the wheels of a pipeline, and checks in a clean environment that they install and predict the same."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from types import MappingProxyType
from typing import Any

from spacy.cli.package import package as write_package
from spacy.language import Language

from domain_ner.corpus.docs import entities, spans
from domain_ner.errors import DomainNerError
from domain_ner.files import scratch_folder
from domain_ner.training.saving import forget_texts

SOURCES = ("pyproject.toml", "README.md", "LICENSE", "domain_ner")
# Reads texts and writes entities; the Python of the clean environment runs it.
PREDICT = """
import json, sys
import spacy
name, texts, predicted = sys.argv[1:]
docs = spacy.load(name).pipe(json.load(open(texts, encoding="utf8")))
spans = [[*doc.ents, *doc.spans.get("sc", ())] for doc in docs]
found = [sorted([span.start_char, span.end_char, span.label_] for span in of_doc) for of_doc in spans]
json.dump(found, open(predicted, "w", encoding="utf8"))
"""
# Runs the given command, and dies with its parent: after kill -9, no pip keeps running.
BOUND = """
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(parent):
    os.execvp(command[0], command)
"""
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

Say = Callable[[str], None]
Predicted = list[list[Any]]


@dataclass(frozen=True)
class Release:
    """A package on an index: its name and its version, X.Y.Z."""

    name: str
    version: str


@dataclass(frozen=True)
class Documents:
    """The README of a pipeline, additional entries of its meta.json, and more files of its folder, name to text."""

    readme: str
    meta: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)


def build_wheels(  # noqa: PLR0913
    model: Path,
    source: Path,
    wheels: Path,
    release: Release,
    *,
    documents: Documents | None = None,
    epoch: int | None = None,
) -> Release:
    """Build the pipeline's wheel and domain-ner's own into a new folder.

    model: the pipeline. source: the project, with pyproject.toml and domain_ner/. wheels: the folder to create.
    release: the package without the language. documents: replace those that spaCy writes. epoch: time of the files in
    the wheels, in seconds since 1970, so that a second build gives equal bytes; None: now.
    Returns the package to install and load, with the language prefix, such as `en_domain_ner`.
    Raises DomainNerError when a wheel cannot be built.
    """
    wheels.mkdir(parents=True)
    with scratch_folder() as room:
        version = release.version
        write_package(
            model, room, name=release.name, version=version, create_sdist=False, create_wheel=False, silent=True
        )
        pipeline = next(room.iterdir())
        for saved in pipeline.glob("*/*/config.cfg"):  # for pipelines of `spacy train`; ours keep no texts
            forget_texts(saved.parent)
        if documents is not None:
            _document(pipeline, documents)
        _complete_metadata(pipeline, source)
        _build_wheel(pipeline, wheels, room, epoch)
        _build_wheel(_copy_sources(source, room / "source"), wheels, room, epoch)
        return Release(pipeline.name.removesuffix(f"-{version}"), version)


def _document(pipeline: Path, documents: Documents) -> None:
    """Write README, meta.json and other files into the sources of a package."""
    path = pipeline / "meta.json"
    meta = json.loads(path.read_text(encoding="utf8")) | dict(documents.meta)
    path.write_text(json.dumps(meta, indent=2), encoding="utf8")
    # The pipeline's folder is for the Hugging Face hub, which reads front matter; a package index does not.
    for readme in pipeline.glob("*/*/README.md"):
        readme.write_text(documents.readme, encoding="utf8")
    for saved in pipeline.glob("*/*/config.cfg"):
        for name, text in documents.files.items():
            (saved.parent / name).write_text(text, encoding="utf8")
    (pipeline / "README.md").write_text(FRONT_MATTER.sub("", documents.readme), encoding="utf8")


def _complete_metadata(pipeline: Path, source: Path) -> None:
    """Add metadata that spaCy's setup.py leaves out: the Python versions, and that the README is Markdown. setuptools
    reads from setup.cfg what setup.py does not set.
    """
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf8"))["project"]
    lines = [
        "[metadata]", "long_description_content_type = text/markdown",
        "[options]", f"python_requires = {project['requires-python']}",
    ]  # fmt: skip
    (pipeline / "setup.cfg").write_text("\n".join(lines) + "\n", encoding="utf8")


def predict_in_clean_environment(wheels: Path, release: Release, texts: Sequence[str], *, say: Say) -> Predicted:
    """Install the pipeline into a new virtual environment and predict there, without access to a model hub.

    wheels: folder of the wheels, which are all installed; other packages come from the package index, in the versions
        installed here.
    Returns the entities of each text, as `predict` does.
    Raises DomainNerError when the pipeline does not install or load.
    """
    with scratch_folder() as room:
        say("creating a clean virtual environment")
        python = _create_environment(room)
        constraints, given, written = room / "constraints.txt", room / "texts.json", room / "predicted.json"
        constraints.write_text("\n".join(_installed_versions()), encoding="utf8")
        given.write_text(json.dumps(list(texts)), encoding="utf8")
        say(f"installing {release.name} {release.version} and its dependencies")
        # Not compiled: each module is imported once.
        pip = [sys.executable, "-m", "pip", "--python", *python, "--disable-pip-version-check"]
        install = [*pip, "install", "--no-compile", "-c", str(constraints)]
        _run([*install, *map(str, in_order(wheels))], f"pip install of the wheels in {wheels} failed", room, show=True)
        say(f"predicting {len(texts)} test passages there")
        # -I: neither this project nor the user's own packages are on the import path.
        command = [*python, "-I", "-c", PREDICT, release.name, str(given), str(written)]
        _run(command, f"{release.name} does not load or predict", room, cwd=room)
        predicted: Predicted = json.loads(written.read_text(encoding="utf8"))
    return predicted


def in_order(wheels: Path) -> list[Path]:
    """List the wheels to install by file: pip would look up a name on the package index, where anybody can register
    ours.
    """
    return sorted(wheels.glob("*.whl"))


def predict(nlp: Language, texts: Sequence[str]) -> Predicted:
    """Predict the entities, and the spans that may nest, of each text as sorted [start, end, label], in characters."""
    return [sorted([*span] for span in (*entities(doc), *spans(doc))) for doc in nlp.pipe(texts)]


def require_same(here: Predicted, there: Predicted, texts: Sequence[str]) -> None:
    """Raise DomainNerError with the first passage on which the predictions differ, if any."""
    differing = [n for n, (trained, installed) in enumerate(zip(here, there, strict=True)) if trained != installed]
    if differing:
        n = differing[0]
        raise DomainNerError(
            f"The installed package predicts other entities than the trained pipeline on {len(differing)} of"
            f" {len(texts)} passages, first:\n  {texts[n][:200]!r}\n  trained:   {here[n]}\n  installed: {there[n]}",
            "Do not ship it. Compare the versions of spacy, spacy-transformers and torch in the two environments.",
        )


def _create_environment(room: Path) -> list[str]:
    """Create a virtual environment without pip; returns the command of its Python."""
    venv.create(room / "venv")
    return [str(room / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))]


def _copy_sources(source: Path, copy: Path) -> Path:
    # Built from a copy, because setuptools leaves build folders behind.
    copy.mkdir()
    for name in SOURCES:
        if (source / name).is_dir():
            shutil.copytree(source / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source / name, copy / name)
    return copy


def _build_wheel(source: Path, target: Path, room: Path, epoch: int | None) -> None:
    # Without isolation, setuptools comes from this environment, so that building needs no network.
    build = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    time = {} if epoch is None else {"SOURCE_DATE_EPOCH": str(epoch)}
    command = [*build, "--wheel-dir", str(target), str(source)]
    _run(command, f"building a wheel of {source.name} failed", room, environment=time)


def _installed_versions() -> list[str]:
    """List every installed package as a constraint, without local versions (torch 2.13.0+cpu), unknown to indexes."""
    installed = {dist.name: dist.version.partition("+")[0] for dist in distributions() if dist.name != "domain-ner"}
    return [f"{name}=={version}" for name, version in sorted(installed.items())]


def _run(  # noqa: PLR0913
    command: Sequence[str],
    failure: str,
    room: Path,
    *,
    cwd: Path | None = None,
    show: bool = False,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run a command; its output is printed at once (`show`), or with the error. room: for its temporary files.
    environment: variables beside those of this process.

    Raises DomainNerError when it fails.
    """
    output = None if show else subprocess.PIPE
    kept = room / "tmp"
    kept.mkdir(exist_ok=True)
    bound = [sys.executable, "-I", "-S", "-c", BOUND, str(os.getpid())] if sys.platform == "linux" else []
    ran = subprocess.run(
        [*bound, *command],
        cwd=cwd,
        env={**os.environ, **OFFLINE, **environment, "TMPDIR": str(kept)},
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise DomainNerError(f"{failure}:\n{ran.stdout}" if ran.stdout else f"{failure}, see above.")
