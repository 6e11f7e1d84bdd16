"""Runs a training, from the start or from where it was interrupted; no good pipeline is ever lost."""

import hashlib
import json
import logging
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.util import load_config, logger
from thinc.api import Config, fix_random_seed, set_gpu_allocator

from domain_ner.corpus.damage import require_whole
from domain_ner.corpus.registries import factories_of_config, find_codecs_once
from domain_ner.devices import TORCH
from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path, discard, sha256
from domain_ner.training import checkpoint
from domain_ner.training.checkpoint import Checkpoint, Progress
from domain_ner.training.coverage import CorpusCoverage
from domain_ner.training.loop import Training, resolve, run_steps
from domain_ner.training.pace import Pace
from domain_ner.training.saving import save
from domain_ner.training.silver import silver_files

UNFINISHED = "unfinished"
BEST, LAST = checkpoint.BEST, "model-last"
PACKAGE = Path(__file__).parents[1]
SECTIONS = ("paths", "system", "nlp", "components", "corpora", "training", "initialize")
PACKAGES = ("domain-ner", "spacy", "spacy-transformers", "thinc", "torch", "transformers")


@dataclass(frozen=True)
class TrainingResult:
    """best: folder of the best pipeline. coverage: counts of what it was trained on. log: a row for each evaluation.
    resumed_at: the step at which an interrupted run was resumed, or 0.
    """

    best: Path
    coverage: CorpusCoverage
    log: list[dict[str, Any]]
    resumed_at: int


def read_config(path: Path, overrides: Mapping[str, Any]) -> Config:
    """Read a training config, with overrides. Raises DomainNerError when it is missing or damaged."""
    if not path.is_file():
        raise DomainNerError(f"There is no training config {path}.", "Run create-config first.")
    try:
        config = load_config(path, overrides=dict(overrides), interpolate=False)
    except ValueError as err:
        raise DomainNerError(f"Cannot read the training config {path}: {err}", "Run create-config again.") from err
    # spaCy would fill in defaults for truncated parts.
    missing = [name for name in SECTIONS if name not in config]
    missing += (
        [f"components.{name}" for name in config["nlp"]["pipeline"] if name not in config["components"]]
        if not missing
        else []
    )
    if missing:
        raise DomainNerError(f"The training config {path} lacks [{missing[0]}].", "Run create-config again.")
    return config


def initialize(
    config_path: Path,
    *,
    gpu: int,
    seed: int | None = None,
    overrides: Mapping[str, Any] = MappingProxyType({}),
    warns: bool = True,
) -> Language:
    """Create the untrained pipeline of a config, with the labels of the training data and the encoder loaded.

    gpu: -1 for the CPU. seed: instead of the config's; overrides: other values, by section and name, joined by dots.
    warns: whether to warn of deficient training data; once is enough.
    Raises DomainNerError when there is no config, and when a corpus is missing or damaged.
    """
    seeded = {} if seed is None else {"system.seed": seed, "training.seed": seed}
    config = read_config(config_path, {**overrides, **seeded})
    for path in _corpora(config):
        if path.suffix == ".spacy":
            require_whole(path)
    find_codecs_once()
    level = logger.level
    logger.setLevel(level if warns else logging.ERROR)
    try:
        with factories_of_config(config):
            nlp = init_nlp(config, use_gpu=gpu)
    finally:
        logger.setLevel(level)
    requirements = nlp.meta.setdefault("requirements", [])
    if "transformer" in nlp.pipe_names and TORCH not in requirements:  # spacy-transformers accepts any PyTorch
        requirements.append(TORCH)
    return nlp


def corpora(config_path: Path) -> list[Path]:
    """List the corpora for training and early stopping. Raises DomainNerError when there is no config."""
    return _corpora(read_config(config_path, {}))


def _corpora(config: Config) -> list[Path]:
    return [Path(config["paths"][name]) for name in ("train", "dev") if config["paths"][name]]


