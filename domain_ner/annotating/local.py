"""Runs jobs in processes of this machine. Each loads the pipeline once; one that ends is replaced."""

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from domain_ner.annotating.jobs import Job, ShardResult
from domain_ner.errors import DomainNerError
from domain_ner.processes import end_with_parent

READY, DOCUMENTS, DONE, BUSY, FAILED = "ready", "documents", "done", "busy", "failed"
# Seconds until a process is asked to end by force, and between tries of a shard that another process holds.
GRACE, PAUSE = 5.0, 1.0
# So many processes in a row may end before they have loaded the pipeline.
MAX_UNLOADED = 3


def run_locally(
    jobs: Sequence[Job], n_processes: int, on_documents: Callable[[int, int], None]
) -> Iterator[ShardResult]:
    """Yield results as shards are done, in any order.

    on_documents: called with a shard's number and how many of its documents are done now.
    Raises DomainNerError when the pipeline cannot be loaded, or a shard cannot be read or written.
    """
    pool = _Pool(jobs, on_documents)
    try:
        yield from pool.run(min(n_processes, len(jobs)))
    finally:
        pool.close()


class _Process:
    """A process with a connection to it. job: the one it works at."""

    def __init__(self, pipeline: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(pipeline, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.is_ready = False
        self.job: Job | None = None

    def give(self, job: Job | None) -> None:
        self.job = job
        with suppress(OSError):  # it has just ended, which is seen next
            self.connection.send(job)


class _Pool:
    def __init__(self, jobs: Sequence[Job], on_documents: Callable[[int, int], None]) -> None:
        self._waiting = deque(jobs)
        self._pipeline = jobs[0].pipeline if jobs else ""
        self._processes: list[_Process] = []
        self._on_documents = on_documents
        self._n_done: dict[int, int] = {}
        self._n_unloaded = 0

    def run(self, n_processes: int) -> Iterator[ShardResult]:
        self._processes = [_Process(self._pipeline) for _ in range(n_processes)]
        while self._processes:
            ready = wait([one.connection for one in self._processes])
            for one in [one for one in self._processes if one.connection in ready]:
                try:
                    message, value = one.connection.recv()
                except (EOFError, OSError):
                    self._replace(one)
                    continue
                result = self._answer(one, message, value)
                if result is not None:
                    yield result

    def close(self) -> None:
        for one in self._processes:
            one.process.terminate()
        end = time.monotonic() + GRACE
        for one in self._processes:
            one.process.join(max(0.0, end - time.monotonic()))
            if one.process.is_alive():
                one.process.kill()
                one.process.join()
            one.connection.close()
        self._processes = []

    def _answer(self, one: _Process, message: str, value: Any) -> ShardResult | None:
        if message == DOCUMENTS and one.job:
            number = one.job.shard.number
            self._n_done[number] = self._n_done.get(number, 0) + value
            self._on_documents(number, self._n_done[number])
            return None
        if message == FAILED:
            raise DomainNerError(value)
        if message == READY:
            one.is_ready, self._n_unloaded = True, 0
        if message == BUSY and one.job:  # the process of a killed run still ends
            self._waiting.append(one.job)
            time.sleep(PAUSE)
        self._give_next(one)
        return value if message == DONE else None

    def _give_next(self, one: _Process) -> None:
        if self._waiting:
            job = self._waiting.popleft()
            self._n_done[job.shard.number] = 0
            one.give(job)
            return
        one.give(None)
        self._processes.remove(one)
        one.process.join()
        one.connection.close()

    def _replace(self, one: _Process) -> None:
        """Start another process for the shard of one that ended."""
        self._processes.remove(one)
        one.process.join()
        one.connection.close()
        if one.job is not None:
            self._waiting.appendleft(one.job)
        if not one.is_ready:
            self._n_unloaded += 1
        if self._n_unloaded > MAX_UNLOADED:
            raise DomainNerError(
                f"A process that loads {self._pipeline} ended {self._n_unloaded} times (exit code"
                f" {one.process.exitcode}).",
                "It may need more memory: try fewer processes.",
            )
        if self._waiting:
            self._processes.append(_Process(self._pipeline))


def _work(pipeline: str, connection: Connection) -> None:
    """Annotate the shards that come, until None comes or the parent is gone."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the parent ends this process
    # One thread a process: results then never depend on the number of processes. Read when these are imported.
    os.environ["OMP_NUM_THREADS"] = "1"
    from domain_ner.annotating.memory import FreshPipeline  # noqa: PLC0415
    from domain_ner.annotating.spool import BusyError  # noqa: PLC0415
    from domain_ner.annotating.worker import annotate_shard  # noqa: PLC0415
    from domain_ner.evaluation.predicting import load_pipeline  # noqa: PLC0415

    def on_documents(number: int) -> None:
        connection.send((DOCUMENTS, number))

    try:
        fresh = FreshPipeline(lambda: load_pipeline(pipeline))
        fresh.get()
        connection.send((READY, None))
        while (job := connection.recv()) is not None:
            try:
                connection.send((DONE, annotate_shard(fresh.get(), job, on_documents)))
            except BusyError:
                connection.send((BUSY, None))
    except DomainNerError as err:
        connection.send((FAILED, str(err)))
    except OSError as err:
        with suppress(OSError):  # the parent may be what is gone
            connection.send((FAILED, f"{err.strerror or err}: {err.filename or ''}".rstrip(": ")))
    except (EOFError, KeyboardInterrupt):
        pass
