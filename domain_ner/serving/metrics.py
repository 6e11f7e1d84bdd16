"""What the service counts, for Prometheus."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.monitoring.observations import LENGTHS
from domain_ner.serving.found import Found

LATENCY = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
BATCH = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CONFIDENCE = tuple(round(0.1 * n, 1) for n in range(1, 11))


class Metrics:
    """The counters."""

    def __init__(self, pipeline: dict[str, str]) -> None:
        try:
            import prometheus_client as prometheus  # noqa: PLC0415 (an extra)
        except ImportError as err:
            raise DomainNerError("prometheus_client is not installed.", INSTALL) from err

        prometheus.disable_created_metrics()  # when each series began: nobody reads that
        self._prometheus = prometheus
        self.registry = prometheus.CollectorRegistry()
        given: dict[str, Any] = {"registry": self.registry, "namespace": "domain_ner"}
        self.requests = prometheus.Counter("requests", "Requests", ["path", "status"], **given)
        self.texts = prometheus.Counter("texts", "Texts that were predicted", **given)
        self.failed = prometheus.Counter("failed_texts", "Texts on which a component failed", **given)
        self.entities = prometheus.Counter("entities", "Entities that were found", ["label"], **given)
        self.below = prometheus.Counter("below_threshold", "Spans below their threshold", ["label"], **given)
        self.empty = prometheus.Counter("empty_texts", "Texts without an entity", **given)
        self.characters = prometheus.Counter("characters", "Characters of these texts", **given)
        # For `monitor`: what is compared with the baseline.
        self.observed = prometheus.Counter(
            "observed", "Numbers of these texts, by what was counted", ["count"], **given
        )
        self.expected = prometheus.Counter("expected_entities", "Sum of the probabilities", ["label"], **given)
        self.lengths = prometheus.Histogram("text_tokens", "Tokens of a text", buckets=LENGTHS, **given)
        self.confidence = prometheus.Histogram(
            "confidence", "Confidence of the entities", ["label"], buckets=CONFIDENCE, **given
        )
        self.latency = prometheus.Histogram(
            "request_seconds", "Seconds from a request to its answer", ["path"], buckets=LATENCY, **given
        )
        self.batches = prometheus.Histogram("batch_texts", "Texts in a batch", buckets=BATCH, **given)
        self.batch_seconds = prometheus.Histogram("batch_seconds", "Seconds of a batch", buckets=LATENCY, **given)
        self.queued = prometheus.Gauge("queued_wordpieces", "Wordpieces that wait, by estimate", **given)
        self._add_shadow(given)
        known = prometheus.Gauge("pipeline", "The pipeline that is served", list(pipeline), **given)
        known.labels(**pipeline).set(1)

    def _add_shadow(self, given: dict[str, Any]) -> None:
        """What is counted of a second pipeline, which gets the same texts. found_by: served, shadow or both."""
        add = self._prometheus
        self.shadow_running = add.Gauge("shadow_running", "Whether a second pipeline is compared", **given)
        self.shadow_pipeline = add.Gauge("shadow_pipeline", "That pipeline", ["name", "version", "sha256"], **given)
        self.shadow_texts = add.Counter("shadow_texts", "Texts that both predicted", **given)
        self.shadow_different = add.Counter("shadow_different_texts", "Texts on which they differ", **given)
        self.shadow_failed = add.Counter("shadow_failed_texts", "Texts on which one of them failed", **given)
        self.shadow_dropped = add.Counter("shadow_dropped_texts", "Texts left out: it was behind, or failed", **given)
        self.shadow_entities = add.Counter(
            "shadow_entities", "Entities, by who found them", ["found_by", "label"], **given
        )

    def count_batch(self, n_texts: int, seconds: float) -> None:
        """Count a batch."""
        self.batches.observe(n_texts)
        self.batch_seconds.observe(seconds)

    def count_texts(self, texts: Sequence[str], found: Sequence[Found]) -> None:
        """Count texts, and what they hold."""
        self.texts.inc(len(texts))
        self.characters.inc(sum(map(len, texts)))
        self.failed.inc(sum(bool(result.error) for result in found))
        self.empty.inc(sum(not result.entities and not result.error for result in found))
        self._count_observed(found)
        for result in found:
            for entity in result.entities:
                self.entities.labels(entity.label).inc()
                if entity.confidence is not None:
                    self.confidence.labels(entity.label).observe(entity.confidence)
            for entity in result.below_threshold:
                self.below.labels(entity.label).inc()

    def _count_observed(self, found: Sequence[Found]) -> None:
        """Add up first: a counter takes longer than a sum."""
        counts, expected = Counter[str](), defaultdict[str, float](float)
        for result in found:
            counts.update(result.observed.counts)
            for label, n_expected in (result.observed.expected or {}).items():
                expected[label] += n_expected
            if not result.error:
                self.lengths.observe(result.observed.counts.get("tokens", 0))
        for name, n in counts.items():
            self.observed.labels(name).inc(n)
        for label, total in expected.items():
            self.expected.labels(label).inc(total)

    def text(self) -> tuple[bytes, str]:
        """All metrics, as Prometheus reads them, and their content type."""
        return self._prometheus.generate_latest(self.registry), self._prometheus.CONTENT_TYPE_LATEST


INSTALL = "Install it with `pip install fastapi uvicorn prometheus_client`."
