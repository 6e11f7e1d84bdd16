"""Calls a service that `domain-ner serve` runs. Only the standard library: copy this file to where spaCy is not."""

from __future__ import annotations

import http.client
import json
import os
import random
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# Too many requests; no answer in time, or the service ends.
RETRIED = (429, 503)
# Seconds to wait at most before a request is repeated, whatever the service asks for.
MAX_PAUSE_S = 60.0


class ServiceError(Exception):
    """An answer that is an error, or none at all. status: of HTTP; 0 if there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Entity:
    """An entity. start, end: code points of the text. confidence: calibrated, 0..1; None if the pipeline gives none."""

    start: int
    end: int
    text: str
    label: str
    confidence: float | None


@dataclass(frozen=True)
class Document:
    """What a text holds. below_threshold: empty unless asked for. error: why there is nothing, else empty."""

    entities: tuple[Entity, ...]
    below_threshold: tuple[Entity, ...] = ()
    error: str = ""


class Client:
    """Calls one service, over a connection for each thread that it keeps open.

    url: `http://127.0.0.1:8000`; https works too. api_key: by default `DOMAIN_NER_API_KEY` of the environment.
    timeout_s: for each request. retries: how often a request is repeated when the service is busy, ends, or cannot be
    reached, with longer and longer pauses. batch_size: texts in a request; batch_characters: of these texts.
    """

    def __init__(  # noqa: PLR0913 (all but the first have a default)
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        retries: int = 5,
        batch_size: int = 64,
        batch_characters: int = 500_000,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no URL of a service; expected one like http://127.0.0.1:8000")
        self._host, self._port, self._is_https = parts.hostname, parts.port, parts.scheme == "https"
        self._prefix = parts.path.rstrip("/")
        self._key = os.environ.get("DOMAIN_NER_API_KEY", "") if api_key is None else api_key
        if not self._key.isascii():
            raise ValueError("the API key holds letters that a header cannot")
        self._timeout_s, self._retries = timeout_s, retries
        self._batch_size, self._batch_characters = batch_size, batch_characters
        self._local = threading.local()

    def extract(
        self,
        texts: Iterable[str],
        *,
        labels: Iterable[str] | None = None,
        min_confidence: float | None = None,
        below_threshold: bool = False,
    ) -> Iterator[Document]:
        """Yield what each text holds, in order. Texts are sent in batches, as they come.

        labels: only entities with these. min_confidence: only entities with at least this, 0..1.
        below_threshold: also what is below its label's threshold.
        Raises ServiceError when the service refuses a request, or cannot be reached after all retries.
        """
        asked: dict[str, Any] = {"below_threshold": below_threshold}
        if labels is not None:
            asked["labels"] = list(labels)
        if min_confidence is not None:
            asked["min_confidence"] = min_confidence
        for batch in self._batches(texts):
            answer = self._call("POST", "/v1/extract", {"texts": batch, **asked})
            if len(answer["documents"]) != len(batch):
                raise ServiceError(f"{len(answer['documents'])} documents came back for {len(batch)} texts")
            yield from map(_document, answer["documents"])

    def extract_one(self, text: str, **asked: Any) -> Document:
        """Return what a text holds. asked: as of `extract`."""
        return next(self.extract([text], **asked))

    def model(self) -> dict[str, Any]:
        """Describe the pipeline: name, version, labels with thresholds and scores, and limits of a request."""
        return dict(self._call("GET", "/v1/model"))

    def prodigy_tasks(self, rows: Iterable[Mapping[str, Any]], **asked: Any) -> Iterator[dict[str, Any]]:
        """Yield Prodigy's tasks with suggestions, for a recipe's stream. rows: with `text`; other keys are kept."""
        waiting: list[Mapping[str, Any]] = []

        def texts() -> Iterator[str]:
            for row in rows:
                waiting.append(row)
                yield row["text"]

        for document in self.extract(texts(), **asked):
            row = waiting.pop(0)
            spans = [{"start": one.start, "end": one.end, "label": one.label} for one in document.entities]
            scores = [one.confidence for one in document.entities if one.confidence is not None]
            meta = {**row.get("meta", {}), **({"score": min(scores)} if scores else {})}
            yield {**row, "spans": spans, "meta": meta}

    def close(self) -> None:
        """Close this thread's connection. It is opened again when needed."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _batches(self, texts: Iterable[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        n_characters = 0
        for text in texts:
            is_full = len(batch) == self._batch_size or n_characters + len(text) > self._batch_characters
            if batch and is_full:
                yield batch
                batch, n_characters = [], 0
            batch.append(text)
            n_characters += len(text)
        if batch:
            yield batch

    def _call(self, method: str, path: str, content: Any = None) -> Any:
        problem = ServiceError("no answer")
        for pause in [*self._pauses(), None]:
            try:
                status, headers, body = self._send(method, path, content)
            except (OSError, http.client.HTTPException) as err:
                self.close()
                problem, asked = ServiceError(f"{self._host}:{self._port}: {err or type(err).__name__}"), 0.0
            else:
                if status == 200:
                    return json.loads(body)
                problem = ServiceError(_message(status, body), status)
                if status not in RETRIED:
                    raise problem
                asked = _seconds(headers.get("retry-after", ""))
            if pause is not None:
                time.sleep(min(max(pause, asked), MAX_PAUSE_S))
        raise problem

    def _pauses(self) -> Iterator[float]:
        """Seconds before each repetition: twice as long each time, and never the same for two clients."""
        return (random.uniform(0.5, 1.0) * 0.2 * 2**number for number in range(self._retries))

    def _send(self, method: str, path: str, content: Any) -> tuple[int, Mapping[str, str], bytes]:
        body = None if content is None else json.dumps(content, ensure_ascii=False).encode("utf8", "surrogatepass")
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        connection = self._connection()
        try:
            connection.request(method, self._prefix + path, body, headers)
            response = connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # A connection that was kept open may be closed by the service at any time.
            self.close()
            connection = self._connection()
            connection.request(method, self._prefix + path, body, headers)
            response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._is_https else http.client.HTTPConnection
            connection = self._local.connection = kind(self._host, self._port, timeout=self._timeout_s)
        return connection


def _document(row: Mapping[str, Any]) -> Document:
    entities, below = (tuple(Entity(**one) for one in row.get(key) or ()) for key in ("entities", "below_threshold"))
    return Document(entities, below, row.get("error") or "")


def _message(status: int, body: bytes) -> str:
    try:
        return f"{status}: {json.loads(body)['error']}"
    except (ValueError, KeyError, TypeError):
        return f"{status}: {body[:200].decode('utf8', 'replace')}"


def _seconds(value: str) -> float:
    return float(value) if value.isdigit() else 0.0
