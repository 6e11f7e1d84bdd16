"""`review-sample`: draws, waits, reads back, extends; and what it refuses."""

import json

import pytest
from pipelines import run
from reviewed_samples import review_tasks, save_pipeline, true_scores, write_documents

SCRIPT = "review_sample"


@pytest.fixture
def given(tmp_path):
    """(pipeline, documents, folder of the sample)."""
    return save_pipeline(tmp_path / "model"), write_documents(tmp_path / "raw.jsonl"), tmp_path / "review"


@pytest.fixture
def drawn(given):
    run(SCRIPT, *given, "--n", "60")
    return given


def design(output):
    return json.loads((output / "sample.json").read_text("utf8"))


def result(output):
    return json.loads((output / "review.json").read_text("utf8"))


def test_a_sample_has_tasks_for_three_tools_and_a_design_without_texts(drawn):
    *_, output = drawn
    assert sorted(path.name for path in output.iterdir() if not path.name.startswith(".")) == [
        "reviewed", "sample.json", "tasks.doccano.jsonl", "tasks.label_studio.json", "tasks.prodigy.jsonl",
    ]  # fmt: skip
    assert len((output / "tasks.prodigy.jsonl").read_text("utf8").splitlines()) == 60
    assert "failed." not in (output / "sample.json").read_text("utf8")
    assert all(stratum["n_drawn"] for stratum in design(output)["strata"])


def test_tasks_are_blind_unless_suggestions_are_asked_for(given, tmp_path):
    pipeline, documents, blind = given
    run(SCRIPT, pipeline, documents, blind)
    run(SCRIPT, pipeline, documents, tmp_path / "shown", "--suggest")
    spans, predictions = {}, {}
    for name, output in (("blind", blind), ("shown", tmp_path / "shown")):
        rows = [json.loads(line) for line in (output / "tasks.prodigy.jsonl").read_text("utf8").splitlines()]
        spans[name] = sum(len(row["spans"]) for row in rows)
        tasks = json.loads((output / "tasks.label_studio.json").read_text("utf8"))
        predictions[name] = {one["model_version"] for task in tasks for one in task["predictions"]}
    assert spans["blind"] == 0 < spans["shown"]
    assert predictions == {"blind": set(), "shown": {"en_rules 1.0.0"}}


def test_a_second_run_waits_for_the_review_and_draws_nothing(drawn):
    before = {path: path.read_bytes() for path in drawn[2].iterdir() if path.is_file()}
    told = run(SCRIPT, *drawn, "--seed", "7")
    assert "stays as it was drawn" in told.stdout
    assert {path: path.read_bytes() for path in drawn[2].iterdir() if path.is_file()} == before


def test_a_review_in_the_folder_is_read_and_its_intervals_hold_the_truth(drawn):
    _, documents, output = drawn
    review_tasks(output / "tasks.prodigy.jsonl", output / "reviewed" / "all.jsonl")
    told = run(SCRIPT, *drawn)
    found = result(output)["by_type"]["SERVICE"]
    for measure, truth in true_scores(documents).items():
        assert found[measure]["low"] < truth < found[measure]["high"]
        assert found[measure]["high"] - found[measure]["low"] < 0.4
    assert result(output)["by_type"]["TEAM"]["recall"]["value"] == 0
    assert "types that the pipeline does not have: TEAM" in told.stdout
    assert {path.name for path in output.glob("review.*")} == {
        "review.html", "review.json", "review.md", "review.schema.json",
    }  # fmt: skip


def test_the_folder_alone_is_enough_to_read_a_review(drawn, tmp_path):
    export = review_tasks(drawn[2] / "tasks.prodigy.jsonl", tmp_path / "export.jsonl")
    run(SCRIPT, drawn[2], "--reviewed", export)
    assert result(drawn[2])["n_reviewed"] == 60


