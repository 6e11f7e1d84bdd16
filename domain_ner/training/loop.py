"""spaCy's training loop, made resumable at any step.

Follows `spacy.training.loop` (3.8) and takes the same [training] block. It differs in two points: an untrained pipeline
is not evaluated, and a separate generator shuffles the data, so that skipping learned batches reproduces the position.
"""

import gc
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from timeit import default_timer
from typing import Any

from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.training.loop import (
    create_before_to_disk_callback,
    create_evaluation_callback,
    subdivide_batch,
    update_meta,
)
from spacy.util import registry, resolve_dot_names
from thinc.api import Optimizer

from domain_ner.devices import one_blas_thread
from domain_ner.errors import DomainNerError
from domain_ner.training.checkpoint import Progress


@dataclass(frozen=True)
class Training:
    """The [training] block of a pipeline, resolved. evaluate: returns the dev score and all scores behind it."""

    block: dict[str, Any]
    optimizer: Optimizer
    batches: Callable[[], Iterator[tuple[int, list[Example]]]]
    evaluate: Callable[[], tuple[float, dict[str, Any]]]
    before_to_disk: Callable[[Language], Language]


def resolve(nlp: Language) -> Training:
    """Create the objects that the [training] block names."""
    config = nlp.config.interpolate()
    block = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    train_corpus, dev_corpus = resolve_dot_names(config, [block["train_corpus"], block["dev_corpus"]])

    def batches() -> Iterator[tuple[int, list[Example]]]:
        return train_batches(
            lambda: train_corpus(nlp), block["batcher"], max_epochs=block["max_epochs"], seed=block["seed"] or 0
        )

    evaluate = create_evaluation_callback(nlp, dev_corpus, block["score_weights"])
    return Training(
        block, block["optimizer"], batches, evaluate, create_before_to_disk_callback(block["before_to_disk"])
    )


def train_batches(
    corpus: Callable[[], Iterable[Example]],
    batcher: Callable[[Iterable[Example]], Iterable[list[Example]]],
    *,
    max_epochs: int,
    seed: int,
) -> Iterator[tuple[int, list[Example]]]:
    """Yield batches with the number of their epoch, shuffled anew for each epoch.

    max_epochs: 0 for no end; -1 for no end and a streamed corpus, which is not shuffled.
    Raises DomainNerError when the corpus is empty.
    """
    rng = random.Random(seed)
    examples: Iterable[Example] = list(corpus()) if max_epochs >= 0 else corpus()
    if isinstance(examples, list) and not examples:
        raise DomainNerError("The training corpus has no passages.", "Add annotations and run convert again.")
    gc.freeze()  # the corpus stays in memory: garbage collection need not scan it again and again
    epoch = 0
    while max_epochs < 1 or epoch != max_epochs:
        if isinstance(examples, list):
            rng.shuffle(examples)
        for batch in batcher(examples):
            yield epoch, list(batch)
        epoch += 1
        examples = examples if isinstance(examples, list) else corpus()


def run_steps(
    nlp: Language, training: Training, progress: Progress, *, on_batch: Callable[[list[Example]], None]
) -> Iterator[dict[str, Any] | None]:
    """Continue training from `progress`, which is updated after each step.

    on_batch: called with every batch, including those learned before.
    Yields after each step: the information for spaCy's loggers after an evaluation, else None. Ends early when the dev
    score has not improved for `patience` steps.
    """
    with one_blas_thread():  # PyTorch's threads and those of NumPy's would wait for each other
        yield from _run_steps(nlp, training, progress, on_batch)


