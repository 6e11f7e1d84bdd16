"""Stands before the API: checks host and key, ends what takes too long, counts, and logs. It never sees a text.

Logs are lines of JSON, without texts, and without messages of errors, which may quote a text.
"""

import asyncio
import base64
import hmac
import json
import logging
import re
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from domain_ner.serving.metrics import Metrics
from domain_ner.serving.settings import LOOPBACK, ServiceSettings

logger = logging.getLogger("domain_ner.serving")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# The state of a request, in its scope: what routes add to its line in the log.
NOTES = "domain_ner_notes"
OTHER = "other"
PROBES = ("/livez", "/readyz")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


class Access:
    """Wraps the API. paths: those of its routes. open_paths: those of them that need no key."""

    def __init__(
        self, app: App, settings: ServiceSettings, metrics: Metrics, paths: frozenset[str], open_paths: frozenset[str]
    ) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._paths, self._open_paths = paths, open_paths
        self._keys = [key.encode() for key in settings.api_keys]
        self._hosts = {host.lower() for host in settings.allowed_hosts or (LOOPBACK if settings.is_local else ())}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(scope, send)
        problem = self._problem(scope, request.headers)
        if problem:
            await request.answer(*problem)
        else:
            await self._call(scope, receive, request)
        self._note(scope, request)

    def _problem(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        """Status and message for a request that is refused."""
        host = headers.get(b"host", b"").decode("latin-1")
        # Probes come by address.
        is_probe = scope["path"] in PROBES
        if self._hosts and not is_probe and _without_port(host).lower() not in self._hosts:
            return 421, "This service does not answer for this host name. Add it to allowed_hosts."
        if self._keys and scope["path"] not in self._open_paths:
            given = _given_key(headers)
            if not any([hmac.compare_digest(given, key) for key in self._keys]):  # noqa: C419 (always all of them)
                return 401, "An API key is needed: `Authorization: Bearer KEY`."
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._settings.max_body_bytes:
            return 413, self._too_long
        return None

    @property
    def _too_long(self) -> str:
        return f"The request is too long; at most {self._settings.max_body_bytes} bytes are taken."

    def _limited(self, receive: Receive) -> Receive:
        """Count the body's bytes: a request need not say its length before. Raises HTTPException with 413."""
        n_bytes = 0

        async def limited() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > self._settings.max_body_bytes:
                raise HTTPException(413, self._too_long)
            return message

        return limited

    async def _call(self, scope: Scope, receive: Receive, request: "_Request") -> None:
        try:
            async with asyncio.timeout(self._settings.timeout_s or None):
                await self._app(scope, self._limited(receive), request.send)
        except TimeoutError:
            await request.answer(503, f"No answer within {self._settings.timeout_s:g} s.", [(b"retry-after", b"5")])
        except asyncio.CancelledError:  # the service ends, and no longer waits
            await request.answer(503, "The service ends.", [(b"retry-after", b"1")])
        except Exception as err:
            _log("error", logging.ERROR, request_id=request.id, error=type(err).__name__, where=_where(err))
            await request.answer(500, "The service failed; its log has more.")

    def _note(self, scope: Scope, request: "_Request") -> None:
        path = scope["path"] if scope["path"] in self._paths else OTHER
        seconds = time.perf_counter() - request.begun
        self._metrics.requests.labels(path, str(request.status)).inc()
        self._metrics.latency.labels(path).observe(seconds)
        notes = scope.get(NOTES, {})
        _log(
            "request", request_id=request.id, method=scope["method"], path=path, status=request.status,
            ms=round(1000 * seconds, 1), **notes,
        )  # fmt: skip


class _Request:
    """A request in work: sends the answer on, and remembers its status."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.begun = time.perf_counter()
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        given = self.headers.get(b"x-request-id", b"").decode("latin-1")
        self.id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        self.status = 0
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            known = {name for name, _ in message.get("headers", ())}
            added = [(name, value) for name, value in HEADERS if name not in known]
            headers = [*message.get("headers", ()), *added, (b"x-request-id", self.id.encode())]
            message = {**message, "headers": headers}
        await self._send(message)

    async def answer(self, status: int, error: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        """Answer with an error, unless an answer has begun."""
        if self.status:
            return
        body = json.dumps({"error": error}).encode()
        more = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *(headers or [])]
        if status == 401:
            more.append((b"www-authenticate", b"Bearer"))
        await self.send({"type": "http.response.start", "status": status, "headers": more})
        await self.send({"type": "http.response.body", "body": body})


def _without_port(host: str) -> str:
    return host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]


def _given_key(headers: dict[bytes, bytes]) -> bytes:
    """The key of a request: Bearer, `X-API-Key`, or the password of Basic, which Label Studio sends."""
    scheme, _, value = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except ValueError:
            return b""
    return headers.get(b"x-api-key", b"")


def _where(err: BaseException) -> list[str]:
    """The places in the code, without the message."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(err.__traceback__)[-8:]]


def _log(event: str, level: int = logging.INFO, **values: Any) -> None:
    logger.log(level, event, extra={"values": values})


class JsonFormatter(logging.Formatter):
    """A line of JSON for each record. Tracebacks are left out: their messages may quote a text."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        row = {"time": at, "level": record.levelname.lower(), "event": record.getMessage()}
        row |= getattr(record, "values", {})
        if record.exc_info and record.exc_info[0]:
            row["error"] = record.exc_info[0].__name__
        return json.dumps(row, ensure_ascii=True)
