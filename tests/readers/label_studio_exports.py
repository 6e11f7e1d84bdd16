"""Tasks as Label Studio exports them, and what the readers find in them."""

import json

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.conversion.spans import Checks, locate_record
from domain_ner.readers.label_studio import table as label_studio_table
from domain_ner.readers.label_studio import tasks as label_studio
from domain_ner.readers.text_files.decoding import read_sample

TEXT = "Ada met Bob in Paris."
ADA = {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}
PARIS = {"start": 15, "end": 20, "text": "Paris", "labels": ["LOC"]}


def region(value, **item):
    kind = next(key for key in value if key.endswith("labels"))
    return {"id": "r", "from_name": "label", "to_name": "text", "type": kind, "value": value, **item}


def annotation(*values, **rest):
    return {"id": 1, "completed_by": 1, "result": [region(value) for value in values], **rest}


def task(*annotations, text=TEXT, **rest):
    return {"id": 7, "annotations": list(annotations), "data": {"text": text}, **rest}


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf8")
    return path


def read(path, reader=label_studio, options=ReaderOptions()):  # noqa: B008
    log = FileLog(path.name)
    return list(reader.read(path, options, log)), log


def read_tasks(tmp_path, *tasks, options=ReaderOptions()):  # noqa: B008
    return read(write(tmp_path / "export.json", list(tasks)), options=options)


def found(record):
    """(words, label) of the spans that the conversion step keeps."""
    passage = locate_record(record, Checks()).passage
    return [(passage.text[span.start : span.end], span.label) for span in passage.spans]


def recognised(path):
    sample = Sample(path, *read_sample(path))
    return [reader.NAME for reader in (label_studio, label_studio_table) if reader.recognises(sample)]
