"""`draft` from files: tasks for three tools with scores, a record without texts, and errors that say what to do."""

import json

import pytest
from conftest import GUIDE
from llm_server import Behaviour, serving
from pipelines import run

from domain_ner.conversion.exports import ImportSettings, read_annotations

NAMES = {"Redis": "INFRA", "Payments squad": "TEAM", "checkout-api": "SERVICE"}
KEY = "sk-secret-0123456789"
RAW = [
    "The Payments squad moved Redis behind checkout-api.",
    "Nobody saw Grafana fail.",
    "The Payments squad met.",
    "Nothing happened.",
]


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.jsonl"
    rows = [{"text": text, "id": f"doc-{n}", "org": "zorp"} for n, text in enumerate(RAW)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
    return path


def record(folder):
    return json.loads((folder / "draft.json").read_text(encoding="utf8"))


def prodigy(folder):
    return [json.loads(line) for line in (folder / "tasks.prodigy.jsonl").read_text("utf8").splitlines()]


def found(task):
    return [(task["text"][span["start"] : span["end"]], span["label"], span["score"]) for span in task["spans"]]


def draft(raw, folder, *options, check=True):
    # A language without rules of its own: its tokenizer is made in no time.
    return run("draft_annotations", GUIDE, raw, folder, "--lang", "xx", *options, check=check)


def test_a_model_and_the_guide_s_names_vote_and_disputed_passages_come_first(raw, tmp_path, monkeypatch):
    monkeypatch.setenv("DOMAIN_NER_LLM_KEY", KEY)
    does, out = Behaviour(NAMES, key=KEY), tmp_path / "out"
    with serving(does) as url:
        ran = draft(raw, out, "--llm", url, "--model", "m", "--guide-names", "--weights", "llm=3")
        again = draft(raw, out, "--llm", url, "--model", "m", "--guide-names", "--weights", "llm=3")
    tasks = prodigy(out)
    assert sorted(task["text"] for task in tasks) == sorted(RAW) and does.n_calls == 4
    # Only the guide names Grafana.
    assert tasks[0]["text"] == RAW[1] and found(tasks[0]) == [("Grafana", "INFRA", 0.25)]
    assert tasks[0]["meta"]["why"] == "'Grafana' INFRA 0.25 (gazetteer)" and tasks[0]["meta"]["org"] == "zorp"
    assert found(tasks[1]) == [
        (*name, 1.0) for name in (("Payments squad", "TEAM"), ("Redis", "INFRA"), ("checkout-api", "SERVICE"))
    ]
    studio = json.loads((out / "tasks.label_studio.json").read_text("utf8"))
    (prediction,) = studio[1]["predictions"]
    assert prediction["score"] == 1.0 and [one["score"] for one in prediction["result"]] == [1.0, 1.0, 1.0]
    assert prediction["model_version"] == "draft: gazetteer, llm m"
    kept = record(out)
    assert kept["sources"]["llm"]["proposed"] == {"INFRA": 1, "SERVICE": 1, "TEAM": 2}
    assert kept["suggestions"] == {"INFRA": 2, "SERVICE": 1, "TEAM": 2} and kept["n_passages"] == 4
    assert kept["llm"]["calls"] == 0 and kept["llm"]["from_cache"] == 4 and "0 calls" in again.stdout
    assert kept["passages"][0]["id"] == "doc-1"
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != raw]
    assert not any(KEY.encode() in content for content in written) and KEY not in ran.stdout + ran.stderr
    texts = (out / "draft.json").read_text("utf8") + ran.stdout + ran.stderr
    assert not any(text in texts for text in (*RAW, "Grafana", "Payments squad"))


def test_accepted_tasks_are_read_back_by_convert(raw, tmp_path):
    draft(raw, tmp_path / "out")
    exports = tmp_path / "exports"
    exports.mkdir()
    lines = (json.dumps({**task, "answer": "accept"}) + "\n" for task in prodigy(tmp_path / "out"))
    (exports / "a.jsonl").write_text("".join(lines), encoding="utf8")
    merged = read_annotations(exports, ImportSettings()).merged
    assert {passage.text: len(passage.spans) for passage in merged} == dict(zip(RAW, (3, 1, 1, 0), strict=True))


def test_lists_alone_need_no_model(raw, tmp_path):
    (tmp_path / "TEAM.txt").write_text("Nobody\n", encoding="utf8")
    ran = draft(raw, tmp_path / "out", "--gazetteer", tmp_path / "TEAM.txt", "--no-guide-names")
    assert record(tmp_path / "out")["suggestions"] == {"TEAM": 1} and "llm" not in ran.stdout
    assert not (tmp_path / "out" / "cache").exists()


def test_no_passage_is_lost_where_the_model_fails(raw, tmp_path):
    fails = {RAW[0]: "too_long", RAW[1]: "no_list"}
    does = Behaviour(NAMES, lambda text, number: fails.get(text))
    with raw.open("a", encoding="utf8") as stream:
        stream.write(json.dumps({"text": "Redis " * 400, "id": "huge"}) + '\n{"text": null}\n{"text": ""}\n')
    with serving(does) as url:
        ran = draft(raw, tmp_path / "out", "--llm", url, "--model", "m", "--max-chars", 2000)
    kept = record(tmp_path / "out")
    assert kept["sources"]["llm"]["failed"] == {
        "too long for the model": 1, "answer holds no list": 1, "longer than --max-chars": 1
    }  # fmt: skip
    assert {row["id"]: row["failed"]["llm"] for row in kept["passages"] if "failed" in row} == {
        "doc-0": "too long for the model", "doc-1": "answer holds no list", "huge": "longer than --max-chars"
    }  # fmt: skip
    assert kept["n_passages"] == 6 == len(prodigy(tmp_path / "out")) and kept["n_unreadable"] == 1
    assert "llm could not read 3 passages" in ran.stdout and "doc-0" in ran.stdout
    assert does.calls["Redis " * 400] == 0


