"""Trains the pipeline of a config on documents other than its own: on parts of a corpus, one after the other."""

from collections.abc import Callable, Sequence
from pathlib import Path

from spacy.tokens import Doc

from domain_ner.corpus.docs import to_docbin
from domain_ner.files import atomic_path, discard
from domain_ner.training.config import replan
from domain_ner.training.oversampling import repeated_lengths
from domain_ner.training.run import BEST, LAST, forget, initialize, interrupted, read_config, train
from domain_ner.training.seeds import SeedRun, finish, finished, seed_folder

CHECKPOINT_S = 60.0


def train_part(  # noqa: PLR0913
    config: Path,
    docs: Sequence[Doc],
    dev: Sequence[Doc],
    folder: Path,
    *,
    gpu: int,
    seed: int,
    epochs: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Path, SeedRun]:
    """Train on documents, with early stopping on others; gives the folder of the best pipeline, and how it went.

    config: as create-config writes it. folder: for the corpora and the pipelines. gpu: -1 for the CPU.
    epochs: at most; 0 for those of the config. say: told where an interrupted one goes on, and what is damaged.
    Only the best pipeline is kept. A training of the same documents that ended is not run again, and one that was
    interrupted goes on.
    """
    paths = {"train": folder / "train.spacy", "dev": folder / "dev.spacy"}
    for name, some in (("train", docs), ("dev", dev)):
        with atomic_path(paths[name]) as temporary:
            to_docbin(some).to_disk(temporary)
    given = read_config(config, {}).interpolate()
    oversampled = given["corpora"]["train"]
    lengths = repeated_lengths(docs, threshold=oversampled.get("threshold", 0.0), seed=oversampled.get("seed", 0))
    overrides = replan(given, lengths, epochs=epochs or given["training"]["max_epochs"])
    overrides |= {f"paths.{name}": str(path) for name, path in paths.items()}
    nlp = initialize(config, gpu=gpu, seed=seed, overrides=overrides, warns=False)
    run = finished(nlp, folder, seed, parts=(BEST,), say=say)
    if run is None:
        place = seed_folder(folder, seed)
        checkpoint, told = interrupted(nlp, place)
        for line in told:
            say(line)
        run = finish(nlp, folder, seed, train(nlp, place, gpu=gpu, checkpoint_s=CHECKPOINT_S, resume=checkpoint))
        discard(place / LAST)
        forget(place)
    return run.folder / BEST, run
