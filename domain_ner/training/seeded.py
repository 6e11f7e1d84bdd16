"""Trains from one seed or from several, each from where it was interrupted, and writes what became of it."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacy.language import Language

from domain_ner.files import write_text
from domain_ner.training.run import BEST, UNFINISHED, TrainingResult, find_interrupted, forget, initialize, train
from domain_ner.training.seeds import SeedRun, finish, finished, keep_best, seed_folder, to_json

# Within it a training can be stopped; takes what says what is kept then.
Stoppable = Callable[[Callable[[], str]], AbstractContextManager[None]]


@dataclass(frozen=True)
class TrainingOptions:
    """gpu: its number, or -1. resume: go on with an interrupted run of the same. checkpoint_s: seconds between two.

    stoppable: receives what a stopped training leaves. say: receives what becomes of an interrupted run.
    """

    gpu: int
    resume: bool
    checkpoint_s: float
    stoppable: Stoppable
    say: Callable[[str], None]


@dataclass(frozen=True)
class SeedsResult:
    """coverage: counts as in `reached.json`. runs: of several seeds, each; best: the one that is kept."""

    coverage: dict[str, int]
    runs: tuple[SeedRun, ...] = ()
    best: SeedRun | None = None


def train_seeds(config: Path, output: Path, seeds: range, options: TrainingOptions) -> SeedsResult:
    """Train into `output`/model-best and model-last, and write `output`/reports.

    config: as create-config writes it. seeds: from more than one, the best on dev is kept; of one alone the config says
    which.
    """
    reports = output / "reports"
    if len(seeds) == 1:
        trained = train_one(initialize(config, gpu=options.gpu, warns=False), output, output / BEST, options)
        outcome, log = SeedsResult(trained.coverage.to_json()), trained.log
        (reports / "seeds.json").unlink(missing_ok=True)
    else:
        runs = tuple(_train_seed(config, output, seed, options) for seed in seeds)
        best = keep_best(output, runs)
        outcome, log = SeedsResult(best.coverage, runs, best), best.log
        write_text(reports / "seeds.json", json.dumps(to_json(runs), indent=1) + "\n")
    write_text(reports / "reached.json", json.dumps(outcome.coverage, indent=1) + "\n")
    write_text(reports / "training.jsonl", "".join(json.dumps(row) + "\n" for row in log))
    forget(output)
    return outcome


def _train_seed(config: Path, output: Path, seed: int, options: TrainingOptions) -> SeedRun:
    folder = seed_folder(output, seed)
    nlp = initialize(config, gpu=options.gpu, seed=seed, warns=False)
    before = finished(nlp, output, seed, say=options.say) if options.resume else None
    options.say(f"seed {seed}: {'trained before' if before else 'training'}")
    run = before or finish(nlp, output, seed, train_one(nlp, folder, output / BEST, options))
    forget(folder)
    return run


def train_one(nlp: Language, folder: Path, kept: Path, options: TrainingOptions) -> TrainingResult:
    """Train into a folder, from where an interrupted run was if there is one. kept: what stays as it is until then."""
    checkpoint, messages = find_interrupted(nlp, folder) if options.resume else (None, [])
    for message in messages:
        options.say(message)
    with options.stoppable(lambda: _left_by(folder, kept)):
        return train(nlp, folder, gpu=options.gpu, checkpoint_s=options.checkpoint_s, resume=checkpoint)


def _left_by(folder: Path, kept: Path) -> str:
    """What a training that is stopped leaves behind."""
    best = folder / UNFINISHED / BEST
    so_far = f"the best so far is in {best}" if best.is_dir() else "no pipeline was evaluated yet"
    return f"{kept} is {'as it was' if kept.is_dir() else 'not made yet'}; {so_far}."


def first_seed(nlp: Language) -> int:
    """The seed of a pipeline's config."""
    seed: Any = nlp.config.interpolate()["training"]["seed"]
    return int(seed or 0)
