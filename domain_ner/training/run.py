"""Runs a training to its end, from the start or from where it was interrupted; no good pipeline is ever lost."""

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
from timeit import default_timer
from types import MappingProxyType
from typing import Any

from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.util import load_config, logger
from thinc.api import Config, fix_random_seed, set_gpu_allocator

from domain_ner.corpus.damage import require_whole
from domain_ner.devices import TORCH
from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path, discard, sha256
from domain_ner.training import checkpoint
from domain_ner.training.checkpoint import Checkpoint, Progress
from domain_ner.training.loop import Training, resolve, run_steps
from domain_ner.training.reached import Reached
from domain_ner.training.saving import save

UNFINISHED = "unfinished"
BEST, LAST = checkpoint.BEST, "model-last"
PACKAGE = Path(__file__).parents[1]
SECTIONS = ("paths", "system", "nlp", "components", "corpora", "training", "initialize")
PACKAGES = ("domain-ner", "spacy", "spacy-transformers", "thinc", "torch", "transformers")


@dataclass(frozen=True)
class Trained:
    """best: folder of the best pipeline. reached: what it was taught. log: a row for each evaluation.
    resumed_at: the step at which an interrupted run was taken up, or 0.
    """

    best: Path
    reached: Reached
    log: list[dict[str, Any]]
    resumed_at: int


def read_config(path: Path, overrides: Mapping[str, Any]) -> Config:
    """A training config, with values in the place of its own. Raises DomainNerError when it is missing or damaged."""
    if not path.is_file():
        raise DomainNerError(f"There is no training config {path}.", "Run create-config first.")
    try:
        config = load_config(path, overrides=dict(overrides), interpolate=False)
    except ValueError as err:
        raise DomainNerError(f"The training config {path} cannot be read: {err}", "Run create-config again.") from err
    # spaCy would fill in defaults for what is cut off.
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
    """The untrained pipeline of a config, its labels read from the training data and its encoder loaded.

    gpu: -1 for the CPU. seed: in the place of the config's; overrides: of other values, by section and name with dots.
    warns: of what the training data lacks; once is enough.
    Raises DomainNerError when there is no config, and for a corpus that is missing or damaged.
    """
    seeded = {} if seed is None else {"system.seed": seed, "training.seed": seed}
    config = read_config(config_path, {**overrides, **seeded})
    for path in _corpora(config):
        if path.suffix == ".spacy":
            require_whole(path)
    level = logger.level
    logger.setLevel(level if warns else logging.ERROR)
    try:
        nlp = init_nlp(config, use_gpu=gpu)
    finally:
        logger.setLevel(level)
    requirements = nlp.meta.setdefault("requirements", [])
    if "transformer" in nlp.pipe_names and TORCH not in requirements:  # spacy-transformers would take any PyTorch
        requirements.append(TORCH)
    return nlp


def corpora(config_path: Path) -> list[Path]:
    """The files that a config trains and stops by. Raises DomainNerError when there is no config."""
    return _corpora(read_config(config_path, {}))


def _corpora(config: Config) -> list[Path]:
    return [Path(config["paths"][name]) for name in ("train", "dev") if config["paths"][name]]


def train(nlp: Language, output: Path, *, gpu: int, checkpoint_s: float, resume: Checkpoint | None = None) -> Trained:
    """Train with early stopping; the best pipeline goes into `output`/model-best, the last into `output`/model-last.

    checkpoint_s: seconds of training between two checkpoints: what a power cut can cost. resume: of `interrupted`.
    Works in `output`/unfinished, and puts the two in the place of the former ones at the end. Whatever stops it before
    leaves those as they were, the best so far in `output`/unfinished/model-best, and a checkpoint to go on from. What
    is in `output`/unfinished stays until `forget`: until all that the caller writes of the training is on the disk.
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
    training, progress, reached = resolve(nlp), Progress(), Reached()
    if resume is not None:
        resume.restore(nlp, training.optimizer)
        progress = resume.progress
        resume.restore_best(unfinished / BEST)
        checkpoint.remove_later(unfinished, progress.step)
    resumed_at, saved = progress.step, default_timer()
    with _logged(nlp, training) as log:
        for info in run_steps(nlp, training, progress, on_batch=reached.add):
            if info is not None and progress.best[1] == info["step"]:
                _save(nlp, training, unfinished / BEST)
            log(info)
            if info is not None or default_timer() - saved > checkpoint_s:
                checkpoint.save(unfinished, run, progress, nlp, training.optimizer, best=unfinished / BEST)
                saved = default_timer()
    _save(nlp, training, unfinished / LAST)
    for name in (LAST, BEST):
        with atomic_path(output / name) as new:
            shutil.copytree(unfinished / name, new)
    return Trained(output / BEST, reached, progress.rows, resumed_at)


def forget(output: Path) -> None:
    """Remove what an unfinished run left."""
    discard(output / UNFINISHED)


def interrupted(nlp: Language, output: Path) -> tuple[Checkpoint | None, list[str]]:
    """The checkpoint of a run of this very pipeline that was interrupted, if there is one to go on from; and what there
    is to tell of it, a line each: what is damaged, and whether training goes on or starts anew.
    """
    if not (output / UNFINISHED).is_dir():
        return None, []
    now = identify(nlp.config.interpolate())
    found = checkpoint.load(output / UNFINISHED, lambda one: one.find_misfit(nlp) if one.run == now else "")
    told, kept = list(found.damaged), found.checkpoint
    if kept is None:
        return None, [*told, "an interrupted run left no checkpoint to go on from: training starts anew"]
    other = [name for name in now if kept.run.get(name) != now[name]]
    if other:
        why = f"changed since: {', '.join(other)}"
        return None, [*told, f"an interrupted run cannot be gone on with ({why}): training starts anew"]
    return kept, [*told, f"going on after step {kept.progress.step}, where an interrupted run was"]


def identify(config: Config) -> dict[str, str]:
    """What makes a run what it is: its config, its data, its encoder and the code, by checksum or version.

    config: interpolated.
    """
    found = {"the config": json.dumps(config, sort_keys=True, default=str)}
    for name in ("train", "dev"):
        path = Path(config["paths"][name])
        found[str(path)] = sha256(path) if path.is_file() else ""
    name = config["components"].get("transformer", {}).get("model", {}).get("name", "")
    encoder = Path(name) if name else None
    for path in sorted(encoder.iterdir()) if encoder and encoder.is_dir() else ():
        if path.is_file():
            found[str(path)] = sha256(path)
    code = sorted(PACKAGE.rglob("*.py"))
    found["the code of domain-ner"] = hashlib.sha256("".join(map(sha256, code)).encode()).hexdigest()
    return found | {f"the version of {name}": _version(name) for name in PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return ""


@contextmanager
def _logged(nlp: Language, training: Training) -> Iterator[Any]:
    """The logger of the [training] block; closed whatever happens."""
    with nlp.select_pipes(disable=training.block["frozen_components"]):
        log, finish = training.block["logger"](nlp, sys.stdout, sys.stderr)
    try:
        yield log
    finally:
        finish()


def _save(nlp: Language, training: Training, place: Path) -> None:
    with nlp.use_params(training.optimizer.averages or {}):
        save(training.before_to_disk(nlp), place)
