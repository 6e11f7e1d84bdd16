"""Puts the routes together into an application (ASGI)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from domain_ner import __version__
from domain_ner.serving.access import Access
from domain_ner.serving.label_studio_routes import label_studio_routes
from domain_ner.serving.routes import PAGE_FILES, api_routes, page_routes, status_routes
from domain_ner.serving.service import Service
from domain_ner.serving.settings import ServiceSettings

OPEN_PATHS = frozenset({*PAGE_FILES, "/livez", "/readyz"})
# Problems of a request to list, at most.
MAX_PROBLEMS = 10


def create_app(settings: ServiceSettings | None = None) -> FastAPI:
    """Load the pipeline, and create the application. settings: by default those of the environment.

    Raises DomainNerError when the pipeline cannot be loaded, or a setting is wrong.
    """
    settings = settings or ServiceSettings.from_environment()
    service = Service.create(settings)
    app = FastAPI(
        title="domain-ner",
        version=__version__,
        summary=f"Named entities with calibrated confidences: {service.label}",
        lifespan=_lifespan(service),
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
    )
    for router in (api_routes(service), status_routes(service), label_studio_routes(service), page_routes()):
        app.include_router(router)
    app.add_exception_handler(HTTPException, _on_http_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _on_wrong_request)  # type: ignore[arg-type]
    paths = frozenset(app.openapi()["paths"]) | {*PAGE_FILES, "/openapi.json"}
    app.add_middleware(Access, settings=settings, metrics=service.metrics, paths=paths, open_paths=OPEN_PATHS)
    return app


def _lifespan(service: Service) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        service.batcher.start()
        if service.shadow:
            service.shadow.start()
        yield
        await asyncio.to_thread(service.close)

    return run


async def _on_http_error(_: Request, err: HTTPException) -> JSONResponse:
    return JSONResponse({"error": str(err.detail)}, err.status_code, headers=dict(err.headers or {}))


async def _on_wrong_request(_: Request, err: RequestValidationError) -> JSONResponse:
    """Say what is wrong and where, without the input, which is the users' text."""
    problems = err.errors()[:MAX_PROBLEMS]
    answer: dict[str, Any] = {
        "error": "; ".join(str(problem["msg"]) for problem in problems),
        "where": [".".join(_name(part) for part in problem["loc"]) for problem in problems],
    }
    return JSONResponse(answer, 422)


def _name(part: object) -> str:
    """A part of a place in the request. An unknown key may be anything: its beginning."""
    return str(part)[:64].encode("utf8", "replace").decode()
