"""Whole runs with real processes: what is written, what fails, what is continued, what is refused."""

import datetime
import json

import pipelines
import pyarrow.parquet
import pytest
import spacy
from annotators import output_rows, outputs, run, text_of, write_rows
from fragile_pipelines import install_fragile, ruler

from domain_ner.annotating.jobs import Settings
from domain_ner.errors import DomainNerError

SETTINGS = Settings(with_text=True)


def rows(n):
    return [{"id": f"d{number:04d}", "text": text_of(number), "year": number} for number in range(n)]


@pytest.fixture
def pipeline(tmp_path):
    return ruler(tmp_path / "pipeline")


@pytest.fixture
def given(tmp_path):
    return write_rows(tmp_path / "in" / "in.jsonl", rows(25))


def test_each_document_has_its_entities_and_what_came_with_it(tmp_path, pipeline, given):
    summary = run(pipeline, [given], tmp_path / "out", SETTINGS)
    found = output_rows(tmp_path / "out")
    assert [(row["id"], row["text"], row["year"]) for row in found] == [
        (row["id"], row["text"], row["year"]) for row in rows(25)
    ]
    for row in found:
        assert row["pipeline"].startswith("en_ruler 1.0.0 ")
        assert all(row["text"][ent["start"] : ent["end"]] == ent["text"] for ent in row["entities"])
    n_names = sum(row["text"].count("Redis") + row["text"].count("Kafka") for row in rows(25))
    assert summary.n_entities == n_names > 0 and summary.n_documents == 25 and summary.n_shards == 3
    manifest = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").open()]
    assert sorted(row["number"] for row in manifest) == [0, 1, 2]


def test_the_command_says_what_it_wrote_and_what_it_does_not_know(tmp_path, pipeline, given):
    ran = pipelines.run("annotate_documents", pipeline, given, tmp_path / "out", "--processes", "1")
    assert "25 documents with" in ran.stdout and len(output_rows(tmp_path / "out")) == 25
    ran = pipelines.run("annotate_documents", pipeline, given, tmp_path / "no", "--format", "csv", check=False)
    assert ran.returncode == 1 and "--format is 'csv'; expected jsonl or parquet." in ran.stderr


def test_no_text_is_written_unless_asked_for(tmp_path, pipeline, given):
    run(pipeline, [given], tmp_path / "out", Settings())
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"Redis" not in written and b"Kafka" not in written and b"INFRA" in written


@pytest.mark.slow
def test_several_processes_write_the_same_bytes_as_one(tmp_path, pipeline, given):
    run(pipeline, [given], tmp_path / "one", SETTINGS)
    seen = []
    run(pipeline, [given], tmp_path / "two", SETTINGS, n_processes=2, watch=seen.append)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")
    assert seen[-1] == 25 and seen == sorted(seen)