def test_a_contract_that_is_not_proven_ends_with_1(drawn, tmp_path):
    export = review_tasks(drawn[2] / "tasks.prodigy.jsonl", tmp_path / "export.jsonl")
    arguments = [drawn[2], "--reviewed", export, "--contract"]
    assert run(SCRIPT, *arguments, "SERVICE precision >= 0.2; all recall >= 10 %", check=False).returncode == 0
    told = run(SCRIPT, *arguments, "SERVICE precision >= 0.2; SERVICE precision >= 0.95", check=False)
    assert told.returncode == 1
    assert [one["is_proven"] for one in result(drawn[2])["contracts"]] == [True, False]


def test_joint_contracts_are_proven_at_a_higher_level(drawn, tmp_path):
    export = review_tasks(drawn[2] / "tasks.prodigy.jsonl", tmp_path / "export.jsonl")
    contracts = ["--contract", "SERVICE precision >= 0.2; all recall >= 0.2"]
    bounds = []
    for options in ([], ["--joint"]):
        run(SCRIPT, drawn[2], "--reviewed", export, *contracts, *options)
        bounds.append([one["bound"] for one in result(drawn[2])["contracts"]])
    assert all(joint < each for each, joint in zip(*bounds, strict=True))


def test_white_space_and_accents_that_a_tool_changed_do_not_matter(tmp_path):
    pipeline, documents = save_pipeline(tmp_path / "model"), tmp_path / "raw.jsonl"
    rows = [{"text": f"Caf\u00e9  {n}:\n Redis and  Kafka failed."} for n in range(20)]
    documents.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
    output = tmp_path / "review"
    run(SCRIPT, pipeline, documents, output, "--n", "20")
    review_tasks(
        output / "tasks.prodigy.jsonl",
        output / "reviewed" / "all.jsonl",
        changed=lambda text: " ".join(text.replace("\u00e9", "e\u0301").split()),
    )
    run(SCRIPT, output)
    assert result(output)["overall"]["f1"]["value"] == 1


def test_a_part_of_the_review_counts_up_to_the_first_task_that_is_missing(drawn, tmp_path):
    export = review_tasks(drawn[2] / "tasks.prodigy.jsonl", tmp_path / "export.jsonl")
    rows = export.read_text("utf8").splitlines(keepends=True)
    export.write_text("".join([*rows[:40], *rows[42:50]]), encoding="utf8")
    told = run(SCRIPT, drawn[2], "--reviewed", export)
    found = result(drawn[2])
    assert (found["n_reviewed"], found["n_after_gap"], found["missing"][:3]) == (40, 8, [41, 42, 51])
    assert "8 reviewed tasks come after the first of these" in told.stdout


def test_a_larger_sample_holds_the_smaller_one(drawn, given):
    output = drawn[2]
    before = design(output)
    run(SCRIPT, *given, "--more", "40")
    after = design(output)
    assert after["tasks"][:60] == before["tasks"]
    assert after["batches"] == [60, 40]
    assert len({task["digest"] for task in after["tasks"]}) == 100
    assert len((output / "tasks-2.prodigy.jsonl").read_text("utf8").splitlines()) == 40
    for number in ("", "-2"):
        review_tasks(output / f"tasks{number}.prodigy.jsonl", output / "reviewed" / f"all{number}.jsonl")
    run(SCRIPT, output)
    assert result(output)["n_reviewed"] == 100


def test_a_text_counts_once_however_often_it_occurs(given):
    pipeline, documents, output = given
    documents.write_text('{"text": "Redis failed."}\n{"text": "Redis  failed. "}\n{"text": "Fine."}\n{"text": " "}\n')
    told = run(SCRIPT, pipeline, documents, output)
    assert sum(stratum["n_passages"] for stratum in design(output)["strata"]) == 2
    assert "1 documents repeat a text" in told.stdout
    assert "1 documents have no word" in told.stdout


