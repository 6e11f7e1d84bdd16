"""Runs the service with uvicorn."""

import logging
import socket

from domain_ner.errors import DomainNerError
from domain_ner.serving.metrics import INSTALL
from domain_ner.serving.settings import ServiceSettings

# Longer than proxies keep a connection, so that none is closed while a request is on its way.
KEEP_ALIVE_S = 75


def serve(settings: ServiceSettings) -> None:
    """Serve until a signal comes; what was taken is answered first.

    Raises DomainNerError when a package is missing, the pipeline cannot be loaded, or the port is taken.
    """
    try:
        import uvicorn  # noqa: PLC0415 (an extra)

        from domain_ner.serving.app import create_app  # noqa: PLC0415
    except ImportError as err:
        raise DomainNerError(f"{err.name} is not installed.", INSTALL) from err
    require_free_port(settings.host, settings.port)
    log_as_json()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.shutdown_s,
    )


def require_free_port(host: str, port: int) -> None:
    """Find out before the pipeline is loaded. Raises DomainNerError when nothing can listen there."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
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
