"""Runs the service with uvicorn."""

import logging
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace

from domain_ner.errors import DomainNerError
from domain_ner.serving.metrics import INSTALL
from domain_ner.serving.settings import ServiceSettings

# Longer than proxies keep a connection, so that none is closed while a request is on its way.
KEEP_ALIVE_S = 75


def serve(settings: ServiceSettings, on_start: Callable[[ServiceSettings], None] = lambda _: None) -> None:
    """Serve until a signal comes; what was taken is answered first.

    on_start: called before the pipeline is loaded, with the port that was chosen where `port` is 0.

    Raises DomainNerError when a package is missing, the pipeline cannot be loaded, or the port is taken.
    """
    try:
        import uvicorn  # noqa: PLC0415 (an extra)

        from domain_ner.serving.app import create_app  # noqa: PLC0415
    except ImportError as err:
        raise DomainNerError(f"{err.name} is not installed.", INSTALL) from err
    settings = replace(settings, port=find_port(settings.host, settings.port))
    on_start(settings)
    log_as_json()
    app = create_app(settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again when all is answered
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.shutdown_s,
    )


def stop_while_loading() -> None:
    """End on SIGTERM from now on; later, uvicorn's own handlers do. The first process of a container has no other."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def url_of(settings: ServiceSettings) -> str:
    """Where the service is, as a browser takes it."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def find_port(host: str, port: int) -> int:
    """Find out before the pipeline is loaded whether a port can be had; 0: any.

    Raises DomainNerError when nothing can listen there.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.create_server((host, port), family=family) as server:
            return int(server.getsockname()[1])
    except OSError as err:
        raise DomainNerError(
            f"Cannot listen on {host}:{port}: {(err.strerror or str(err)).lower()}.", "Give another --host or --port."
        ) from err


def log_as_json() -> None:
    """Log to standard error, a line of JSON for each event."""
    from domain_ner.serving.access import JsonFormatter  # noqa: PLC0415

    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    for name in ("uvicorn", "domain_ner.serving"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