def test_strata_are_made_for_the_types_named(given, tmp_path):
    pipeline, documents, output = given
    run(SCRIPT, pipeline, documents, output, "--types", "SERVICE")
    assert design(output)["types"] == ["SERVICE"]
    refused = run(SCRIPT, pipeline, documents, tmp_path / "other", "--types", "SERVISE", check=False)
    assert "did you mean 'SERVICE'?" in refused.stderr


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda rows: rows[:3], "expected at least the first"),
        (lambda rows: [*rows, rows[0].replace("Case", "Fall")], "1 reviewed passages are not of this sample"),
        (lambda rows: [*rows, rows[0].replace('"spans": [', '"spans": [{"start": 0, "end": 4, "label": "X"}, ')
                       .replace("}, ]", "}]")], "contradicting annotations"),
    ],
)  # fmt: skip
def test_a_review_that_does_not_fit_is_refused(drawn, tmp_path, changed, message):
    export = review_tasks(drawn[2] / "tasks.prodigy.jsonl", tmp_path / "export.jsonl")
    rows = export.read_text("utf8").splitlines(keepends=True)
    export.write_text("".join(changed(rows)), encoding="utf8")
    refused = run(SCRIPT, drawn[2], "--reviewed", export, check=False)
    assert message in refused.stderr
    assert not (drawn[2] / "review.json").exists()


def test_open_tasks_are_no_review(drawn):
    (drawn[2] / "reviewed" / "tasks.jsonl").write_bytes((drawn[2] / "tasks.prodigy.jsonl").read_bytes())
    assert "without a review" in run(SCRIPT, drawn[2], check=False).stderr


def test_two_versions_of_a_text_with_other_entities_are_refused(drawn, tmp_path):
    (tmp_path / "exports").mkdir()
    review_tasks(drawn[2] / "tasks.prodigy.jsonl", tmp_path / "exports" / "a.jsonl")
    other = review_tasks(drawn[2] / "tasks.prodigy.jsonl", tmp_path / "exports" / "b.jsonl", changed=" {}".format)
    other.write_text(other.read_text("utf8").replace("SERVICE", "TEAM"), encoding="utf8")
    assert "contradicting reviews" in run(SCRIPT, drawn[2], "--reviewed", tmp_path / "exports", check=False).stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--n", "3"), "expected at least"),
        (("--contract", "SERVICE precision over 0.9"), "expected TYPE MEASURE >= SHARE"),
    ],
)
def test_wrong_options_are_refused(given, options, message):
    assert message in run(SCRIPT, *given, *options, check=False).stderr


def test_another_pipeline_is_not_taken_for_the_one_that_was_sampled(drawn, tmp_path):
    other = save_pipeline(tmp_path / "other", version="2.0.0")
    assert "The sample in" in run(SCRIPT, other, *drawn[1:], check=False).stderr


def test_other_documents_cannot_extend_a_sample(drawn):
    write_documents(drawn[1], seed=1)
    assert "The documents differ" in run(SCRIPT, *drawn, "--more", "10", check=False).stderr


def test_an_output_in_the_input_is_refused(given):
    pipeline, documents, _ = given
    refused = run(SCRIPT, pipeline, documents.parent, documents.parent / "review", check=False)
    assert "lies in the input" in refused.stderr


def test_a_damaged_design_is_named(drawn):
    (drawn[2] / "sample.json").write_text("{")
    assert "not the design of a sample" in run(SCRIPT, drawn[2], check=False).stderr


def test_a_folder_without_a_sample_is_named(tmp_path):
    assert "PIPELINE and RAW are needed" in run(SCRIPT, tmp_path / "nothing", check=False).stderr
    refused = run(SCRIPT, tmp_path / "nothing", "--reviewed", tmp_path, check=False)
    assert "There is no sample" in refused.stderr


def test_a_contract_on_an_unknown_type_names_the_nearest(drawn, tmp_path):
    export = review_tasks(drawn[2] / "tasks.prodigy.jsonl", tmp_path / "export.jsonl")
    refused = run(SCRIPT, drawn[2], "--reviewed", export, "--contract", "SERVISE f1 >= 0.5", check=False)
    assert "did you mean 'SERVICE'?" in refused.stderr
