"""Configs and pipelines that tests train: real ones, small."""

import io
import json
import os
import runpy
import subprocess
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from conftest import GUIDE, ROOT

SCRIPTS = ROOT / "scripts"


def run(script, *arguments, cwd=None, check=True):
    """Run a script of the project with these arguments; returns it as a finished process.

    It runs in this process: to import spaCy and PyTorch takes seconds, and the tests run hundreds of them. What depends
    on a process of its own (Ctrl-C, kill -9, a whole workflow) starts one.
    """
    path = SCRIPTS / f"{script}.py"
    return run_here(lambda: runpy.run_path(str(path), run_name="__main__"), path, *arguments, cwd=cwd, check=check)


def run_here(program, *argv, cwd=None, check=True):
    """Call a program in this process, with this command line; returns it as a finished process."""
    argv = list(map(str, argv))
    stdout, stderr, here = io.StringIO(), io.StringIO(), Path.cwd()
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.object(sys, "path", [str(SCRIPTS), *sys.path]),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
    ):
        os.chdir(cwd or here)
        try:
            program()
            code = 0
        except SystemExit as error:
            code = error.code or 0
        except Exception:  # as the interpreter ends a script
            traceback.print_exc()
            code = 1
        finally:
            os.chdir(here)
    ran = subprocess.CompletedProcess(argv, code, stdout.getvalue(), stderr.getvalue())
    assert not check or ran.returncode == 0, ran.stdout + ran.stderr
    return ran


def fetch(folder: Path, encoder: str | Path) -> Path:
    """The card of an encoder, in `folder`."""
    card = folder / "encoder.json"
    encoders = folder / "encoders"
    run(
        "fetch_encoder",
        card,
        "--encoder",
        encoder,
        "--presets",
        ROOT / "configs" / "presets.yml",
        "--encoders",
        encoders,
    )
    return card


def convert(folder: Path, rows: list[dict], *options: str) -> Path:
    """The corpus of these rows, in `folder`."""
    annotations, corpus = folder / "annotations", folder / "corpus"
    annotations.mkdir(parents=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (annotations / "rows.jsonl").write_text(lines, encoding="utf8")
    run("convert_annotations", annotations, corpus, folder / "reports", "--guide", GUIDE, "--prefer", "*", *options)
    return corpus


def create_config(folder: Path, card: Path, corpus: Path, *options: str) -> Path:
    """The config that trains on the corpus, one epoch unless told, in `folder`."""
    config, text = folder / "config.cfg", ["--epochs", "1", *options]
    data = ["--train", corpus / "train.spacy", "--tokenizer", corpus / "tokenizer.json"]
    run("create_config", ROOT / "configs", config, "--card", card, *data, *text)
    paths = config.read_text(encoding="utf8").replace('"corpus/', f'"{corpus.as_posix()}/')
    config.write_text(paths, encoding="utf8")
    return config


def train(folder: Path, config: Path, card: Path) -> Path:
    """The trained pipeline, in `folder`."""
    run("train_model", config, folder, "--card", card)
    return folder / "model-best"


def learn_by_heart(nlp, given, *, learn_rate: float, n_steps: int):
    """Initialise a pipeline and train it on these examples until it knows them; returns the pipeline."""
    nlp.initialize(lambda: given)
    optimizer = nlp.create_optimizer()
    optimizer.schedules.clear()
    optimizer.learn_rate = learn_rate
    for _ in range(n_steps):
        nlp.update(given, sgd=optimizer)
    return nlp
