"""Tasks as Prodigy exports them."""

import json

from domain_ner.annotations.records import FileLog, ReaderOptions
from domain_ner.readers import prodigy

TEXT = "Payments uses Redis."
TEAM = {"start": 0, "end": 8, "label": "TEAM"}
INFRA = {"start": 14, "end": 19, "label": "INFRA"}
TOKENS = [
    {"text": "Payments", "start": 0, "end": 8, "id": 0, "ws": True},
    {"text": "uses", "start": 9, "end": 13, "id": 1, "ws": True},
    {"text": "Redis", "start": 14, "end": 19, "id": 2, "ws": False},
    {"text": ".", "start": 19, "end": 20, "id": 3, "ws": False},
]


def task(**changes):
    return {"text": TEXT, "spans": [TEAM], "answer": "accept", "_view_id": "ner_manual"} | changes


def write_rows(folder, *rows, name="export.jsonl"):
    path = folder / name
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def read_rows(folder, *rows, **options):
    log = FileLog("export.jsonl")
    return list(prodigy.read(write_rows(folder, *rows), ReaderOptions(**options), log)), log


def read_row(folder, row, **options):
    (record,), log = read_rows(folder, row, **options)
    assert not log.problems
    return record