def _run_steps(
    nlp: Language, training: Training, progress: Progress, on_batch: Callable[[list[Example]], None]
) -> Iterator[dict[str, Any] | None]:
    block = training.block
    begun = default_timer() - progress.seconds
    dropouts = repeat(block["dropout"]) if isinstance(block["dropout"], float) else block["dropout"]
    for step, ((epoch, batch), dropout) in enumerate(zip(training.batches(), dropouts, strict=False)):
        on_batch(batch)
        if step < progress.step:
            continue
        if progress.is_finished:
            return
        if block["before_update"]:
            block["before_update"](nlp, {"step": step, "epoch": epoch})
        _learn(nlp, training, batch, dropout=dropout, losses=progress.losses)
        progress.step, progress.seconds = step + 1, default_timer() - begun
        progress.n_words += sum(len(example) for example in batch)
        is_last = bool(block["max_steps"]) and step >= block["max_steps"]
        if step == 0 or not (is_last or step % block["eval_frequency"] == 0):
            yield None
            continue
        info = _evaluate(nlp, training, progress, epoch=epoch)
        is_stalled = bool(block["patience"]) and step - progress.best[1] >= block["patience"]
        progress.is_finished = is_last or is_stalled
        yield info
    if progress.step and not progress.results:  # too few steps for an evaluation: evaluate at the end
        progress.is_finished = True
        yield _evaluate(nlp, training, progress, epoch=epoch)


def _learn(
    nlp: Language, training: Training, batch: list[Example], *, dropout: float, losses: dict[str, float]
) -> None:
    block = training.block
    pipe: Any
    n_parts = block["accumulate_gradient"]
    for _, pipe in nlp.pipeline:
        if hasattr(pipe, "n_batch"):  # so that the gradients of parts of any size sum to that of the whole batch
            pipe.n_batch = len(batch) if n_parts > 1 else None
    for part in subdivide_batch(batch, n_parts):
        nlp.update(
            part,
            drop=dropout,
            losses=losses,
            sgd=False,
            exclude=block["frozen_components"],
            annotates=block["annotating_components"],
        )
    for name, pipe in nlp.pipeline:
        if name not in block["frozen_components"] and getattr(pipe, "is_trainable", False):
            pipe.finish_update(training.optimizer)
    training.optimizer.step_schedules()


@contextmanager
def predict_as_trained(nlp: Language) -> Iterator[None]:
    """Predict in bfloat16 where a CPU trains in it: half the time, and as good for choosing the best step.

    Elsewhere a pipeline predicts in float32 on a CPU.
    """
    settings: list[dict[str, Any]] = [
        node.attrs for _, pipe in nlp.pipeline if isinstance(pipe, TrainablePipe) for node in pipe.model.walk()
    ]
    changed = [one for one in settings if one.get("cpu_bfloat16") and one.get("predict_dtype") == "auto"]
    if changed:
        from domain_ner.transformer.model import has_cpu_bfloat16  # noqa: PLC0415 (needs PyTorch)

        changed = changed if has_cpu_bfloat16() else []
    for one in changed:
        one["predict_dtype"] = "bfloat16"
    try:
        yield
    finally:
        for one in changed:
            one["predict_dtype"] = "auto"


def _evaluate(nlp: Language, training: Training, progress: Progress, *, epoch: int) -> dict[str, Any]:
    """Score on dev, with averaged weights if the optimizer keeps them, and store the scores in the pipeline's meta."""
    with nlp.use_params(training.optimizer.averages or {}), predict_as_trained(nlp):
        score, scores = training.evaluate()
    step = progress.step - 1
    progress.results.append((score, step))
    info = {
        "epoch": epoch,
        "step": step,
        "score": score,
        "other_scores": scores,
        "losses": dict(progress.losses),
        "checkpoints": list(progress.results),
        "seconds": int(progress.seconds),
        "words": progress.n_words,
    }
    with nlp.select_pipes(disable=training.block["frozen_components"]):
        update_meta(training.block, nlp, info)
    numbers = {name: value for name, value in scores.items() if isinstance(value, int | float)}
    row = {"epoch": epoch, "step": step, "score": score, "scores": numbers, "losses": info["losses"]}
    progress.rows.append(row | {"seconds": round(progress.seconds, 1), "words": progress.n_words})
    progress.losses = {}
    return info
