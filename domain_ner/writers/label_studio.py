"""Writes Label Studio's tasks, with annotations or predictions (https://labelstud.io/guide/task_format).

Offsets are code points, as in Label Studio since the end of 2021. The tags are named `label` and `text`, as in the
labelling config that `export-labels` writes. Meta goes to `data`: Label Studio omits a task's `meta` from JSON_MIN, CSV
and TSV, and assigns its own ids. `data` has a string with all meta, and beside it values for people to see and filter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain_ner.annotations.passages import Passage
from domain_ner.annotations.round_trip import KEY, pack
from domain_ner.writers.json_files import number_of, write_array
from domain_ner.writers.options import (
    EMPTY,
    META,
    NESTED,
    SPACED_LABEL,
    UNANNOTATED,
    WHITE_SPACE,
    WORDLESS,
    WriterOptions,
)

NAME = "label_studio"
TITLE = "Label Studio JSON"
HOLDS = frozenset({NESTED, UNANNOTATED, SPACED_LABEL, META, WHITE_SPACE, EMPTY, WORDLESS})
LABELS_TAG, TEXT_TAG = "label", "text"
SUGGESTED = "suggested"
# Columns of the exports that would clash with keys of the same name in the data.
RESERVED = {
    LABELS_TAG, TEXT_TAG, KEY, "id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement",
    "completed_by", "history",
}  # fmt: skip


def write(passages: Iterable[Passage], target: Path, options: WriterOptions) -> None:
    """Write one list with a task for each passage."""
    write_array(target, (_task(passage, number, options) for number, passage in enumerate(passages, start=1)))


def _task(passage: Passage, number: int, options: WriterOptions) -> dict[str, Any]:
    task_id = number_of(passage.document, default=number)
    data = {TEXT_TAG: passage.text, **_visible_meta(passage.meta), KEY: pack(passage)}
    task: dict[str, Any] = {"id": task_id, "data": data}
    is_unannotated = passage.partial
    if options.predictions:
        return {
            **task,
            "annotations": [],
            "predictions": [] if is_unannotated or options.is_blind else _predictions(passage, number, options),
        }
    return {**task, "annotations": [] if is_unannotated else [_annotation(passage, number)], "predictions": []}


def _visible_meta(meta: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in meta.items()
        if isinstance(value, str | int | float) and key.isidentifier() and key not in RESERVED
    }


def _annotation(passage: Passage, number: int) -> dict[str, Any]:
    """Make an annotation, without `completed_by`: Label Studio refuses tasks with unknown users."""
    who = {"created_username": passage.annotator} if passage.annotator else {}
    result = _result(passage, number, origin="manual")
    return {"id": number, **who, "was_cancelled": False, "ground_truth": False, "result": result}


def _predictions(passage: Passage, number: int, options: WriterOptions) -> list[dict[str, Any]]:
    """Make the present annotation and, if there is one, the suggestion.

    Label Studio (1.23) shows the suggestion alone in "Label All Tasks", and both where a task is opened by itself.
    """
    predictions = [_prediction(passage, number, passage.annotator or options.model_version)]
    if passage.suggested is not None:
        predictions.append(_prediction(replace(passage, spans=passage.suggested), number, SUGGESTED))
    return predictions


def _prediction(passage: Passage, number: int, version: str) -> dict[str, Any]:
    # Its uncertainty sampling takes the lowest score first.
    score = min(passage.scores.values()) if passage.scores else passage.meta.get("score")
    known = {"score": score} if isinstance(score, int | float) and 0 <= score <= 1 else {}
    result = _result(passage, number, origin="prediction")
    return {"model_version": version, **known, "result": result}


def _result(passage: Passage, number: int, *, origin: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{number}-{n_span}",
            "from_name": LABELS_TAG,
            "to_name": TEXT_TAG,
            "type": "labels",
            "origin": origin,
            **({"score": passage.scores[span]} if span in passage.scores else {}),
            "value": {
                "start": span.start,
                "end": span.end,
                "text": passage.text[span.start : span.end],
                "labels": [span.label],
            },
        }
        for n_span, span in enumerate(passage.spans, start=1)
    ]
