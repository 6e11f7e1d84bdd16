"""Writes Prodigy JSONL as exported by `ner.manual` and `spans.manual` (https://prodi.gy/docs/api-interfaces).

If only yes/no answers are known, it writes a row for each answer, as `ner.teach` does.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.annotations.round_trip import KEY, Carried
from domain_ner.writers.json_files import write_rows
from domain_ner.writers.options import (
    EMPTY,
    META,
    NESTED,
    PARTIAL,
    REJECTED,
    SPACED_LABEL,
    UNANNOTATED,
    WHITE_SPACE,
    WORDLESS,
    WriterOptions,
)
from domain_ner.writers.tokens import Tokens, all_tokens, overlapping

NAME = "prodigy"
TITLE = "Prodigy JSONL"
HOLDS = frozenset({NESTED, REJECTED, PARTIAL, UNANNOTATED, SPACED_LABEL, META, WHITE_SPACE, EMPTY, WORDLESS})
Row = dict[str, Any]
MANUAL, OVERLAPPING, YES_NO = "ner_manual", "spans_manual", "ner"


def write(passages: Iterable[Passage], target: Path, options: WriterOptions) -> None:
    """Write the rows of each passage. Predictions have no `answer`: they are open tasks."""
    write_rows(target, (row for passage in passages for row in _rows(passage, options)))


def _rows(passage: Passage, options: WriterOptions) -> Iterator[Row]:
    tokens = all_tokens(passage, options)
    task = _task(passage, tokens)
    accepted = [_span(span, tokens) | _score(span, passage) for span in passage.spans]
    if not passage.partial:
        view = OVERLAPPING if overlapping(passage.spans) else MANUAL
        row = _asked(task, accepted, view)
        yield row if options.predictions else _answered(row, passage, "accept")
    else:
        for span in accepted:
            yield _answered(_asked(task, [span], YES_NO), passage, "accept")
    for wrong in passage.rejected:
        yield _answered(_asked(task, [_span(wrong, tokens)], YES_NO), passage, "reject")
    if passage.partial and not passage.spans and not passage.rejected:
        yield _answered(_asked(task, [], YES_NO), passage, "accept")


def _task(passage: Passage, tokens: Tokens) -> Row:
    """Make the keys that all rows of a passage share."""
    parts = zip(tokens.words, tokens.starts, tokens.ends, tokens.spaces, strict=True)
    listed = [
        {"text": word, "start": start, "end": end, "id": number, "ws": space}
        for number, (word, start, end, space) in enumerate(parts)
    ]
    task = {"text": passage.text, "_input_hash": _hash(passage.text), "tokens": listed}
    # Prodigy keeps unknown keys and meta unchanged.
    task |= {KEY: Carried(passage.document).pack()}
    return {**task, "meta": passage.meta} if passage.meta else task


def _asked(task: Row, spans: Sequence[Row], view: str) -> Row:
    question = {"_task_hash": _hash(task["text"], spans), "_view_id": view, "_is_binary": view == YES_NO}
    return {**task, "spans": spans, **question}


def _answered(row: Row, passage: Passage, answer: str) -> Row:
    who = {"_annotator_id": passage.annotator} if passage.annotator else {}
    return {**row, "answer": answer, **who}


def _span(span: LabelledSpan, tokens: Tokens) -> Row:
    first, after = tokens.range_of(span.start, span.end)
    edges = {"start": span.start, "end": span.end, "token_start": first, "token_end": after - 1}
    return {**edges, "label": span.label}


def _score(span: LabelledSpan, passage: Passage) -> Row:
    return {"score": passage.scores[span]} if span in passage.scores else {}


def _hash(*parts: Any) -> int:
    """Compute 32 signed bits, like Prodigy's hashes but not equal: `prodigy db-in --rehash` makes Prodigy's own."""
    plain = json.dumps(parts, default=str)
    return int.from_bytes(hashlib.blake2b(plain.encode(), digest_size=4).digest(), "big", signed=True)
