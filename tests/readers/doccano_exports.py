"""Rows as doccano exports them, and rows of other tools."""

import json

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.readers import doccano
from domain_ner.readers.text_files.decoding import read_sample

TEXT = "Paris is big"


def row(**changes):
    return {"id": 1, "text": TEXT, "label": [[0, 5, "LOC"]], "Comments": []} | changes


def lines(*rows):
    return "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in rows)


def write_rows(folder, *rows, name="export.jsonl"):
    path = folder / name
    path.write_text(lines(*rows), encoding="utf-8")
    return path


def read(path, **options):
    log = FileLog(path.name)
    return list(doccano.read(path, ReaderOptions(**options), log)), log


def recognises(path):
    if path.suffix == ".zip":
        return doccano.recognises(Sample(path, "", whole=False))
    text, whole = read_sample(path)
    return doccano.recognises(Sample(path, text, whole))


OTHERS = {
    "text classification": {"id": 1, "text": TEXT, "label": ["travel"]},
    "spaCy": {"text": TEXT, "entities": [[0, 5, "LOC"]]},
    "Label Studio": {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": []}]},
    "Label Studio JSON_MIN": {"id": 1, "text": TEXT, "label": [], "annotation_id": None},
    "Prodigy": {"text": TEXT, "spans": [{"start": 0, "end": 5, "label": "LOC"}]},
}
