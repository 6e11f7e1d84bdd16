"""Trains the pipeline of a config on other documents than its own, such as parts of a corpus."""

from collections.abc import Callable, Sequence
from pathlib import Path

from spacy.tokens import Doc

from domain_ner.corpus.docs import to_docbin
from domain_ner.corpus.languages import blank
from domain_ner.files import atomic_path, discard
from domain_ner.training.config import epoch_lengths, replan
from domain_ner.training.run import BEST, LAST, find_interrupted, forget, initialize, read_config, train
from domain_ner.training.seeds import SeedRun, finish, finished, seed_folder
from domain_ner.training.silver import NAME, NO_SILVER, Silver

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
    silver: Silver | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Path, SeedRun]:
    """Train on documents, with early stopping on others; returns the folder of the best pipeline, and its run.

    config: as create-config writes it. folder: for the corpora and the pipelines. gpu: -1 for the CPU.
    epochs: maximum; 0 for that of the config. silver: passages to learn beside the documents, none by default; the
    config must be made with some. say: receives messages on resuming, and on damage.
    Only the best pipeline is kept. A finished training of the same documents is not repeated, and an interrupted one
    is resumed.
    """
    paths = {"train": folder / "train.spacy", "dev": folder / "dev.spacy"}
    for name, corpus in (("train", docs), ("dev", dev)):
        with atomic_path(paths[name]) as temporary:
            to_docbin(corpus).to_disk(temporary)
    base = read_config(config, {}).interpolate()
    reader = base["corpora"]["train"]
    changed = (silver or NO_SILVER).settings() if reader.get("@readers") == NAME else {}
    lengths = epoch_lengths({**reader, **changed}, docs, blank(base["nlp"]["lang"]).vocab)
    overrides = replan(base, lengths, epochs=epochs or base["training"]["max_epochs"])
    overrides |= {f"corpora.train.{name}": value for name, value in changed.items()}
    overrides |= {f"paths.{name}": str(path) for name, path in paths.items()}
    nlp = initialize(config, gpu=gpu, seed=seed, overrides=overrides, warns=False)
    run = finished(nlp, folder, seed, parts=(BEST,), say=say)
    if run is None:
        run_folder = seed_folder(folder, seed)
        checkpoint, messages = find_interrupted(nlp, run_folder)
        for line in messages:
            say(line)
        run = finish(nlp, folder, seed, train(nlp, run_folder, gpu=gpu, checkpoint_s=CHECKPOINT_S, resume=checkpoint))
        discard(run_folder / LAST)
        forget(run_folder)
    return run.folder / BEST, run
