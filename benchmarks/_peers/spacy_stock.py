"""spaCy's own transformer pipeline, as `spacy init config --gpu --optimize accuracy` writes it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

from spacy.training import loop
from spacy.training.initialize import init_nlp
from spacy.util import load_config

from _peers.common import Clock, Task, Trained
from _peers.ours import predictor, write_corpus


def train(task: Task) -> Trained:
    """Train; the best checkpoint on dev predicts.

    Batches, schedule and evaluations are set to the task's: as written, eight epochs of a small corpus would end within
    the warm-up, before the first evaluation.
    """
    template = task.work / "template.cfg"
    command = [sys.executable, "-m", "spacy", "init", "config", str(template), "--lang", "en", "--pipeline", "ner"]
    subprocess.run([*command, "--gpu", "--optimize", "accuracy"], check=True, stdout=subprocess.DEVNULL)
    write_corpus(task)
    n_steps = ceil(len(task.read("train")) / task.batch)
    overrides = {
        "paths.train": str(task.work / "train.spacy"),
        "paths.dev": str(task.work / "dev.spacy"),
        "corpora.train.gold_preproc": True,
        "corpora.dev.gold_preproc": True,
        "components.transformer.model.name": str(task.encoder),
        "training.optimizer.learn_rate.initial_rate": task.learning_rate,
        "training.max_epochs": task.epochs,
        "training.max_steps": 0,
        "training.optimizer.learn_rate.warmup_steps": n_steps * task.epochs // 10,
        "training.optimizer.learn_rate.total_steps": n_steps * task.epochs,
        "training.eval_frequency": n_steps,
        "training.accumulate_gradient": 1,
        "training.seed": task.seed,
        "system.seed": task.seed,
    }
    config = load_config(template, overrides=overrides, interpolate=False)
    config["training"]["batcher"] = {"@batchers": "spacy.batch_by_sequence.v1", "size": task.batch}
    nlp = init_nlp(config, use_gpu=-1)
    clock, n_words = Clock(), [0]
    steps = loop.train_while_improving

    def counted(nlp: Any, optimizer: Any, data: Any, evaluate: Callable[[], Any], **options: Any) -> Iterator[Any]:
        def untimed() -> Any:
            clock.stop()
            found = evaluate()
            clock.start()
            return found

        clock.start()
        for batch, info, is_best in steps(nlp, optimizer, data, untimed, **options):
            clock.stop()
            n_words[0] = info["words"]
            yield batch, info, is_best
            clock.start()

    loop.train_while_improving = counted
    with (task.work / "log.txt").open("w") as log:
        loop.train(nlp, task.work, use_gpu=-1, stdout=log, stderr=log)
    predict = predictor(task.work / loop.DIR_MODEL_BEST)
    return Trained(predict, clock, n_words[0], {"share_of_data_seen": n_words[0] / task.n_words})