@pytest.mark.slow
def test_a_second_run_adds_only_new_files(tmp_path, pipeline, given):
    run(pipeline, [given.parent], tmp_path / "out", SETTINGS)
    before = outputs(tmp_path / "out")
    write_rows(given.parent / "more.jsonl", [{"id": "new", "text": "Redis"}])
    summary = run(pipeline, [given.parent], tmp_path / "out", SETTINGS)
    assert (summary.n_before, summary.n_documents) == (25, 26)
    after = outputs(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    assert [row["id"] for row in output_rows(tmp_path / "out")][-1] == "new"


@pytest.mark.slow
def test_results_within_the_input_folder_are_no_inputs(tmp_path, pipeline, given):
    output = given.parent / "out"
    run(pipeline, [given.parent], output, SETTINGS)
    assert run(pipeline, [given.parent], output, SETTINGS).n_documents == 25


@pytest.mark.slow
def test_another_pipeline_other_settings_or_a_changed_file_are_not_mixed_in(tmp_path, pipeline, given):
    run(pipeline, [given], tmp_path / "out", SETTINGS)
    before = outputs(tmp_path / "out")
    with pytest.raises(DomainNerError, match=r"pipeline version '1\.0\.0'; this is '2\.0\.0'.*\n.*another output"):
        run(ruler(tmp_path / "other", version="2.0.0"), [given], tmp_path / "out", SETTINGS)
    with pytest.raises(DomainNerError, match="settings with_text True; this is False"):
        run(pipeline, [given], tmp_path / "out", Settings())
    write_rows(given, rows(24))
    with pytest.raises(DomainNerError, match="changed after"):
        run(pipeline, [given], tmp_path / "out", SETTINGS)
    assert outputs(tmp_path / "out") == before


def test_a_folder_that_holds_something_else_is_refused(tmp_path, pipeline, given):
    write_rows(tmp_path / "out" / "mine.jsonl", [{}])
    with pytest.raises(DomainNerError, match=r"not empty, and holds no run\.json"):
        run(pipeline, [given], tmp_path / "out", SETTINGS)


def test_a_pipeline_that_cannot_be_loaded_is_an_error(tmp_path, given):
    with pytest.raises(DomainNerError, match="Cannot load a pipeline"):
        run(tmp_path / "none", [given], tmp_path / "out", SETTINGS)


def poisoned():
    made = rows(30)
    made[4]["text"] = "please RAISE Redis"
    made[17]["text"] = "please KILL Redis"
    made[25]["text"] = "\ud800"
    made[26]["text"] = "x" * 1_000_001  # spaCy's limit
    return made


@pytest.mark.slow
def test_documents_that_fail_or_end_the_process_cost_only_themselves(tmp_path, monkeypatch):
    install_fragile(tmp_path / "site", monkeypatch)
    given = tmp_path / "in.jsonl"
    given.write_text("".join(json.dumps(row) + "\n" for row in poisoned()) + "{not JSON\n")
    summary = run(ruler(tmp_path / "fragile", "fragile"), [given], tmp_path / "out", SETTINGS, n_processes=2)
    errors = [json.loads(line) for line in (tmp_path / "out" / "errors.jsonl").open()]
    assert [error["id"] for error in errors] == ["d0004", "d0017", "d0025", "d0026", f"{given}:31"]
    assert [error["place"] for error in errors][1] == f"{given}:18"
    assert (
        errors[0]["error"] == "ValueError: a component failed on please RAISE Redis"
        and "process ended" in errors[1]["error"]
    )
    assert "not JSON" in errors[4]["error"]
    assert (summary.n_documents, summary.n_errors) == (31, 5)
    good = [row for row in poisoned() if row["id"] not in {"d0004", "d0017", "d0025", "d0026"}]
    assert [(row["id"], row["text"]) for row in output_rows(tmp_path / "out")] == [
        (row["id"], row["text"]) for row in good
    ]
    assert not any((tmp_path / "out" / ".unfinished").iterdir())


@pytest.mark.slow
def test_the_error_of_a_component_does_not_bring_the_text_along(tmp_path, monkeypatch):
    install_fragile(tmp_path / "site", monkeypatch)
    given = write_rows(tmp_path / "in.jsonl", [{"id": "bad", "text": "RAISE Redis"}, {"id": "good", "text": "Kafka"}])
    run(ruler(tmp_path / "fragile", "fragile"), [given], tmp_path / "out", Settings())
    [error] = [json.loads(line) for line in (tmp_path / "out" / "errors.jsonl").open()]
    assert (error["id"], error["error"]) == ("bad", "ValueError in the pipeline")


@pytest.mark.slow
def test_parquet_keeps_the_types_and_what_does_not_fit_them(tmp_path, pipeline, monkeypatch):
    monkeypatch.setattr("domain_ner.annotating.columns.SAMPLE_SHARDS", 1)
    made = [*rows(12), {"id": "odd", "text": "Redis", "year": "none", "late": [1, 2]}, {"id": "less", "text": "Kafka"}]
    given = write_rows(tmp_path / "in.jsonl", made)
    settings = Settings(output_format="parquet", with_below=True)
    run(pipeline, [given], tmp_path / "out", settings, shard_size=12)
    table = pyarrow.parquet.read_table(tmp_path / "out" / "documents").to_pylist()
    assert [row["year"] for row in table] == [*range(12), None, None]
    assert json.loads(table[12]["extra"]) == {"year": "none", "late": [1, 2]}
    assert table[13]["entities"] == [{"start": 0, "end": 5, "label": "INFRA", "confidence": None}]
    assert "text" not in table[0] and table[0]["below_threshold"] == []


@pytest.mark.slow
def test_a_parquet_file_passes_through_with_its_own_types(tmp_path, pipeline):
    when = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
    made = [{"key": n, "text": text_of(n), "when": when, "tags": ["a", "b"], "raw": b"\xff"} for n in range(5)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(made), tmp_path / "in.parquet")
    settings = Settings(id_column="key", output_format="parquet")
    run(pipeline, [tmp_path / "in.parquet"], tmp_path / "out", settings, shard_size=2)
    found = pyarrow.parquet.read_table(tmp_path / "out" / "documents").to_pylist()
    assert [(row["id"], row["key"], row["when"], row["tags"], row["raw"]) for row in found] == [
        (str(n), n, when, ["a", "b"], b"\xff") for n in range(5)
    ]
    run(pipeline, [tmp_path / "in.parquet"], tmp_path / "lines", Settings(id_column="key"), shard_size=2)
    assert output_rows(tmp_path / "lines")[0]["when"] == when.isoformat()


@pytest.mark.slow
def test_spans_that_nest_are_written_with_the_entities(tmp_path):
    nlp = spacy.blank("en")
    patterns = [{"label": "TEAM", "pattern": "Redis Ops"}, {"label": "INFRA", "pattern": "Redis"}]
    nlp.add_pipe("span_ruler", config={"spans_key": "sc"}).add_patterns(patterns)
    nlp.to_disk(tmp_path / "nested")
    given = write_rows(tmp_path / "in.jsonl", [{"text": "ask Redis Ops"}])
    run(tmp_path / "nested", [given], tmp_path / "out", Settings())
    (row,) = output_rows(tmp_path / "out")
    assert [(one["start"], one["end"], one["label"]) for one in row["entities"]] == [(4, 13, "TEAM"), (4, 9, "INFRA")]
