"""`next-batch` from files: tasks for the three tools, a record without text, nothing chosen twice."""

import json

import pytest
import tiny_pipelines
from pipelines import run

from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.errors import DomainNerError
from domain_ner.monitoring.baseline import Identity
from domain_ner.monitoring.report import DOCUMENTS, LOOK, Figures, Finding, MonitorReport, WindowReport
from domain_ner.selecting.batches import given_out

RAW = [
    f"The {name} squad moved {system} to the new cluster." for name in ("Zorp", "Atlas") for system in ("Redis", "Quux")
]


@pytest.fixture(scope="module")
def pipeline(tiny_encoder, tmp_path_factory):
    model, _ = tiny_pipelines.saved(tiny_encoder("bert"), tmp_path_factory.mktemp("pipeline"))
    return model


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.jsonl"
    rows = [{"text": text, "id": f"doc-{n}"} for n, text in enumerate(RAW)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
    return path


def finding(passages, *, is_significant=True, is_small=False):
    figures = {"baseline": 0.1, "window": 0.2, "difference": 0.1, "limit": 0.01, "p": 0.001, "p_corrected": 0.001}
    return Finding(
        name="unseen words", label="", **figures, is_significant=is_significant, is_small=is_small, passages=passages
    )


def report_of(*findings):
    """A report of monitor with one window."""
    figures = Figures(**dict.fromkeys(Figures.model_fields, None) | {"empty": 0.0})
    window = WindowReport(
        name="w", kind=DOCUMENTS, n_documents=4, n_compared=4, verdict=LOOK, reasons=[],
        findings=list(findings), f1=None, by_type={}, figures=figures, missing=[],
    )  # fmt: skip
    return MonitorReport(
        date="2026-11-30", pipeline=Identity(name="en_pipeline", version="0.0.0", sha256="0"), source="", corpus="",
        baseline=figures, n_baseline=4, alpha=0.01, margin=0.03, n_permutations=100, windows=[window], history=[],
        blind_spots=[],
    )  # fmt: skip


def record(folder):
    return json.loads((folder / "batch.json").read_text(encoding="utf8"))


def test_tasks_for_each_tool_hold_the_text_the_suggestions_and_the_reason(pipeline, raw, tmp_path):
    ran = run("next_batch", pipeline, raw, tmp_path / "out", "--n", 2)
    folder = tmp_path / "out" / "001"
    assert "errors are expected" in ran.stdout
    for suffix in ("prodigy.jsonl", "label_studio.json", "doccano.jsonl"):
        assert (folder / f"tasks.{suffix}").is_file()
    tasks = [json.loads(line) for line in (folder / "tasks.prodigy.jsonl").read_text("utf8").splitlines()]
    assert len(tasks) == 2 and {task["text"] for task in tasks} <= set(RAW)
    assert any(task["spans"] for task in tasks) and all(task["meta"]["why"] for task in tasks)
    assert all(0 <= span["score"] <= 1 for task in tasks for span in task["spans"])
    studio = json.loads((folder / "tasks.label_studio.json").read_text("utf8"))
    assert studio[0]["predictions"][0]["model_version"].startswith("en_pipeline") and not studio[0]["annotations"]
    # Its uncertainty sampling takes the lowest first: a priority would be the wrong way round.
    assert [task["predictions"][0].get("score") for task in studio] == [
        min((span["score"] for span in task["spans"]), default=None) for task in tasks
    ]
    assert not any(text in (folder / "batch.json").read_text("utf8") for text in RAW)


def test_what_is_out_or_annotated_is_not_chosen_again(pipeline, raw, tmp_path, write_jsonl):
    answered = write_jsonl([{"text": RAW[0], "spans": [], "answer": "accept"}])
    for n in (2, 2):
        run("next_batch", pipeline, raw, tmp_path / "out", "--n", n, "--annotated", answered.parent)
    batches = [record(tmp_path / "out" / name)["passages"] for name in ("001", "002")]
    ids = [row["id"] for rows in batches for row in rows]
    assert sorted(ids) == ["doc-1", "doc-2", "doc-3"]
    ran = run("next_batch", pipeline, raw, tmp_path / "out", "--annotated", answered.parent, check=False)
    assert ran.returncode == 1 and "None of 4 passages is left" in ran.stderr


def test_blind_tasks_hold_no_suggestion(pipeline, raw, tmp_path):
    run("next_batch", pipeline, raw, tmp_path / "out", "--n", 1, "--blind")
    (task,) = (tmp_path / "out" / "001" / "tasks.prodigy.jsonl").read_text("utf8").splitlines()
    assert not json.loads(task)["spans"]


def test_what_a_monitor_reported_comes_first(pipeline, raw, tmp_path):
    """Those behind the findings that count, not those of differences that are small or chance."""
    monitored = report_of(
        finding(["doc-3"]), finding(["doc-0"], is_small=True), finding(["doc-1"], is_significant=False)
    )
    (tmp_path / "monitor.json").write_text(monitored.model_dump_json(), encoding="utf8")
    run("next_batch", pipeline, raw, tmp_path / "out", "--n", 2, "--reported", tmp_path / "monitor.json")
    first, second = record(tmp_path / "out" / "001")["passages"]
    assert first["id"] == "doc-3" and first["reported"] is True and "reported" not in second
    ran = run("next_batch", pipeline, raw, tmp_path / "out", "--reported", raw, check=False)
    assert ran.returncode == 1 and "raw.jsonl is no report of monitor" in ran.stderr


def test_answers_can_be_read_back(pipeline, raw, tmp_path):
    """The tasks, accepted as they are, become annotations of the same texts."""
    run("next_batch", pipeline, raw, tmp_path / "out", "--n", 4)
    tasks = [json.loads(line) for line in (tmp_path / "out/001/tasks.prodigy.jsonl").read_text("utf8").splitlines()]
    folder = tmp_path / "answers"
    folder.mkdir()
    lines = (json.dumps({**task, "answer": "accept"}) + "\n" for task in tasks)
    (folder / "answers.jsonl").write_text("".join(lines), encoding="utf8")
    merged = read_annotations(folder, ImportSettings()).merged
    assert {passage.text: len(passage.spans) for passage in merged} == {
        task["text"]: len(task["spans"]) for task in tasks
    }


def test_a_damaged_record_is_named(tmp_path):
    (tmp_path / "001").mkdir()
    (tmp_path / "001" / "batch.json").write_text("{", encoding="utf8")
    with pytest.raises(DomainNerError, match="batch.json is damaged"):
        given_out(tmp_path)


def test_what_came_with_a_passage_goes_with_its_task(pipeline, tmp_path):
    """Such as the key that convert groups the splits by."""
    row = {"text": RAW[0], "id": 7, "org": "zorp", "spans": [1], "score": 3, "meta": {"year": 2026}}
    (tmp_path / "raw.jsonl").write_text(json.dumps(row) + "\n", encoding="utf8")
    run("next_batch", pipeline, tmp_path / "raw.jsonl", tmp_path / "out")
    (task,) = map(json.loads, (tmp_path / "out/001/tasks.prodigy.jsonl").read_text("utf8").splitlines())
    meta = task["meta"]
    assert (meta["org"], meta["year"], meta["score"]) == ("zorp", 2026, 3)
    assert "spans" not in meta and meta["priority"] >= 0


def test_rows_that_cannot_be_read_cost_only_themselves(pipeline, raw, tmp_path):
    with raw.open("ab") as stream:
        stream.write(b'{"text": null}\n{"text": "caf\xe9"}\n{"text": "x"\n')
    ran = run("next_batch", pipeline, raw, tmp_path / "out", "--n", 4)
    assert "3 passages could not be read, the first" in ran.stdout and "raw.jsonl:5" in ran.stdout
    assert len(record(tmp_path / "out" / "001")["passages"]) == 4


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", (), "There is no passage in"),
        ('{"body": "Redis"}\n', (), "--text-column"),
        ('{"text": "Redis"}\n', ("--strategy", "entropi"), "expected expected-errors"),
    ],
)
def test_what_cannot_be_chosen_from_is_said(pipeline, tmp_path, content, options, message):
    (tmp_path / "raw.jsonl").write_text(content, encoding="utf8")
    ran = run("next_batch", pipeline, tmp_path / "raw.jsonl", tmp_path / "out", *options, check=False)
    assert ran.returncode == 1 and message in ran.stderr and not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_or_among_the_input_is_refused(pipeline, raw, tmp_path):
    ran = run("next_batch", pipeline, raw, raw, check=False)
    assert ran.returncode == 1 and "is a file" in ran.stderr
    ran = run("next_batch", pipeline, tmp_path, tmp_path / "out", check=False)
    assert ran.returncode == 1 and "lies in the input" in ran.stderr


def test_passages_too_long_to_annotate_are_told(pipeline, raw, tmp_path):
    ran = run("next_batch", pipeline, raw, tmp_path / "short", "--n", 1)
    assert "tokens" not in ran.stdout + ran.stderr
    with raw.open("a", encoding="utf8") as stream:
        stream.write(json.dumps({"text": " ".join(f"Redis met Zorp{n}." for n in range(300))}) + "\n")
    ran = run("next_batch", pipeline, raw, tmp_path / "long", "--n", 1)
    assert "1 of these passages have more than 1,000 tokens, the longest 1,200" in ran.stdout + ran.stderr
