"""Records with spans at given offsets, and characters that units count differently."""

from domain_ner.annotations.records import Record

FAMILY, ACCENT = "👩‍👩‍👧", "e\u0301"


def record(text, *spans, **fields):
    return Record(text, tuple(spans), "export.jsonl", line=1, **fields)
