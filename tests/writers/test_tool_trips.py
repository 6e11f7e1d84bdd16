"""What an annotation tool makes of our exports, by its own ids and types, is read as what was exported."""

import csv
import json

import pytest
import spacy

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.corpus.splits import SplitRules, divide
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.writers.formats import export
from domain_ner.writers.options import WriterOptions

OPTIONS = WriterOptions(create_tokenizer()(spacy.blank("en")))
META = {
    "customer": 1, "share": 0.1234567890123456, "is_open": True, "site": "a\n\"b\";\tc", "none": None,
    "tags": ["x", {"y": 2}], "text": "t", "label": "l", "id": "i",
}  # fmt: skip
TEXT = 'Payments uses Redis.\nAnd "quotes";\tTabs'
SPANS = (LabelledSpan(0, 8, "TEAM"), LabelledSpan(0, 19, "TEAM"), LabelledSpan(14, 19, "INFRA"))
PASSAGES = [
    Passage(TEXT, SPANS, "a:1", META, annotator="ann", document="d/1"),
    Passage("Redis is up now.", (LabelledSpan(0, 5, "INFRA"),), "a:2", {"customer": 2}, document="d/1"),
    Passage("Nothing here.", (), "a:3", {}, document="7"),
    Passage("No document at all, Redis.", (LabelledSpan(20, 25, "INFRA"),), "a:4", {"site": "x"}),
]


def label_studio(path, kind):
    """The tasks of a file as Label Studio 1.23 exports them: with other ids, and by the one who imported them."""
    tasks = json.loads(path.read_text("utf8"))
    for n, task in enumerate(tasks, start=1849):
        task |= {"id": n, "meta": {}, "created_at": "2026", "drafts": []}
        (annotation,) = task["annotations"]
        annotation |= {"import_id": annotation["id"], "id": n + 7, "completed_by": 1, "updated_by": None}
        annotation.pop("created_username", None)
    if kind == "json":
        path.write_text(json.dumps(tasks), "utf8")
        return
    rows = [label_studio_row(task) for task in tasks]
    if kind == "json_min":
        path.write_text(json.dumps(rows), "utf8")
        return
    path.unlink()
    header = sorted({key for row in rows for key in row})
    with path.with_suffix(".csv").open("w", newline="", encoding="utf8") as stream:
        out = csv.DictWriter(stream, header, quoting=csv.QUOTE_NONNUMERIC, delimiter=kind)
        out.writeheader()
        nested = (list, dict)
        out.writerows({k: json.dumps(v) if isinstance(v, nested) else v for k, v in row.items()} for row in rows)


def label_studio_row(task):
    (annotation,) = task["annotations"]
    row = {**task["data"], "id": task["id"]}
    for region in annotation["result"]:
        row.setdefault(region["from_name"], []).append(region["value"])
    return {**row, "annotator": 1, "annotation_id": annotation["id"], "created_at": "2026", "lead_time": None}


def doccano(path):
    """The rows of a file as doccano 1.8.4 exports them: keys that some rows lack make floats of whole numbers."""
    rows = [json.loads(line) for line in path.read_text("utf8").splitlines()]
    assert len({tuple(row) for row in rows}) == 1
    for n, row in enumerate(rows, start=1849):
        row |= {"id": n, "Comments": []}
        row["meta"] = {key: round(v, 9) if isinstance(v, float) else v for key, v in row["meta"].items()}
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf8")


TRIPS = {
    "label_studio": [lambda path, kind=kind: label_studio(path, kind) for kind in ("json", "json_min", ",", "\t")],
    "doccano": [doccano],
}


@pytest.fixture(params=[(to, trip) for to, trips in TRIPS.items() for trip in trips], ids=lambda param: param[0])
def trip(request, tmp_path):
    """A function: what is read of passages after they went through a tool."""
    to, through = request.param

    def go(passages):
        path = tmp_path / "exports" / ("x.json" if to == "label_studio" else "x.jsonl")
        path.parent.mkdir(exist_ok=True)
        export(passages, path, to, OPTIONS)
        through(path)
        return read_annotations(path.parent, ImportSettings(reading="offsets=utf16" if to == "doccano" else ""))

    return go


def test_texts_spans_documents_and_meta_are_those_that_were_exported(trip):
    read = trip(PASSAGES)
    assert [(one.text, one.spans, one.document, dict(one.meta)) for one in read.merged] == [
        (one.text, one.spans, one.document, dict(one.meta)) for one in PASSAGES
    ]
    assert read.problems == ()


@pytest.mark.parametrize("group_by", ["document", "customer", ""])
def test_every_passage_stays_in_its_split(trip, group_by):
    words = [f"w{n}" for n in range(400)]
    given = [
        Passage(
            " ".join(words[n : 400 : n + 7][:12]) + f" {n}", (), f"a:{n}", {"customer": n % 8}, document=f"d{n % 9}"
        )
        for n in range(40)
    ]
    first = divide(given, SplitRules({"train": 0.5, "dev": 0.2, "test": 0.3}, group_by))
    rules = SplitRules({"train": 0.5, "dev": 0.2, "test": 0.3}, group_by, former=first.assigned)
    again = divide(trip(given).merged, rules)
    before, after = (
        {one.text: name for name, found in division.splits.items() for one in found} for division in (first, again)
    )
    assert before == after
    assert first.assigned == again.assigned


def test_who_annotated_is_kept_where_label_studio_says_that_nobody_has_changed_it(tmp_path):
    path = tmp_path / "x.json"
    export(PASSAGES[:2], path, "label_studio", OPTIONS)
    label_studio(path, "json")
    assert [one.annotator for one in read_annotations(path).merged] == ["ann", "1"]
    tasks = json.loads(path.read_text("utf8"))
    tasks[0]["annotations"][0]["updated_by"] = 1
    path.write_text(json.dumps(tasks), "utf8")
    assert [one.annotator for one in read_annotations(path).merged] == ["1", "1"]


def test_meta_that_somebody_added_in_the_tool_are_read_too(tmp_path):
    path = tmp_path / "x.json"
    export(PASSAGES[1:2], path, "label_studio", OPTIONS)
    tasks = json.loads(path.read_text("utf8"))
    tasks[0]["data"]["priority"] = 3
    path.write_text(json.dumps(tasks), "utf8")
    assert dict(read_annotations(path).merged[0].meta) == {"customer": 2, "priority": 3}


def test_a_damaged_string_is_meta_like_any_other(tmp_path):
    path = tmp_path / "x.json"
    export(PASSAGES[1:2], path, "label_studio", OPTIONS)
    tasks = json.loads(path.read_text("utf8"))
    tasks[0]["data"]["domain_ner"] = '{"document": '
    path.write_text(json.dumps(tasks), "utf8")
    (read,) = read_annotations(path).merged
    assert (read.document, dict(read.meta)) == ("1", {"customer": 2, "domain_ner": '{"document": '})


def test_brat_files_whose_sidecar_is_damaged_or_gone_are_read_without_it(tmp_path):
    export(PASSAGES[1:3], tmp_path / "pairs", "brat", OPTIONS)
    sidecar = tmp_path / "pairs" / "domain_ner.conf"
    assert sorted(one.document for one in read_annotations(tmp_path).merged) == ["7", "d/1"]
    sidecar.write_text("")
    read = read_annotations(tmp_path)
    assert sorted(one.document for one in read.merged) == ["000001", "7"]
    assert any("cannot read domain_ner.conf" in note for _, note in read.ledger.notes)
    sidecar.unlink()
    assert sorted(one.document for one in read_annotations(tmp_path).merged) == ["000001", "7"]
