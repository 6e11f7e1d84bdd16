"""Reads the documents of a shard. A row that cannot be read is a document with a problem: the others go on."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from domain_ner.annotating.csv_records import Records
from domain_ner.annotating.jobs import Settings, Shard
from domain_ner.annotating.parquet import read_rows
from domain_ner.annotating.sources import JSONL, LINES, PARQUET, TEXT, Source, open_source, stamp_of
from domain_ner.errors import DomainNerError, did_you_mean


@dataclass(frozen=True)
class Document:
    """A text to annotate. place: `file:row`. columns: all that came with it. problem: why it cannot be annotated."""

    id: str
    place: str
    text: str = ""
    columns: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


class UnreadableError(ValueError):
    """A row that is no document; the message says why."""


def read_shard(shard: Shard, settings: Settings) -> Iterator[Document]:
    """Yield exactly the documents of a shard, in order.

    Raises DomainNerError when a file changed after it was planned.
    """
    for url, stamp in zip(shard.urls, shard.stamps, strict=True):
        if stamp_of(url) != stamp:
            raise DomainNerError(
                f"{url} changed after its documents were counted.", "Annotate it anew, into another folder."
            )
    n_read = 0
    for place, row in _rows(shard):
        yield _document(place, row, settings)
        n_read += 1
    if n_read != shard.n_documents:
        raise DomainNerError(
            f"{shard.urls[0]}: {n_read} documents from row {shard.first_row} on; expected {shard.n_documents}.",
            "The file changed after its documents were counted. Annotate it anew, into another folder.",
        )


def hash_documents(documents: Iterator[Document], digest: Any) -> Iterator[Document]:
    """Pass documents on, and add each to the digest."""
    for document in documents:
        packed = json.dumps([document.id, document.text, document.problem], ensure_ascii=False)
        digest.update(packed.encode("utf8", "surrogatepass"))
        yield document


def _rows(shard: Shard) -> Iterator[tuple[str, dict[str, Any] | UnreadableError]]:
    """Yield `file:row` and the row's columns, or why there are none."""
    if shard.kind == TEXT:
        for url in shard.urls:
            yield url, _text_file(url)
        return
    url = shard.urls[0]
    read = {JSONL: _json_rows, LINES: _line_rows, PARQUET: _parquet_rows}.get(shard.kind, _records)
    for row, columns in islice(read(shard), shard.n_documents):
        yield f"{url}:{row}", columns


def _text_file(url: str) -> dict[str, Any] | UnreadableError:
    with open_source(url) as stream:
        try:
            return {"text": _decoded(stream.read())}
        except UnreadableError as problem:
            return problem


def _lines(shard: Shard) -> Iterator[tuple[int, bytes]]:
    with open_source(shard.urls[0]) as stream:
        stream.seek(shard.start)
        for row, line in enumerate(stream, shard.first_row):
            if line.strip():
                yield row, line


def _json_rows(shard: Shard) -> Iterator[tuple[int, dict[str, Any] | UnreadableError]]:
    for row, line in _lines(shard):
        try:
            columns = json.loads(_decoded(line))
            yield row, columns if isinstance(columns, dict) else UnreadableError("not a JSON object")
        except (ValueError, RecursionError) as err:
            yield row, err if isinstance(err, UnreadableError) else UnreadableError(f"not JSON: {_reason(err)}")


def _reason(err: Exception) -> str:
    """Where a line stops to be JSON, without its text; the line is named elsewhere."""
    return f"{err.msg} at character {err.pos + 1}" if isinstance(err, json.JSONDecodeError) else str(err)


def _line_rows(shard: Shard) -> Iterator[tuple[int, dict[str, Any] | UnreadableError]]:
    for row, line in _lines(shard):
        try:
            yield row, {"text": _decoded(line).rstrip("\r\n")}
        except UnreadableError as problem:
            yield row, problem


def _parquet_rows(shard: Shard) -> Iterator[tuple[int, dict[str, Any] | UnreadableError]]:
    yield from enumerate(read_rows(shard.urls[0], shard.start, shard.n_documents), shard.first_row)


def _records(shard: Shard) -> Iterator[tuple[int, dict[str, Any] | UnreadableError]]:
    url = shard.urls[0]
    with open_source(url) as stream:
        records = Records(stream, Source(url, shard.kind, ""))
        records.seek(shard.start)
        for row, record in enumerate(records, shard.first_row):
            if len(record) != len(records.header):
                yield row, UnreadableError(f"{len(record)} fields; expected {len(records.header)}, as in the header")
            elif any("\udc80" <= character <= "\udcff" for value in record for character in value):
                yield row, UnreadableError("not UTF-8")
            else:
                yield row, dict(zip(records.header, record, strict=True))


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise UnreadableError(f"not UTF-8: byte {err.start}") from None


def _document(place: str, row: dict[str, Any] | UnreadableError, settings: Settings) -> Document:
    if isinstance(row, UnreadableError):
        return Document(place, place, problem=str(row))
    given = row.get(settings.id_column)
    name = place if given is None or given == "" else str(given)
    if settings.text_column not in row:
        hint = did_you_mean(settings.text_column, row)
        # The others are not named: of a CSV file without a header they are the first row's text.
        problem = f"no column {settings.text_column!r} among {len(row)}{hint and f'; {hint}'}"
        return Document(name, place, columns=row, problem=problem)
    text = row[settings.text_column]
    if not isinstance(text, str):
        kind = "nothing" if text is None else type(text).__name__
        return Document(
            name, place, columns=row, problem=f"column {settings.text_column!r} holds {kind}; expected text"
        )
    return Document(name, place, text, row)
