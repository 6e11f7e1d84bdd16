"""Times a pipeline in a process of its own: loading, memory, batches, and one text at a time.

`time_in_turn` starts a process for each, which runs `measure_input`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from domain_ner.errors import DomainNerError
from domain_ner.evaluation.parity_schema import Timing

# The maximum of texts to time one at a time.
MAX_SINGLE = 50
# How often a process predicts them, and all texts in batches; the best counts.
N_REPEATS = 2
OMP = "OMP_NUM_THREADS"


def time_in_turn(
    pipelines: Sequence[Path], texts: Sequence[str], *, rounds: int, threads: int = 0, on_run: Callable[[], None]
) -> list[Timing]:
    """Time pipelines in turn, and give the best of each figure over all rounds: what disturbs only makes slower.

    pipelines: folders. threads: for OMP_NUM_THREADS; 0: as it is. on_run: called after each process.
    Raises DomainNerError when a process fails.
    """
    runs: list[list[Timing]] = [[] for _ in pipelines]
    for _ in range(rounds):
        for timings, pipeline in zip(runs, pipelines, strict=True):
            timings.append(_run(pipeline, texts, threads))
            on_run()
    return [_best(timings) for timings in runs]


def _run(pipeline: Path, texts: Sequence[str], threads: int) -> Timing:
    env = os.environ | ({OMP: str(threads)} if threads else {})
    given = json.dumps([str(pipeline), list(texts)])
    command = [sys.executable, "-c", "from domain_ner.evaluation.timing import measure_input; measure_input()"]
    ran = subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf8", env=env, check=False)
    if ran.returncode:
        raise DomainNerError(f"Cannot time {pipeline}:\n{ran.stderr.strip()}")
    return Timing.model_validate_json(ran.stdout.splitlines()[-1])


def _best(timings: Sequence[Timing]) -> Timing:
    fields = {name: [getattr(timing, name) for timing in timings] for name in Timing.model_fields}
    return Timing(**{name: max(values) if name.endswith("_per_s") else min(values) for name, values in fields.items()})


def measure(pipeline: str, texts: Sequence[str]) -> Timing:
    """Time a pipeline in this process, which must not have imported spaCy yet. texts: at least one."""
    begun = perf_counter()
    import spacy  # noqa: PLC0415 (its import is timed)

    from domain_ner.corpus.registries import factories_of  # noqa: PLC0415

    with factories_of(Path(pipeline)):  # as if no other package with factories were installed
        nlp = spacy.load(pipeline)
    list(nlp.pipe(texts[:1]))
    start_s = perf_counter() - begun
    list(nlp.pipe(texts[:20]))  # what is made at first use is not timed
    n_words, batch_s = 0, []
    for _ in range(N_REPEATS):
        begun = perf_counter()
        n_words = sum(len(doc) for doc in nlp.pipe(texts))
        batch_s.append(perf_counter() - begun)
    n_single, single_s = 0, []
    for text in texts[:MAX_SINGLE]:
        tries = []
        for _ in range(N_REPEATS):
            begun = perf_counter()
            doc = nlp(text)
            tries.append(perf_counter() - begun)
        n_single += len(doc)
        single_s.append(min(tries))
    seconds = sorted(single_s)
    return Timing(
        start_s=start_s,
        memory_mb=_peak_memory() / 1e6,
        batch_words_per_s=n_words / min(batch_s),
        single_words_per_s=n_single / sum(seconds),
        p50_ms=1000 * seconds[len(seconds) // 2],
        p99_ms=1000 * seconds[int(len(seconds) * 0.99)],
    )


def _peak_memory() -> int:
    """The largest resident memory of this process, in bytes; 0 where the system does not say."""
    status = Path("/proc/self/status")  # ru_maxrss would count the process that started this one
    if not status.is_file():
        return 0
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def measure_input() -> None:
    """Time the pipeline and the texts of standard input, JSON; write the result to standard output."""
    pipeline, texts = json.loads(sys.stdin.read())
    sys.stdout.write(measure(pipeline, texts).model_dump_json() + "\n")
