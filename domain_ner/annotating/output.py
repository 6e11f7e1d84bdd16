"""Writes the output of a shard: a row for each annotated document, its numbers, and the documents that failed."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from domain_ner.annotating.columns import fitted, passed_through, schema_from_text, to_json
from domain_ner.annotating.jobs import ENTITIES, ID, JSON_LINES, PIPELINE, Job, ShardResult
from domain_ner.annotating.parquet import output_schema, write_rows
from domain_ner.annotating.predicting import Result
from domain_ner.annotating.reading import Document
from domain_ner.files import atomic_path, sha256, write_text
from domain_ner.monitoring.observations import OBSERVED

# The folders of the annotated documents, and of the errors: a file for each shard that has some.
DOCUMENTS, ERRORS = "documents", "errors"


def write_shard(job: Job, documents: Sequence[Document], results: Iterable[Result], input_sha256: str) -> ShardResult:
    """Write the output and the errors of a shard, each whole or not at all. results: one for each document."""
    paired = list(zip(documents, results, strict=True))
    failed = [(document, result) for document, result in paired if "error" in result]
    annotated = [(document, result) for document, result in paired if "error" not in result]
    target = Path(job.output) / DOCUMENTS / f"{job.shard.name}.{job.settings.output_format}"
    columns = schema_from_text(job.schema) if job.schema else None
    rows = (_row(job, columns, document, result) for document, result in annotated)
    with atomic_path(target) as temporary:
        if job.settings.output_format == JSON_LINES:
            with temporary.open("w", encoding="utf8", newline="\n") as stream:
                stream.writelines(f"{to_json(row)}\n" for row in rows)
        else:
            write_rows(temporary, rows, output_schema(columns, job.settings))
    _write_errors(Path(job.output) / ERRORS / f"{job.shard.name}.jsonl", failed)
    if job.settings.observe:
        _write_observed(Path(job.output) / OBSERVED / f"{job.shard.name}.jsonl", annotated)
    return ShardResult(
        number=job.shard.number,
        n_documents=len(documents),
        n_errors=len(failed),
        n_entities=sum(len(result[ENTITIES]) for _, result in annotated),
        input_sha256=input_sha256,
        output_sha256=sha256(target),
    )


def _row(job: Job, schema: Any, document: Document, result: Result) -> dict[str, Any]:
    columns = passed_through(document.columns, job.settings)
    if schema is not None:
        columns = fitted(columns, schema)
    written = {name: value for name, value in result.items() if name != OBSERVED}
    return {ID: document.id, **columns, **written, PIPELINE: job.identity}


def _write_observed(target: Path, annotated: Iterable[tuple[Document, Result]]) -> None:
    """Write the numbers of each document, for `monitor`."""
    with atomic_path(target) as temporary, temporary.open("w", encoding="utf8", newline="\n") as stream:
        for document, result in annotated:
            row = {**result[OBSERVED], ID: document.id}
            stream.write(json.dumps(row, separators=(",", ":")) + "\n")


def _write_errors(target: Path, failed: Iterable[tuple[Document, Result]]) -> None:
    lines = [
        json.dumps({"id": document.id, "place": document.place, "error": result["error"]}, ensure_ascii=False)
        for document, result in failed
    ]
    if lines:
        write_text(target, "".join(f"{line}\n" for line in lines))
    else:
        target.unlink(missing_ok=True)
