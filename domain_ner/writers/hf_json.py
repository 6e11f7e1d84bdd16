"""Writes tokens and tags in the form of Hugging Face data sets: JSONL with `tokens`, `ner_tags` and the text.

Tags are IOB2 names, null for a token that nobody annotated. White space is not a token; it is kept in
`space_after` and `text`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from domain_ner.annotations.passages import Passage
from domain_ner.annotations.round_trip import KEY, pack
from domain_ner.writers.json_files import write_rows
from domain_ner.writers.options import META, PARTIAL, SPACED_LABEL, UNANNOTATED, UNKNOWN, WHITE_SPACE, WriterOptions
from domain_ner.writers.tokens import has_known_spaces, tags_of, visible_tokens

NAME = "hf_json"
TITLE = "Hugging Face JSONL (tokens and ner_tags)"
HOLDS = frozenset({PARTIAL, UNANNOTATED, UNKNOWN, SPACED_LABEL, META, WHITE_SPACE})
PLAIN = str | int | float


def write(passages: Iterable[Passage], target: Path, options: WriterOptions) -> None:
    """Write a row for each passage."""
    write_rows(target, (_row(passage, number, options) for number, passage in enumerate(passages, start=1)))


def _row(passage: Passage, number: int, options: WriterOptions) -> dict[str, Any]:
    tokens = visible_tokens(passage, options)
    row: dict[str, Any] = {
        "id": passage.document or str(number),
        "tokens": tokens.words,
        "ner_tags": tags_of(passage, tokens),
    }
    if has_known_spaces(passage):
        row |= {"space_after": tokens.spaces, "text": passage.text}
    # Each column of a data set has a single type, so nested values are left out.
    flat_meta = {key: value for key, value in passage.meta.items() if isinstance(value, PLAIN)}
    return {**flat_meta, **row, KEY: pack(passage)}
