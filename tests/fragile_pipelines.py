"""Pipelines that load fast, and a component that fails, waits or ends its process at certain texts."""

import importlib
import os
from pathlib import Path

import spacy

FRAGILE = """
import os, time
from spacy.language import Language

@Language.component("fragile")
def fragile(doc):
    if "KILL" in doc.text:
        os.kill(os.getpid(), 9)
    if "RAISE" in doc.text:
        raise ValueError(f"a component failed on {doc.text}")
    if "SLOW" in doc.text:
        time.sleep(0.05)
    return doc
"""


def install_fragile(folder: Path, monkeypatch) -> None:
    """Install the component where this process and those it starts find it."""
    (folder / "fragile-1.0.dist-info").mkdir(parents=True)
    (folder / "fragile.py").write_text(FRAGILE)
    (folder / "fragile-1.0.dist-info" / "METADATA").write_text("Name: fragile\nVersion: 1.0\n")
    (folder / "fragile-1.0.dist-info" / "entry_points.txt").write_text("[spacy_factories]\nfragile = fragile:fragile\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))


def ruler(folder: Path, *components: str, version: str = "1.0.0") -> Path:
    """A pipeline that loads fast: names by rule."""
    nlp = spacy.blank("en", meta={"name": "ruler", "version": version})
    nlp.add_pipe("entity_ruler").add_patterns(
        [{"label": "INFRA", "pattern": "Redis"}, {"label": "INFRA", "pattern": "Kafka"}]
    )
    for name in components:
        importlib.import_module(name)  # entry points are searched when spaCy is imported
        nlp.add_pipe(name)
    nlp.to_disk(folder)
    return folder
