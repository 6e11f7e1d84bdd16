"""Makes the answer for a text: what was asked for, in the units that were asked for."""

from collections.abc import Iterable, Sequence
from typing import Any

from domain_ner.serving.found import Entity, Found, utf16_places
from domain_ner.serving.schemas import UTF16, ExtractRequest

FAILED = "the pipeline failed on this text"


def extract_answer(
    pipeline: str, asked: ExtractRequest, texts: Sequence[str], found: Iterable[Found]
) -> dict[str, Any]:
    """Make the answer to `POST /v1/extract`. found: of each text."""
    documents = [_document(text, result, asked) for text, result in zip(texts, found, strict=True)]
    return {"pipeline": pipeline, "documents": documents}


def _document(text: str, found: Found, asked: ExtractRequest) -> dict[str, Any]:
    places = utf16_places(text) if asked.offsets == UTF16 else None
    answer: dict[str, Any] = {"entities": _rows(text, found.entities, places, asked)}
    if asked.below_threshold:
        answer["below_threshold"] = _rows(text, found.below_threshold, places, asked)
    if found.error:
        answer["error"] = f"{FAILED} ({found.error})"
    return answer


def _rows(
    text: str, entities: Iterable[Entity], places: list[int] | None, asked: ExtractRequest
) -> list[dict[str, Any]]:
    return [
        {
            "start": places[entity.start] if places else entity.start,
            "end": places[entity.end] if places else entity.end,
            "text": text[entity.start : entity.end],
            "label": entity.label,
            "confidence": entity.confidence,
        }
        for entity in entities
        if _is_wanted(entity, asked)
    ]


def _is_wanted(entity: Entity, asked: ExtractRequest) -> bool:
    if asked.labels is not None and entity.label not in asked.labels:
        return False
    return not asked.min_confidence or (entity.confidence or 0.0) >= asked.min_confidence
