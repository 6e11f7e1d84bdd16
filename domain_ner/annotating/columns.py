"""What of the input passes through to the output: its columns, and in Parquet their types."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from domain_ner.annotating.jobs import EXTRA, ID, OWN_COLUMNS, Settings, Shard
from domain_ner.annotating.parquet import arrow, read_schema
from domain_ner.annotating.reading import read_shard
from domain_ner.annotating.sources import PARQUET

# Rows of a shard, and shards, from which the types of JSON columns are read.
SAMPLE_ROWS, SAMPLE_SHARDS = 1000, 20
# In the metadata of a field: its values are written as JSON.
AS_JSON = {b"domain_ner": b"json"}


def passed_through(columns: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Select and rename what passes through: all but the id, and the text unless it is asked for."""
    left_out = {
        settings.id_column if settings.id_column == ID else "",
        "" if settings.with_text else settings.text_column,
    }
    return {_free(name): value for name, value in columns.items() if name not in left_out}


def find_schema(shards: Iterable[Shard], settings: Settings) -> str:
    """The Arrow schema of what passes through, as text. A value that does not fit it later goes to `extra`, as JSON."""
    pyarrow = arrow()
    found: dict[str, Any] = {}
    for shard in islice(shards, SAMPLE_SHARDS):
        if shard.kind == PARQUET:
            schema = read_schema(shard.urls[0])
            kinds = dict(zip(schema.names, schema.types, strict=True))
            fields: Iterable[tuple[str, Any]] = passed_through(kinds, settings).items()
        else:
            fields = _sampled(shard, settings)
        for name, kind in fields:
            found[name] = kind if name not in found or found[name] == kind else _joined(found[name], kind)
    made = [
        pyarrow.field(name, pyarrow.string() if kind is None else kind, metadata=AS_JSON if kind is None else None)
        for name, kind in found.items()
    ]
    return base64.b64encode(pyarrow.schema(made).serialize().to_pybytes()).decode("ascii")


def schema_from_text(text: str) -> Any:
    """The inverse of `find_schema`."""
    pyarrow = arrow()
    return pyarrow.ipc.read_schema(pyarrow.py_buffer(base64.b64decode(text)))


def fitted(columns: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    """The columns as the schema holds them; what it cannot hold is in `extra`, as JSON."""
    row: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in columns.items():
        place = schema.get_field_index(name)
        if place >= 0 and (schema.field(place).metadata or {}) == AS_JSON:
            row[name] = None if value is None else to_json(value)
        elif place >= 0 and _fits(value, schema.field(place).type):
            row[name] = value
        else:
            rest[name] = value
    return {**row, EXTRA: to_json(rest) if rest else None}


def to_json(value: Any) -> str:
    """JSON of any value: what JSON has no form for is written as text (dates in ISO 8601, bytes in base64)."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=_as_text)
        text.encode("utf8")
    except UnicodeEncodeError:
        return json.dumps(value, default=_as_text)
    return text


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _free(name: str) -> str:
    return f"input_{name}" if name in OWN_COLUMNS else name


def _sampled(shard: Shard, settings: Settings) -> Iterator[tuple[str, Any]]:
    for document in islice(read_shard(shard, settings), min(SAMPLE_ROWS, shard.n_documents)):
        for name, value in passed_through(document.columns, settings).items():
            if value is not None:
                yield name, _kind(value)


def _kind(value: Any) -> Any:
    """The Arrow type of a JSON value, None for lists and objects."""
    pyarrow = arrow()
    kinds = {bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64(), str: pyarrow.string()}
    return kinds.get(type(value))


def _joined(one: Any, other: Any) -> Any:
    pyarrow = arrow()
    numbers = {pyarrow.int64(), pyarrow.float64()}
    return pyarrow.float64() if {one, other} <= numbers else None


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value can be written as this type without a change."""
    pyarrow = arrow()
    if value is None:
        return True
    if isinstance(value, bool) != pyarrow.types.is_boolean(kind) or isinstance(value, str) != _is_string(kind):
        return False
    try:
        return bool(pyarrow.scalar(value, type=kind).is_valid)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):  # UnicodeEncodeError is a ValueError
        return False


def _is_string(kind: Any) -> bool:
    types = arrow().types
    return bool(types.is_string(kind) or types.is_large_string(kind))
