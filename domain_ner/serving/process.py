"""Predicts in a process of its own, so that neither requests nor predictions wait for the other's Python.

A text that ends its process (memory, a crash) costs only itself: the process is started again, and the texts of its
batch are predicted alone.
"""

import atexit
import multiprocessing
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.processes import end_with_parent
from domain_ner.serving.found import Found

READY, FAILED = "ready", "failed"
ENDED = "the process ended"
GRACE_S = 10.0


class PredictorProcess:
    """A process that has loaded a pipeline. Called from one thread at a time.

    pipeline: an installed package, or a folder. threads: of the process. is_background: it runs when no other process
    wants the processor, and is the first to end when memory is short.
    """

    def __init__(self, pipeline: str, threads: int, *, is_background: bool = False) -> None:
        self._pipeline, self._threads, self._is_background = pipeline, threads, is_background
        self._process: Any = None
        self._connection: Any = None

    def start(self) -> dict[str, Any]:
        """Start it, and return what it says of the pipeline (`pipeline.describe`).

        Raises DomainNerError when the pipeline cannot be loaded.
        """
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_work,
            args=(self._pipeline, self._threads, self._is_background, theirs),
            name="domain-ner predict",
            daemon=True,
        )
        self._process.start()
        # A process that ends without `close` would wait for this one, which ignores SIGTERM.
        atexit.register(self._process.kill)
        theirs.close()
        try:
            message, value = self._connection.recv()
        except EOFError:
            self.close()
            raise DomainNerError(
                f"The process that loads {self._pipeline} ended.", "It may need more memory, or fewer workers."
            ) from None
        if message == FAILED:
            self.close()
            raise DomainNerError(value)
        return dict(value)

    @property
    def is_running(self) -> bool:
        """Whether the process runs. It is started again with the next texts."""
        return self._process is not None and bool(self._process.is_alive())

    def __call__(self, texts: Sequence[str]) -> list[Found]:
        """Return what each text holds. Raises DomainNerError when the process cannot be started again."""
        found = self._ask(list(texts))
        if found is not None:
            return found
        alone = [self._ask([text]) for text in texts]
        return [Found(error=ENDED) if one is None else one[0] for one in alone]

    def kill(self) -> None:
        """End the process at once, from any thread; who waits for its answer gets none."""
        with suppress(AttributeError, ValueError, OSError):  # not started, or closed meanwhile
            self._process.kill()

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        with suppress(OSError):
            self._connection.close()
        self._process.join(GRACE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        atexit.unregister(self._process.kill)
        self._process = None

    def _ask(self, texts: list[str]) -> list[Found] | None:
        """What the process answers; None if these texts ended it."""
        if not self.is_running:  # also when it ended while it had nothing to do
            self.close()
            self.start()
        try:
            self._connection.send(texts)
            answer: list[Found] = self._connection.recv()
        except (EOFError, OSError):
            self.close()
            return None
        return answer


def _work(pipeline: str, threads: int, is_background: bool, connection: Connection) -> None:
    """Answer texts until the connection is closed."""
    end_with_parent()
    if is_background:
        _run_last()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service ends this process when its requests are answered
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # read when NumPy and onnxruntime are imported
    from domain_ner.serving.pipeline import load  # noqa: PLC0415

    try:
        predictor, description = load(pipeline)
    except DomainNerError as err:
        with suppress(OSError):
            connection.send((FAILED, str(err)))
        return
    if is_background:
        _run_when_idle()
    with suppress(EOFError, OSError):
        connection.send((READY, description))
        while True:
            connection.send(predictor(connection.recv()))


def _run_last() -> None:
    """Give way to other processes, and be the first to end when memory is short (Linux)."""
    with suppress(OSError, AttributeError):
        os.nice(19)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _run_when_idle() -> None:
    """Take the processor only while no other process wants it (Linux). Not for loading, which might then never end."""
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
