"""The routes of Label Studio's ML backend protocol."""

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from domain_ner.serving.label_studio import ConfigError, TaskText, controls_of, predictions, task_texts
from domain_ner.serving.routes import ERRORS
from domain_ner.serving.schemas import PredictRequest
from domain_ner.serving.service import Service

logger = logging.getLogger("domain_ner.serving")
Content = Annotated[dict[str, Any], Body()]


def label_studio_routes(service: Service) -> APIRouter:
    """`/setup`, `/predict`, `/health`, `/versions` and `/webhook`."""
    router = APIRouter(tags=["Label Studio"])
    version = service.label

    @router.get("/health")
    async def health() -> Response:
        """Label Studio asks whether the backend is up."""
        return JSONResponse({"status": "UP", "model_class": "domain-ner"})

    @router.post("/setup", responses=ERRORS)
    async def setup(content: Content) -> Response:
        """Label Studio connects a project."""
        config = content.get("schema")
        if isinstance(config, str) and config:
            _controls(config)
        return JSONResponse({"model_version": version})

    @router.get("/versions")
    async def versions() -> Response:
        """The versions to choose from: the one that is served."""
        return JSONResponse({"versions": [version]})

    @router.post("/predict", responses=ERRORS)
    async def predict(request: Request, asked: Annotated[PredictRequest, Body()]) -> Response:
        """Predict tasks: entities for each `<Labels>` tag that has their label."""
        texts = task_texts(asked.tasks, _controls(asked.label_config))
        for one in texts:
            _require_whole(one)
        found = await service.extract(request, [one.text for one in texts])
        return JSONResponse({"results": predictions(len(asked.tasks), texts, found, version), "model_version": version})

    @router.post("/webhook", responses=ERRORS)
    async def webhook(content: Content) -> Response:
        """Label Studio tells of a change. Nothing is trained here: the next annotations go through the project."""
        action = content.get("action")
        known = action if isinstance(action, str) and action.isidentifier() and len(action) < 64 else None
        logger.info("webhook", extra={"values": {"action": known}})
        return JSONResponse({"status": "ok"})

    return router


def _require_whole(task_text: TaskText) -> None:
    try:
        task_text.text.encode()
    except UnicodeEncodeError as err:
        raise HTTPException(422, f"Task {task_text.number}: a lone surrogate at {err.start}; expected text.") from None


def _controls(config: str) -> Any:
    try:
        return controls_of(config)
    except ConfigError as err:
        raise HTTPException(422, str(err)) from None
