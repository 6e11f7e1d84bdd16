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
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.serving.found import Found

READY, FAILED = "ready", "failed"
ENDED = "the process ended"
GRACE_S = 10.0


class PredictorProcess:
    """A process that has loaded a pipeline. Called from one thread at a time.

    pipeline: an installed package, or a folder. threads: of the process.
    """

    def __init__(self, pipeline: str, threads: int) -> None:
        self._pipeline, self._threads = pipeline, threads
        self._process: Any = None
        self._connection: Any = None

    def start(self) -> dict[str, Any]:
        """Start it, and return what it says of the pipeline (`pipeline.describe`).

        Raises DomainNerError when the pipeline cannot be loaded.
        """
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(self._pipeline, self._threads, theirs), name="domain-ner predict", daemon=True
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


def _work(pipeline: str, threads: int, connection: Connection) -> None:
    """Answer texts until the connection is closed."""
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
    with suppress(EOFError, OSError):
        connection.send((READY, description))
        while True:
            connection.send(predictor(connection.recv()))
