"""Runs spaCy's training loop so that the last good pipeline is never lost."""

import shutil
import sys
from pathlib import Path

from spacy.language import Language
from spacy.training.initialize import init_nlp
from spacy.training.loop import DIR_MODEL_BEST, DIR_MODEL_LAST
from spacy.training.loop import train as train_nlp
from spacy.util import load_config

from domain_ner.errors import DomainNerError
from domain_ner.training.reached import Reached, watch

UNFINISHED = "unfinished"


def initialize(config_path: Path, *, gpu: int) -> Language:
    """The untrained pipeline of a config, its labels read from the training data and its encoder loaded.

    gpu: -1 for the CPU. Raises DomainNerError when there is no config.
    """
    if not config_path.is_file():
        raise DomainNerError(f"There is no training config {config_path}.", "Run create-config first.")
    return init_nlp(load_config(config_path, interpolate=False), use_gpu=gpu)


def train(nlp: Language, output: Path, *, gpu: int) -> tuple[Path, Reached]:
    """Train with early stopping; returns the folder of the best pipeline, `output`/model-best, and what it was taught.

    Works in `output`/unfinished, and puts model-best and model-last in the place of the former ones at the end.
    Whatever stops it before leaves those as they were, and the best so far in `output`/unfinished/model-best.
    """
    unfinished = output / UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    reached = watch(nlp)
    train_nlp(nlp, unfinished, use_gpu=gpu, stdout=sys.stdout, stderr=sys.stderr)
    for name in (DIR_MODEL_LAST, DIR_MODEL_BEST):
        _take_place(unfinished / name, output / name)
    shutil.rmtree(unfinished, ignore_errors=True)
    return output / DIR_MODEL_BEST, reached


def _take_place(new: Path, place: Path) -> None:
    """Move a folder to `place`. The former one is removed only after it, so that there is one at any moment but one."""
    former = new.with_name(f"{new.name}.former")
    if place.exists():
        place.rename(former)
    new.rename(place)
    shutil.rmtree(former, ignore_errors=True)