def test_a_model_whose_every_answer_is_of_no_use_ends_with_1_and_the_tasks_are_there(raw, tmp_path):
    with serving(Behaviour(NAMES, lambda text, number: "no_list")) as url:
        ran = draft(raw, tmp_path / "out", "--llm", url, "--model", "m", check=False)
    assert ran.returncode == 1 and "llm could not read any passage" in ran.stderr
    assert record(tmp_path / "out")["sources"]["llm"]["failed"] == {"answer holds no list": 4}
    assert len(prodigy(tmp_path / "out")) == 4


def test_a_budget_that_is_spent_is_said_and_the_next_run_goes_on(raw, tmp_path):
    does = Behaviour(NAMES)
    with serving(does) as url:
        asked = (raw, tmp_path / "out", "--llm", url, "--model", "m", "--concurrency", 2)
        draft(*asked, "--max-calls", 3)
        assert record(tmp_path / "out")["sources"]["llm"]["failed"] == {"budget": 1} and does.n_calls == 3
        draft(*asked)
    kept = record(tmp_path / "out")
    assert not kept["sources"]["llm"]["failed"] and kept["llm"]["calls"] == 1 and does.n_calls == 4


def test_a_dry_run_tells_calls_tokens_and_money_and_writes_no_task(raw, tmp_path):
    does = Behaviour(NAMES)
    with serving(does) as url:
        ran = draft(raw, tmp_path / "out", "--llm", url, "--model", "m", "--dry-run", "--price-in", 2, "--price-out", 8)
    assert "about 4 calls" in ran.stdout and "at most 8 calls" in ran.stdout and "cost " in ran.stdout
    assert does.n_calls == 0 and not (tmp_path / "out" / "draft.json").exists()


def test_a_server_that_refuses_ends_the_run_without_a_task(raw, tmp_path, monkeypatch):
    monkeypatch.setenv("DOMAIN_NER_LLM_KEY", "wrong-key-1")
    does = Behaviour(NAMES, key=KEY)
    with serving(does) as url:
        ran = draft(raw, tmp_path / "out", "--llm", url, "--model", "m", check=False)
    assert ran.returncode == 1 and "answered 401 (invalid_api_key)" in ran.stderr and "DOMAIN_NER_LLM_KEY" in ran.stderr
    assert "wrong-key-1" not in ran.stderr and KEY not in ran.stderr and not (tmp_path / "out" / "draft.json").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--llm", "http://127.0.0.1:9"), "belong together"),
        (("--dry-run",), "--llm is not given"),
        (("--max-cost", "1"), "--max-cost needs prices"),
        (("--llm", "nowhere", "--model", "m"), "no URL of a server"),
        (("--weights", "x=1"), "--weights has 'x=1'"),
        (("--no-guide-names",), "no source of drafts"),
        (("--gliner", "/no/such/model"), "gliner"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_is_written(raw, tmp_path, options, message):
    ran = draft(raw, tmp_path / "out", *options, check=False)
    assert ran.returncode == 1 and message in ran.stderr and not (tmp_path / "out" / "draft.json").exists()


@pytest.mark.parametrize(
    ("guide", "content", "message"),
    [("", '{"text": "Redis"}\n', "schema errors"), (None, "", "There is no passage in"),
     (None, '{"body": "Redis"}\n', "--text-column")],
)  # fmt: skip
def test_an_empty_guide_and_an_empty_input_are_named(tmp_path, guide, content, message):
    (tmp_path / "raw.jsonl").write_text(content, encoding="utf8")
    path = GUIDE
    if guide is not None:
        path = tmp_path / "guide.yml"
        path.write_text(guide, encoding="utf8")
    ran = run("draft_annotations", path, tmp_path / "raw.jsonl", tmp_path / "out", check=False)
    assert ran.returncode == 1 and message in ran.stderr and not (tmp_path / "out" / "draft.json").exists()


def test_a_cache_that_cannot_be_written_or_read_ends_the_run_before_any_call(raw, tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "answers.sqlite").write_bytes(b"damage" * 1000)
    does = Behaviour(NAMES)
    with serving(does) as url:
        asked = (raw, tmp_path / "out", "--llm", url, "--model", "m", "--cache")
        for folder, message in ((tmp_path / "file" / "cache", "Cannot write"), (tmp_path, "is damaged")):
            ran = draft(*asked, folder, check=False)
            assert ran.returncode == 1 and message in ran.stderr
    assert does.n_calls == 0


def test_an_output_that_is_a_file_or_among_the_input_is_refused(raw, tmp_path):
    assert "is a file" in draft(raw, raw, check=False).stderr
    assert "lies in the input" in draft(tmp_path, tmp_path / "out", check=False).stderr
