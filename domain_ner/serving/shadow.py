"""Predicts with a second pipeline what the service has answered, and counts where the two differ. Knows no HTTP.

It never delays an answer: it gets a text when the answer is known, runs in a process of the lowest priority, and drops
texts when it is behind. What goes wrong there is counted and logged, and changes no answer.
"""

import logging
import math
import random
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from domain_ner.annotating.jobs import label_of
from domain_ner.errors import DomainNerError
from domain_ner.serving.batching import n_wordpieces
from domain_ner.serving.found import Entity, Found
from domain_ner.serving.metrics import Metrics
from domain_ner.serving.process import PredictorProcess

logger = logging.getLogger("domain_ner.serving")

LOADING, RUNNING, FAILED = "loading", "running", "failed"
BOTH, SERVED, SHADOW = "both", "served", "shadow"
# Seconds until it is tried again to load a pipeline that could not be loaded, and after which a batch has hung.
RETRY_S, STUCK_S = 60.0, 600.0


class Process(Protocol):
    """A process that predicts, as `PredictorProcess`."""

    def start(self) -> dict[str, Any]:
        """Load the pipeline; returns what `pipeline.describe` says of it."""

    def __call__(self, texts: Sequence[str]) -> list[Found]:
        """Return what each text holds."""

    def kill(self) -> None:
        """End it at once."""

    def close(self) -> None:
        """End it."""


class Shadow:
    """A second pipeline. pipeline: an installed package, or a folder. share: of the texts to compare, 0..1.

    max_queued: wordpieces that wait at most, by estimate; further texts are dropped. max_wordpieces: of a batch.
    process: predicts; by default a process of the lowest priority with one thread.
    """

    def __init__(  # noqa: PLR0913
        self,
        pipeline: str,
        metrics: Metrics,
        *,
        share: float,
        max_queued: int,
        max_wordpieces: int,
        process: Process | None = None,
    ) -> None:
        self._pipeline, self._metrics, self._share = pipeline, metrics, share
        self._max_queued, self._max_wordpieces = max_queued, max_wordpieces
        self._process = process or PredictorProcess(pipeline, 1, is_background=True)
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, Found]] = deque()
        self._n_queued = 0
        self._is_closed = False
        self._state, self._name = LOADING, pipeline
        self._busy_since = math.inf
        self._thread = threading.Thread(target=self._run, name="domain-ner shadow", daemon=True)

    def start(self) -> None:
        """Load the pipeline and begin to compare, in a thread: the service does not wait."""
        self._thread.start()

    @property
    def description(self) -> dict[str, Any]:
        """As `GET /v1/model` answers it: the pipeline, its state, and the share of the texts."""
        return {"pipeline": self._name, "state": self._state, "share": self._share}

    def offer(self, texts: Sequence[str], found: Sequence[Found]) -> None:
        """Take texts to compare, and what the service answers; returns at once. Drops them when it is behind."""
        chosen = [pair for pair in zip(texts, found, strict=True) if random.random() < self._share]
        n_dropped = 0
        with self._changed:
            for text, answer in chosen:
                cost = n_wordpieces(text)
                if self._is_closed or self._state == FAILED or self._n_queued + cost > self._max_queued:
                    n_dropped += 1
                    continue
                self._waiting.append((text, answer))
                self._n_queued += cost
            self._changed.notify()
        self._metrics.shadow_dropped.inc(n_dropped)
        if time.monotonic() - self._busy_since > STUCK_S:
            self._process.kill()

    def close(self) -> None:
        """End at once; what waits is dropped."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
        self._process.kill()
        while self._thread.is_alive():  # it may be starting the process at this moment
            self._thread.join(0.1)
            self._process.kill()
        self._process.close()

    def _run(self) -> None:
        while not self._is_closed:
            try:
                self._load()
                while batch := self._next():
                    self._compare(batch)
            except Exception as err:  # a message may quote a text, unless it is ours
                self._fail(err)

    def _load(self) -> None:
        self._busy_since = time.monotonic()
        identity = self._process.start()
        self._busy_since = math.inf
        self._name = label_of(identity)
        self._set(RUNNING)
        self._metrics.shadow_pipeline.clear()
        self._metrics.shadow_pipeline.labels(identity["name"], identity["version"], identity["sha256"]).set(1)
        logger.info("shadow", extra={"values": {"pipeline": self._name, "state": RUNNING}})

    def _next(self) -> list[tuple[str, Found]]:
        """Wait for texts, and take a batch; empty when all ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            batch: list[tuple[str, Found]] = []
            n_taken = 0
            while self._waiting and (not batch or n_taken + n_wordpieces(self._waiting[0][0]) <= self._max_wordpieces):
                batch.append(self._waiting.popleft())
                n_taken += n_wordpieces(batch[-1][0])
            self._n_queued -= n_taken
        return batch

    def _compare(self, batch: Sequence[tuple[str, Found]]) -> None:
        self._busy_since = time.monotonic()
        others = self._process([text for text, _ in batch])
        self._busy_since = math.inf
        for (_, served), other in zip(batch, others, strict=True):
            if served.error or other.error:
                self._metrics.shadow_failed.inc()
            else:
                self._count(set(_places(served.entities)), set(_places(other.entities)))

    def _count(self, served: set[tuple[int, int, str]], other: set[tuple[int, int, str]]) -> None:
        self._metrics.shadow_texts.inc()
        self._metrics.shadow_different.inc(served != other)
        for found_by, entities in ((BOTH, served & other), (SERVED, served - other), (SHADOW, other - served)):
            for _, _, label in entities:
                self._metrics.shadow_entities.labels(found_by, label).inc()

    def _fail(self, err: Exception) -> None:
        """Drop what waits, and wait before the next try."""
        self._busy_since = math.inf
        self._process.kill()
        self._process.close()
        with self._changed:
            self._state = FAILED
            n_dropped, self._n_queued = len(self._waiting), 0
            self._waiting.clear()
        self._metrics.shadow_running.set(0)
        self._metrics.shadow_dropped.inc(n_dropped)
        if not self._is_closed:
            told = str(err) if isinstance(err, DomainNerError) else type(err).__name__
            logger.error("shadow", extra={"values": {"pipeline": self._pipeline, "state": FAILED, "error": told}})
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed, RETRY_S)

    def _set(self, state: str) -> None:
        with self._changed:
            self._state = state
        self._metrics.shadow_running.set(state == RUNNING)


def _places(entities: Iterable[Entity]) -> Iterable[tuple[int, int, str]]:
    return ((entity.start, entity.end, entity.label) for entity in entities)
