"""Label Studio's exports of tasks with several texts, in each of its formats."""

import csv
import json

from domain_ner.annotations.records import FileLog, ReaderOptions
from domain_ner.conversion.spans import Checks, locate_record
from domain_ner.readers.label_studio import table as label_studio_table
from domain_ner.readers.label_studio import tasks as label_studio

FORMATS = ["json_min", "csv", "tsv"]
TITLE = "Ada wins in Oslo"
BODY = "Then Bob met Ada, and both went on to Bonn."
SPANS = {"title": [("Ada", "PER"), ("Oslo", "LOC")], "body": [("Bob", "PER"), ("Ada", "PER"), ("Bonn", "LOC")]}


def value(text, words, label, *, said=True, **more):
    start = text.index(words)
    told = {"text": words} if said else {}
    return {"start": start, "end": start + len(words), **told, "labels": [label], **more}


def values(text, spans, **more):
    return [value(text, words, label, **more) for words, label in spans]


def result(name, found, control="label"):
    return [{"from_name": control, "to_name": name, "type": "labels", "value": one} for one in found]


def task(data, *results, n=1, **annotation):
    found = [item for one in results for item in one]
    return {"id": n, "data": data, "annotations": [{"id": n, "completed_by": 1, "result": found, **annotation}]}


def two_texts(names=("title", "body"), **more):
    """A task with regions in both of its texts, and one without a region in its body."""
    data = {"title": TITLE, "body": BODY, "site": "a"}
    results = [result(name, values(data[key], SPANS[key], **more)) for name, key in zip(names, SPANS, strict=True)]
    other = {"title": "Eve in Rome", "body": "Nothing is told of her.", "site": "b"}
    spans = [("Eve", "PER"), ("Rome", "LOC")]
    return [task(data, *results), task(other, result(names[0], values(other["title"], spans, **more)), n=2)]


BOTH = [
    (TITLE, SPANS["title"]), (BODY, SPANS["body"]), ("Eve in Rome", [("Eve", "PER"), ("Rome", "LOC")]),
    ("Nothing is told of her.", []),
]  # fmt: skip


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf8")
    return path


def write_csv(path, rows, delimiter=","):
    """Write a CSV file like Label Studio: lists as JSON, numbers without quotes."""
    with path.open("w", newline="", encoding="utf8") as stream:
        out = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_NONNUMERIC)
        header = sorted({key for row in rows for key in row})
        out.writerow(header)
        cells = [[row.get(key) for key in header] for row in rows]
        out.writerows([[json.dumps(one) if isinstance(one, list | dict) else one for one in row] for row in cells])
    return path


def read(path, **options):
    log = FileLog(path.name)
    reader = label_studio if path.name.startswith("tasks") else label_studio_table
    records = list(reader.read(path, ReaderOptions(**options), log))
    return records, log


def read_tasks(tmp_path, tasks, **options):
    return read(write(tmp_path / "tasks.json", tasks), **options)


def found(records):
    """(text, [(words, label)]) of each record, as the conversion step reads them."""
    passages = [locate_record(record, Checks()).passage for record in records]
    return [(one.text, [(one.text[span.start : span.end], span.label) for span in one.spans]) for one in passages]


def row(regions, n=1, **data):
    return {**data, "id": n, **regions, "annotator": 1, "annotation_id": n, "lead_time": 1.5}


def two_text_rows(**more):
    first = {"names": values(TITLE, SPANS["title"], **more), "people": values(BODY, SPANS["body"], **more)}
    second = {"names": values("Eve in Rome", [("Eve", "PER"), ("Rome", "LOC")], **more)}
    other = {"title": "Eve in Rome", "body": "Nothing is told of her.", "site": "b"}
    return [row(first, title=TITLE, body=BODY, site="a"), row(second, n=2, **other)]


def write_rows_as(kind, folder, rows):
    """Write rows as Label Studio does, in one of its FORMATS."""
    if kind == "json_min":
        return write(folder / "min.json", rows)
    return write_csv(folder / "result.csv", rows, "," if kind == "csv" else "\t")


CONFIG = """<View><Text name="t1" value="$title"/><Text name="t2" value="$body"/><Text name="shown" value="$site"/>
<Labels name="names" toName="t1"/><Labels name="people" toName="t2"/></View>"""
