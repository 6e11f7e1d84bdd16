"""Pipelines to annotate with, and a component that fails or ends its process at certain texts."""

import importlib
import json
import os
import sys
from pathlib import Path

import spacy

from domain_ner.annotating.local import run_locally
from domain_ner.annotating.run import Pipeline, annotate
from domain_ner.annotating.shards import Limits
from domain_ner.annotating.sources import find_sources

WORDS = ["Redis", "Kafka", "checkout-api", "Payments", "was", "slow", "and", "restarted", "the", "at", "noon"]
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


def text_of(number: int) -> str:
    return " ".join(WORDS[(number * 7 + place * place) % len(WORDS)] for place in range(5 + number % 9))


def write_rows(path: Path, rows) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf8")
    return path


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


def run(pipeline, inputs, output, settings, *, n_processes=1, shard_size=10, watch=None):
    from contextlib import nullcontext

    return annotate(
        Pipeline.of(str(pipeline)),
        find_sources([str(path) for path in inputs], output=output),
        output,
        settings=settings,
        engine=lambda jobs, on_documents: run_locally(jobs, n_processes, on_documents),
        limits=Limits(shard_size),
        watched=lambda total, before: nullcontext(watch or (lambda n_done: None)),
    )


def output_rows(output: Path) -> list[dict]:
    return [
        json.loads(line) for path in sorted(output.glob("documents/*.jsonl")) for line in path.open(encoding="utf8")
    ]


def outputs(output: Path) -> dict[str, bytes]:
    paths = [*output.glob("documents/*"), *output.glob("errors*")]
    return {path.name: path.read_bytes() for path in sorted(paths) if path.is_file()}


def start_command(*arguments, cwd=None):
    import subprocess

    command = [sys.executable, "-m", "domain_ner", "annotate", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd)