def train(
    nlp: Language, output: Path, *, gpu: int, checkpoint_s: float, resume: Checkpoint | None = None
) -> TrainingResult:
    """Train with early stopping; write the best pipeline to `output`/model-best, the last to `output`/model-last.

    checkpoint_s: seconds of training between two checkpoints, more if they take long to write: the most that a power
    cut loses. resume: from `find_interrupted`.
    Works in `output`/unfinished, and replaces the two pipelines at the end. If interrupted before, it leaves those
    unchanged, the best one so far in `output`/unfinished/model-best, and a checkpoint to resume from. The content of
    `output`/unfinished stays until `forget`: until the caller has written all its results to disk.
    """
    unfinished = output / UNFINISHED
    if resume is None:
        forget(output)
    config = nlp.config.interpolate()
    run, block = identify(config), config["training"]
    if block["seed"] is not None:
        fix_random_seed(block["seed"])
    if gpu >= 0 and block["gpu_allocator"]:
        set_gpu_allocator(block["gpu_allocator"])
    training, progress, coverage = resolve(nlp), Progress(), CorpusCoverage()
    if resume is not None:
        resume.restore(nlp, training.optimizer)
        progress = resume.progress
        resume.restore_best(unfinished / BEST)
        checkpoint.remove_later(unfinished, progress.step)
    resumed_at, pace = progress.step, Pace(checkpoint_s)
    with _logged(nlp, training) as log:
        for info in run_steps(nlp, training, progress, on_batch=coverage.add):
            if info is not None and progress.best[1] == info["step"]:
                _save(nlp, training, unfinished / BEST)
            log(info)
            if info is not None or pace.is_due:
                with pace.saving():
                    checkpoint.save(unfinished, run, progress, nlp, training.optimizer, best=unfinished / BEST)
    _save(nlp, training, unfinished / LAST)
    for name in (LAST, BEST):
        with atomic_path(output / name) as new:
            shutil.copytree(unfinished / name, new)
    return TrainingResult(output / BEST, coverage, progress.rows, resumed_at)


def forget(output: Path) -> None:
    """Remove the files of an unfinished run."""
    discard(output / UNFINISHED)


def find_interrupted(nlp: Language, output: Path) -> tuple[Checkpoint | None, list[str]]:
    """Find the checkpoint of an interrupted run of this same pipeline, if any; also return messages about damage, and
    about whether training resumes or restarts.
    """
    if not (output / UNFINISHED).is_dir():
        return None, []
    current = identify(nlp.config.interpolate())
    loaded = checkpoint.load(
        output / UNFINISHED, lambda candidate: candidate.find_mismatch(nlp) if candidate.run == current else ""
    )
    messages, kept = list(loaded.damaged), loaded.checkpoint
    if kept is None:
        return None, [*messages, "The interrupted run left no checkpoint to resume from: training restarts"]
    changed = [name for name in current if kept.run.get(name) != current[name]]
    if changed:
        why = f"changed since: {', '.join(changed)}"
        return None, [*messages, f"Cannot resume the interrupted run ({why}): training restarts"]
    return kept, [*messages, f"Resuming the interrupted run after step {kept.progress.step}"]


def identify(config: Config) -> dict[str, str]:
    """Identify a run by checksums or versions of its config, its data, its encoder and the code.

    config: interpolated.
    """
    identity = {"the config": json.dumps(config, sort_keys=True, default=str)}
    for name in ("train", "dev"):
        path = Path(config["paths"][name])
        identity[str(path)] = sha256(path) if path.is_file() else ""
    identity |= {str(path): sha256(path) for path in silver_files(config)}
    name = config["components"].get("transformer", {}).get("model", {}).get("name", "")
    encoder = Path(name) if name else None
    for path in sorted(encoder.iterdir()) if encoder and encoder.is_dir() else ():
        if path.is_file():
            identity[str(path)] = sha256(path)
    code = sorted(PACKAGE.rglob("*.py"))
    identity["the code of domain-ner"] = hashlib.sha256("".join(map(sha256, code)).encode()).hexdigest()
    return identity | {f"the version of {name}": _version(name) for name in PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return ""


@contextmanager
def _logged(nlp: Language, training: Training) -> Iterator[Any]:
    """Yield the logger of the [training] block; it is closed in any case."""
    with nlp.select_pipes(disable=training.block["frozen_components"]):
        log, finish = training.block["logger"](nlp, sys.stdout, sys.stderr)
    try:
        yield log
    finally:
        finish()


def _save(nlp: Language, training: Training, place: Path) -> None:
    with nlp.use_params(training.optimizer.averages or {}):
        save(training.before_to_disk(nlp), place)
