"""Times a pipeline on texts, in this process; `deployment.py` starts it with the Python that has what it needs.

It imports nothing of domain-ner: an earlier build, or none, may be installed there.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Any

# Batch sizes that Hugging Face's pipeline may choose from: each is timed, and the best counts.
HF_BATCHES = (1, 8, 32)
WARM_UP = 20
Predict = Callable[[Sequence[str]], object]


def load_spacy(path: str) -> tuple[dict[str, Predict], Predict]:
    """A folder that `spacy.load` takes: ways to predict many texts by name, and the way to predict one."""
    import spacy  # noqa: PLC0415 (its import is timed)

    nlp = spacy.load(path)
    return {"": lambda texts: list(nlp.pipe(texts))}, lambda texts: nlp(texts[0])


def load_transformers(path: str) -> tuple[dict[str, Predict], Predict]:
    """A token classifier of transformers, in the pipeline that its users call."""
    from transformers import pipeline  # noqa: PLC0415 (its import is timed)

    recognise: Any = pipeline("token-classification", model=path, aggregation_strategy="simple", device="cpu")

    def in_batches(size: int) -> Predict:
        return lambda texts: list(recognise(list(texts), batch_size=size))

    return {f"batch_size={size}": in_batches(size) for size in HF_BATCHES}, lambda texts: recognise(texts[0])


LOADERS = {"spacy": load_spacy, "transformers": load_transformers}


def measure(kind: str, path: str, texts: Sequence[str], n_single: int) -> dict[str, object]:
    """Seconds for all texts by way of predicting; milliseconds for each of `n_single` texts; start and memory."""
    begun = perf_counter()
    ways, one = LOADERS[kind](path)
    one(texts[:1])
    start_s = perf_counter() - begun
    one_ms = []
    for text in islice(cycle(texts), WARM_UP):
        one([text])
    for text in texts[:n_single]:
        begun = perf_counter()
        one([text])
        one_ms.append(1000 * (perf_counter() - begun))
    batch_s = {}
    for name, predict in ways.items():
        predict(texts[:WARM_UP])
        begun = perf_counter()
        predict(texts)
        batch_s[name] = perf_counter() - begun
    return {"start_s": start_s, "one_ms": one_ms, "batch_s": batch_s, "memory_mb": peak_memory_mb()}


def peak_memory_mb() -> float:
    """The largest resident memory of this process (VmHWM); 0 where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.is_file() else []
    return sum(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    task = json.loads(sys.stdin.read())
    n_threads = task.pop("threads")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n_threads])
    print(json.dumps(measure(**task)))
