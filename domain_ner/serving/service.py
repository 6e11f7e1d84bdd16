"""What the routes share: the settings, the pipeline, the queue and the counters."""

import logging
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException, Request

from domain_ner.annotating.jobs import label_of
from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.threads import OMP_THREADS, count_threads
from domain_ner.serving.access import NOTES
from domain_ner.serving.batching import Batcher, ClosedError, FullError, Predict
from domain_ner.serving.found import Found
from domain_ner.serving.metrics import Metrics
from domain_ner.serving.process import PredictorProcess
from domain_ner.serving.settings import ServiceSettings
from domain_ner.serving.shadow import Shadow

logger = logging.getLogger("domain_ner.serving")

# A batch that takes longer than this has hung.
STUCK_S = 600.0


@dataclass(frozen=True)
class Service:
    """A pipeline with the queue before it. description: as `GET /v1/model` answers it. close: ends its processes.

    is_loaded: whether a process has a pipeline. shadow: a second pipeline that is compared with it.
    """

    settings: ServiceSettings
    description: dict[str, Any]
    batcher: Batcher
    metrics: Metrics
    close: Callable[[], None]
    is_loaded: Callable[[], bool]
    shadow: Shadow | None = None

    @classmethod
    def create(cls, settings: ServiceSettings) -> "Service":
        """Load the pipeline. Raises DomainNerError when it cannot be loaded."""
        predicts: Sequence[Predict]
        workers: list[PredictorProcess] = []
        if settings.workers:
            threads = settings.threads or max(1, count_threads() // settings.workers)
            workers = [PredictorProcess(settings.pipeline, threads) for _ in range(settings.workers)]
            descriptions = [worker.start() for worker in workers]
            description = descriptions[0]
            predicts = workers
        else:
            if settings.threads:
                os.environ[OMP_THREADS] = str(settings.threads)
            from domain_ner.serving.pipeline import load  # noqa: PLC0415 (loads spaCy, here only)

            predictor, description = load(settings.pipeline)
            predicts = [predictor]
        metrics = Metrics({key: description[key] for key in ("name", "version", "sha256", "domain_ner")})
        batcher = Batcher(
            predicts,
            max_wordpieces=settings.batch_wordpieces,
            max_wait_s=settings.max_wait_ms / 1000,
            max_queued=settings.max_queued,
            on_batch=metrics.count_batch,
        )

        shadow = _shadow(settings, metrics)

        def close() -> None:
            if shadow:
                shadow.close()
            batcher.close()
            for worker in workers:
                worker.close()

        def is_loaded() -> bool:
            return not workers or any(worker.is_running for worker in workers)

        return cls(settings, description, batcher, metrics, close, is_loaded, shadow)

    @property
    def label(self) -> str:
        """Name, version, and the beginning of the hash."""
        return label_of(self.description)

    async def extract(self, request: Request, texts: Sequence[str]) -> list[Found]:
        """Predict texts. Raises HTTPException: 413 for too many or too long ones, 429 when too much waits."""
        if len(texts) > self.settings.max_texts:
            raise HTTPException(413, f"{len(texts)} texts; at most {self.settings.max_texts} are taken.")
        request.scope[NOTES] = {"n_texts": len(texts), "n_characters": sum(map(len, texts))}
        most = self.settings.max_characters
        for number, text in enumerate(texts):
            if len(text) > most:
                raise HTTPException(413, f"Text {number} has {len(text)} characters; at most {most} are taken.")
        try:
            found: list[Found] = await self.batcher.extract(texts)
        except FullError as err:
            wait = {"retry-after": str(max(1, math.ceil(err.retry_after_s)))}
            raise HTTPException(429, "Too many texts wait. Try again later.", wait) from None
        except ClosedError:
            raise HTTPException(503, "The service ends.", {"retry-after": "1"}) from None
        except DomainNerError as err:  # it is about the pipeline's files, and quotes no text
            logger.error("pipeline", extra={"values": {"error": str(err)}})
            raise HTTPException(503, "The pipeline cannot be loaded.", {"retry-after": "5"}) from None
        self.metrics.count_texts(texts, found)
        self.metrics.queued.set(self.batcher.n_queued)
        if self.shadow:
            self.shadow.offer(texts, found)
        return found

    @property
    def is_alive(self) -> bool:
        """Whether texts are still predicted."""
        return self.batcher.stuck_s() < STUCK_S

    @property
    def is_ready(self) -> bool:
        """Whether texts can be predicted now, and there is room in the queue."""
        return self.is_alive and self.is_loaded() and self.batcher.n_queued < self.settings.max_queued


def _shadow(settings: ServiceSettings, metrics: Metrics) -> Shadow | None:
    if not settings.shadow:
        return None
    return Shadow(
        settings.shadow,
        metrics,
        share=settings.shadow_share,
        max_queued=settings.max_queued,
        max_wordpieces=settings.batch_wordpieces,
    )
