"""Writes doccano's JSONL (https://doccano.github.io/doccano). Offsets count UTF-16 code units, doccano's default."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from domain_ner.passages import Passage, utf16_offsets
from domain_ner.writers.json_files import number_of, write_rows
from domain_ner.writers.options import META, NESTED, SPACED_LABEL, WHITE_SPACE, WORDLESS, WriterOptions

NAME = "doccano"
TITLE = "doccano JSONL"
HOLDS = frozenset({NESTED, SPACED_LABEL, META, WHITE_SPACE, WORDLESS})
# Keys with a meaning of their own in a row of some version; meta of these names is kept apart.
RESERVED = {
    "id", "doc_id", "text", "data", "label", "labels", "entities", "annotations", "relations", "cats", "Comments",
    "comments", "username", "user", "meta", "metadata", "annotation_approver", "annotation_id", "annotator",
    "lead_time",
}  # fmt: skip


def write(passages: Iterable[Passage], target: Path, options: WriterOptions) -> None:
    """Write a row for each passage, its meta spread over the row."""
    write_rows(target, (_row(passage, number) for number, passage in enumerate(passages, start=1)))


def _row(passage: Passage, number: int) -> dict[str, Any]:
    offsets = utf16_offsets(passage.text)
    label = [[offsets[span.start], offsets[span.end], span.label] for span in passage.spans]
    document = number_of(passage.document, default=0) or passage.document or number
    row = {"id": document, "text": passage.text, "label": label, **_spread(passage.meta)}
    return {**row, "username": passage.annotator} if passage.annotator else row


def _spread(meta: Mapping[str, Any]) -> dict[str, Any]:
    reserved = {key: value for key, value in meta.items() if key in RESERVED}
    spread = {key: value for key, value in meta.items() if key not in RESERVED}
    return {**spread, "meta": reserved} if reserved else spread
