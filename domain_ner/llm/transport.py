"""Sends one request, with a deadline for all of it that a server cannot evade by sending a byte now and then.

Requests run in an event loop in a thread of its own; the threads that call wait for it. A request that passes its
deadline, or that `close` finds, is cancelled wherever it is: connecting, in the headers, or in the body.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from domain_ner.errors import DomainNerError
from domain_ner.llm.endpoints import is_local
from domain_ner.llm.failures import BROKEN, OVERSIZED, TIMEOUT, UNREACHABLE, StoppedError

if TYPE_CHECKING:
    import httpx

MAX_BODY_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Response:
    """An answer of HTTP. headers: by name in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Exception):
    """No whole answer came. reason: of `failures`. was_sent: whether the server may have begun to work on it."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        super().__init__(reason)
        self.reason, self.was_sent = reason, was_sent


def require_httpx() -> ModuleType:
    """Import httpx. Raises DomainNerError that names the extra if it is not installed."""
    try:
        import httpx  # noqa: PLC0415 (only what asks a model needs it)
    except ImportError as err:
        raise DomainNerError(
            "httpx is not installed; a language model is asked with it.", 'Install it: pip install "domain-ner[llm]"'
        ) from err
    return httpx


class Transport:
    """Posts JSON to one URL, from several threads.

    url: of the chat completions. key: for `Authorization: Bearer`; empty: none is sent. timeout_s: from the start of a
    request to the last byte of its answer. connect_s: of that, for the connection. n_connections: at once.
    Redirects are not followed, so that the key goes to this host alone. Proxies of the environment are used, but not
    for this machine.
    """

    def __init__(
        self, url: str, key: str = "", *, timeout_s: float = 120.0, connect_s: float = 10.0, n_connections: int = 8
    ) -> None:
        self._httpx = require_httpx()
        self._url, self._timeout_s = url, timeout_s
        for name in ("httpx", "httpcore"):
            if logging.getLogger(name).level == logging.NOTSET:
                # They log each URL, whose query may hold a key.
                logging.getLogger(name).setLevel(logging.WARNING)
        settings: dict[str, Any] = {
            "headers": {
                **({"Authorization": f"Bearer {key}"} if key else {}),
                "User-Agent": "domain-ner",
                "Content-Type": "application/json",
                "Accept": "application/json, text/event-stream",
            },
            "timeout": self._httpx.Timeout(timeout_s, connect=min(connect_s, timeout_s)),
            "limits": self._httpx.Limits(max_connections=n_connections),
            "trust_env": not is_local(url),
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="llm transport", daemon=True)
        self._thread.start()
        self._lock, self._is_closed = threading.Lock(), False
        self._client: httpx.AsyncClient = self._in_loop(self._open(settings))

    async def _open(self, settings: dict[str, Any]) -> "httpx.AsyncClient":
        client: httpx.AsyncClient = self._httpx.AsyncClient(**settings)
        return client

    def post(self, content: Mapping[str, Any]) -> Response:
        """Post JSON and return the whole answer, whatever its status.

        Raises TransportError when none comes in time, the connection fails, or the answer is too large or broken off;
        StoppedError after `close`.
        """
        return self._in_loop(self._post(content))  # type: ignore[no-any-return]

    def close(self) -> None:
        """Cancel all requests, in whichever thread, and end the event loop. May be called several times."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop)
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self._loop.close()

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._client.aclose()
        finally:
            self._loop.stop()

    def _in_loop(self, coroutine: Any) -> Any:
        with self._lock:
            if self._is_closed:
                coroutine.close()
                raise StoppedError
            # Within the lock: what is begun before `close` is found by it.
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except CancelledError as err:
            raise StoppedError from err

    def _stream(self, content: Mapping[str, Any]) -> Any:
        # In ASCII: half of a surrogate pair, which a text may hold, has no UTF-8.
        return self._client.stream("POST", self._url, content=json.dumps(content).encode("ascii"))

    async def _post(self, content: Mapping[str, Any]) -> Response:
        was_sent = False
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._stream(content) as response,
            ):
                was_sent = True
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > MAX_BODY_BYTES:
                        raise TransportError(OVERSIZED, was_sent=True)
                return Response(response.status_code, dict(response.headers.items()), bytes(body))
        except (TimeoutError, self._httpx.TimeoutException) as err:
            # A connection that was not made in time cost nothing; any other may have.
            raise TransportError(TIMEOUT, was_sent=not isinstance(err, self._httpx.ConnectTimeout)) from None
        except self._httpx.ConnectError:
            raise TransportError(UNREACHABLE, was_sent=False) from None
        except self._httpx.HTTPError as err:
            is_broken = was_sent or isinstance(err, self._httpx.RemoteProtocolError | self._httpx.DecodingError)
            raise TransportError(BROKEN if is_broken else UNREACHABLE, was_sent=True) from None
