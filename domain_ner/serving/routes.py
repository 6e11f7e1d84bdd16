"""The routes of the API, of the page and of the probes."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from domain_ner.serving.answers import extract_answer
from domain_ner.serving.schemas import ErrorAnswer, ExtractAnswer, ExtractRequest, ModelAnswer, StatusAnswer
from domain_ner.serving.service import Service

PAGE = Path(__file__).parent / "page"
PAGE_FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
# Nothing from outside, nothing inline, no frame.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"model": ErrorAnswer, "description": description}
    for code, description in (
        (400, "The request cannot be read"),
        (401, "An API key is needed"),
        (413, "The request or a text is too long"),
        (422, "The request is not what is expected"),
        (429, "Too many texts wait; `Retry-After` says how many seconds"),
        (503, "No answer in time, or the service ends"),
    )
}
GET_ERRORS: dict[int | str, dict[str, Any]] = {code: ERRORS[code] for code in (401, 503)}


def api_routes(service: Service) -> APIRouter:
    """`/v1/extract` and `/v1/model`."""
    router = APIRouter()
    settings = service.settings
    limits = {name: getattr(settings, name) for name in ("max_texts", "max_characters", "max_body_bytes")}

    @router.post("/v1/extract", response_model=ExtractAnswer, response_model_exclude_none=True, responses=ERRORS)
    async def extract(request: Request, asked: Annotated[ExtractRequest, Body()]) -> Response:
        """Find the entities of one text, or of many."""
        texts = asked.all_texts()
        found = await service.extract(request, texts)
        # Long answers are made beside the loop: other requests go on.
        make = (service.label, asked, texts, found)
        answer = extract_answer(*make) if len(texts) < 16 else await asyncio.to_thread(extract_answer, *make)
        return JSONResponse(answer)

    @router.get("/v1/model", response_model=ModelAnswer, responses=GET_ERRORS)
    async def model() -> Response:
        """Describe the pipeline: labels with thresholds and measured scores, version, and limits of a request."""
        shadow = {"shadow": service.shadow.description} if service.shadow else {}
        return JSONResponse({**service.description, "limits": limits, **shadow})

    return router


def status_routes(service: Service) -> APIRouter:
    """`/livez`, `/readyz` and `/metrics`."""
    router = APIRouter()

    @router.get("/livez", response_model=StatusAnswer, responses={503: ERRORS[503]})
    async def livez() -> Response:
        """Whether the process works; if not, it should be started anew."""
        if not service.is_alive:
            raise HTTPException(503, "Texts are no longer predicted.")
        return JSONResponse({"status": "alive"})

    @router.get("/readyz", response_model=StatusAnswer, responses={503: ERRORS[503]})
    async def readyz() -> Response:
        """Whether requests may be sent here: not while the queue is full."""
        if not service.is_ready:
            raise HTTPException(503, "Too many texts wait, or none are predicted.")
        return JSONResponse({"status": "ready"})

    @router.get("/metrics", responses={200: {"content": {"text/plain": {}}}, 401: ERRORS[401]}, response_class=Response)
    async def metrics() -> Response:
        """Counters for Prometheus; no texts."""
        service.metrics.queued.set(service.batcher.n_queued)
        content, kind = await asyncio.to_thread(service.metrics.text)
        return Response(content, media_type=kind)

    return router


def page_routes() -> APIRouter:
    """The page to try the pipeline on."""
    router = APIRouter(include_in_schema=False)
    for path, (name, kind) in PAGE_FILES.items():
        content = (PAGE / name).read_bytes()
        headers = {"content-security-policy": CONTENT_POLICY, "cache-control": "no-cache"}
        router.add_api_route(path, _file(content, kind, headers), methods=["GET"])
    return router


def _file(content: bytes, kind: str, headers: dict[str, str]) -> Any:
    async def get() -> Response:
        return Response(content, media_type=kind, headers=headers)

    return get
