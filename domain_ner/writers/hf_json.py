"""Writes tokens and tags as Hugging Face data sets hold them: JSONL with `tokens`, `ner_tags` and the text.

Tags are names in IOB2, null for a token that nobody annotated. White space is no token; it is kept in
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
    # Columns of a data set have one type; what is nested would not fit beside them.
    told = {key: value for key, value in passage.meta.items() if isinstance(value, PLAIN)}
    return {**told, **row, KEY: pack(passage)}
