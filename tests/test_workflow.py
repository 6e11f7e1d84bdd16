"""The workflow as a user runs it: the scripts one after the other, and `spacy project run` in a copy of the project."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import spacy
import spacy.cli.package
import thinc.api
from conftest import ANNOTATIONS, GUIDE, LABELS, ROOT
from pipelines import convert, create_config, fetch, run, train
from spacy.tokens import DocBin
from wheels import pickles_in, settings_in, words, words_in

from domain_ner.metrics.mistakes import KINDS

SKIPPED = "nothing changed"
WORKFLOW = ["validate", "fetch-encoder", "convert", "create-config", "train", "calibrate", "evaluate", "package"]


@pytest.mark.parametrize("family", ["roberta", "deberta-v3"])
def test_a_hub_model_trains_is_scored_packaged_and_loads(tiny_encoder, example_rows, tmp_path, family):
    card = fetch(tmp_path, tiny_encoder(family))
    corpus = convert(tmp_path, example_rows[:40])
    config = create_config(tmp_path, card, corpus)
    model = train(tmp_path, config, card)
    run("evaluate_model", model, corpus / "test.spacy", tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text())["micro"]["support"] > 0
    release = ["--name", "tiny", "--version", "1.2.3"]
    ran = run("package_pipeline", model, corpus / "train.spacy", tmp_path / "packages", *release, cwd=ROOT)
    assert "predict the same entities on" in ran.stdout
    wheels = sorted(os.listdir(tmp_path / "packages"))
    assert [wheel.split("-")[0] for wheel in wheels] == ["domain_ner", "en_tiny"]
    pipeline = tmp_path / "packages" / wheels[1]
    assert pickles_in(pipeline) == pickles_in(model) == []
    vocabulary = words(" ".join(spacy.load(model).get_pipe("transformer").model.tokenizer.get_vocab()))
    assert_forgotten(pipeline, corpus / "train.spacy", known=vocabulary)


def assert_forgotten(wheel, train, *, known=frozenset()):
    """No word of the training text is in a wheel, but those that the guide, our code, spaCy's or `known` names."""
    defaults = spacy.blank("en").Defaults
    code = [path for folder in ("domain_ner", "configs", "scripts") for path in (ROOT / folder).rglob("*.*")]
    own = [GUIDE, ROOT / "project.yml", *(path for path in code if path.suffix in {".py", ".cfg", ".yml"})]
    named = words(" ".join(path.read_text("utf8") for path in [*own, Path(spacy.cli.package.__code__.co_filename)]))
    named |= words(" ".join(dir(thinc.api))) | settings_in(wheel)  # layers and settings have names
    named |= words(f"{defaults.tokenizer_exceptions} {defaults.stop_words}") | known
    texts = [doc.text for doc in DocBin().from_disk(train).get_docs(spacy.blank("en").vocab)]
    read = words(" ".join(texts)) - named
    assert len(read) > 100
    assert sorted(words_in(wheel) & read) == []


def test_two_runs_with_one_seed_give_identical_scores(tiny_encoder, example_rows, tmp_path):
    card = fetch(tmp_path, tiny_encoder("bert"))
    corpus = convert(tmp_path, example_rows[:60])
    config = create_config(tmp_path, card, corpus, "--epochs", "3", "--seed", "5")
    scores = []
    for name in ["one", "two"]:
        model = train(tmp_path / name, config, card)
        scores.append(json.loads((model / "meta.json").read_text())["performance"])
    assert scores[0] == scores[1]
    assert scores[0]["crf_ner_loss"] > 0


def nested_rows(n=40):
    """Every team lies within a service that is named after it."""
    rows = []
    for i in range(n):
        name = f"{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10]}"
        text = f"We asked the {name} squad gateway on day {i} about it."
        spans = [
            {"start": 13, "end": 21, "label": "TEAM"},
            {"start": 13, "end": 29, "label": "SERVICE"},
        ]
        rows.append({"text": text, "spans": spans, "answer": "accept", "_view_id": "spans_manual"})
    return rows


def test_nested_entities_are_learned_scored_and_survive_the_package(tmp_path):
    card = fetch(tmp_path, "cnn")
    corpus = convert(tmp_path, nested_rows())
    config = create_config(tmp_path, card, corpus, "--head", "spancat", "--epochs", "30", "--patience", "30")
    model = train(tmp_path, config, card)
    run("evaluate_model", model, corpus / "test.spacy", tmp_path / "metrics.json", "--train", corpus / "train.spacy",
        "--dev", corpus / "dev.spacy", "--robustness", "5", "--reports", tmp_path / "reports")  # fmt: skip
    by_type = json.loads((tmp_path / "metrics.json").read_text())["by_type"]
    assert by_type["TEAM"]["recall"] > 0
    assert by_type["SERVICE"]["recall"] > 0
    report = json.loads((tmp_path / "reports" / "evaluation.json").read_text())
    assert {one["kind"] for one in report["mistakes"]} <= set(KINDS)
    assert report["diversity"]["train"]["TEAM"]["n_mentions"] == report["diversity"]["train"]["SERVICE"]["n_mentions"]
    n_correct = sum(one["n_correct"] for one in report["headline"]["by_type"].values())
    assert sum(report["confidence"]["correct"]) == n_correct > 0
    ran = run("package_pipeline", model, corpus / "train.spacy", tmp_path / "packages", "--name", "n", "--version",
              "1.0.0", cwd=ROOT)  # fmt: skip
    assert "predict the same entities on" in ran.stdout


def test_yes_no_answers_are_trained_on_and_the_rest_of_the_text_is_not_taken_for_outside(tmp_path):
    """Redis is accepted in half of the passages and never asked about in the others: as O it could not be learned."""
    rows = []
    for i in range(120):
        text = f"Then Redis failed {'once' if i % 2 else 'twice'} on day {i} at Oslo."
        start, end, label, answer = (
            (5, 10, "INFRA", "accept") if i % 2 else (text.index("Oslo"), len(text) - 1, "TEAM", "reject")
        )
        span = {"start": start, "end": end, "label": label}
        rows.append({"text": text, "spans": [span], "answer": answer, "_is_binary": True, "_view_id": "ner"})
    card = fetch(tmp_path, "cnn")
    corpus = convert(tmp_path, rows)
    model = train(tmp_path, create_config(tmp_path, card, corpus, "--epochs", "15", "--patience", "15"), card)
    reached = json.loads((tmp_path / "reports" / "reached.json").read_text())
    assert reached["mentions"] == reached["learnable"] > 0
    nlp = spacy.load(model)
    found = [[(ent.text, ent.label_) for ent in nlp(row["text"]).ents] for row in rows[:20]]
    assert sum(("Redis", "INFRA") in ents for ents in found) >= 18
    assert not any(("Oslo", "TEAM") in ents for ents in found)


def test_training_says_what_it_is_about_to_do(tiny_encoder, example_rows, tmp_path):
    card = fetch(tmp_path, tiny_encoder("bert"))
    corpus = convert(tmp_path, example_rows[:30])
    config = create_config(tmp_path, card, corpus)
    ran = run("train_model", config, tmp_path, "--card", card)
    for told in ["encoder", "parameters", "passages", "mentions", "windows", "steps", "time, at most"]:
        assert told in ran.stdout


def test_a_failed_training_leaves_the_former_pipeline(tiny_encoder, example_rows, tmp_path):
    card = fetch(tmp_path, tiny_encoder("bert"))
    config = create_config(tmp_path, card, convert(tmp_path, example_rows[:30]))
    former = tmp_path / "model-best"
    former.mkdir()
    (former / "mark").write_text("former")
    config.write_text(config.read_text().replace("dropout = 0.2", 'dropout = "much"', 1))
    ran = run("train_model", config, tmp_path, "--card", card, check=False)
    assert ran.returncode != 0
    assert (former / "mark").read_text() == "former"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with 60 passages, on which everything has been run once with the encoder `cnn`."""
    folder = tmp_path_factory.mktemp("project")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    for path in sorted((folder / "assets" / "annotations").iterdir()):
        path.write_text("".join(path.open(encoding="utf8").readlines()[:6]), encoding="utf8")
    (folder / "assets" / "splits.json").unlink()  # most of its test set is gone
    first = run_project(folder)
    assert first.returncode == 0, first.stdout + first.stderr
    assert SKIPPED not in first.stdout
    return folder


def run_project(folder, *arguments, command="all"):
    variables = ["--vars.encoder", "cnn", "--vars.epochs", "2", *arguments]
    return subprocess.run(
        [sys.executable, "-m", "spacy", "project", "run", command, str(folder), *variables],
        capture_output=True, text=True, encoding="utf8", check=False,
    )  # fmt: skip


def reran(folder, *arguments):
    """The commands that a further run of `all`, tried dry, would run again."""
    told = run_project(folder, "--dry", *arguments).stdout
    return [name for name in WORKFLOW if f"Skipping '{name}'" not in told]


def test_all_makes_what_it_says(project):
    assert json.loads((project / "training" / "metrics.json").read_text())["by_type"].keys() <= set(LABELS)
    assert (project / "configs" / "config.cfg").exists()
    assert len(list((project / "training" / "packages").glob("*.whl"))) == 2
    nlp = spacy.load(project / "training" / "model-calibrated")
    assert nlp.pipe_names == ["tok2vec", "crf_ner"]
    fitted = json.loads((project / "training" / "reports" / "calibration.json").read_text())
    assert nlp.config["components"]["crf_ner"]["temperature"] == fitted["temperature"]
    measured = json.loads((project / "training" / "metrics.json").read_text())["calibration"]
    assert {"before", "after", "by_type"} <= set(measured)


def test_the_wheel_holds_no_pickle_and_no_word_of_the_training_text_and_the_scores_of_the_test_set(project):
    wheel = next((project / "training" / "packages").glob("en_*.whl"))
    assert pickles_in(wheel) == []
    splits = json.loads((project / "corpus" / "tokenizer.json").read_text())["splits"]
    assert_forgotten(wheel, project / "corpus" / "train.spacy", known=words(str(splits)))
    measured = json.loads((project / "training" / "metrics.json").read_text())
    with zipfile.ZipFile(wheel) as archive:
        metas = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith("meta.json")]
    assert len(metas) == 2
    for meta in metas:
        assert meta["performance"]["ents_f"] == pytest.approx(measured["micro"]["f1"])
        assert set(meta["performance"]) == {"ents_p", "ents_r", "ents_f", "ents_per_type"}
        assert "test passages" in meta["domain_ner"]["performance"]


def test_a_second_run_runs_nothing(project):
    assert reran(project) == []


def test_a_changed_annotation_file_reruns_from_convert_on(project):
    path = project / "assets" / "annotations" / "tillage.jsonl"
    before = path.read_bytes()
    path.write_bytes(before + before.splitlines(keepends=True)[0])
    try:
        # The dry run changes no corpus, so that what follows is not yet touched.
        assert reran(project) == ["validate", "convert"]
        assert run_project(project, command="convert").returncode == 0
    finally:
        path.write_bytes(before)
        run_project(project, command="convert")


def test_a_changed_corpus_reruns_what_follows(project):
    path = project / "corpus" / "train.spacy"
    before = path.read_bytes()
    path.write_bytes(before + b" ")
    try:
        assert reran(project) == ["convert", "create-config", "train", "evaluate"]
    finally:
        path.write_bytes(before)


def test_a_changed_readme_reruns_nothing(project):
    with (project / "README.md").open("a") as stream:
        stream.write("\nA new paragraph.\n")
    assert reran(project) == []


def test_another_encoder_reruns_from_fetch_encoder(project):
    assert reran(project, "--vars.encoder", "minilm")[0] == "fetch-encoder"


@pytest.mark.parametrize(
    ("code", "command"),
    [
        ("domain_ner/corpus/tokenizer.py", "convert"),
        ("domain_ner/metrics/scores.py", "evaluate"),
        ("domain_ner/training/run.py", "train"),
    ],
)
def test_a_code_edit_reruns_what_it_can_change(project, code, command):
    path = project / code
    before = path.read_bytes()
    path.write_bytes(before + b"\n# edited\n")
    try:
        assert command in reran(project)
        assert "fetch-encoder" not in reran(project)
    finally:
        path.write_bytes(before)


def test_clean_removes_what_was_made_and_keeps_what_was_given(project, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    assert run_project(copy, command="clean").returncode == 0
    assert os.listdir(copy / "training") == os.listdir(copy / "corpus") == [".gitkeep"]
    assert not (copy / "configs" / "config.cfg").exists()
    assert len(os.listdir(copy / "assets" / "annotations")) == len(os.listdir(ANNOTATIONS))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_stopped_training_keeps_the_former_pipeline_and_the_best_so_far(example_rows, tmp_path, stop):
    card, corpus = fetch(tmp_path, "cnn"), convert(tmp_path, example_rows[:120])
    former = train(tmp_path, create_config(tmp_path, card, corpus), card)
    before = (former / "meta.json").read_bytes()
    config = create_config(tmp_path, card, corpus, "--epochs", "500", "--patience", "500")
    command = [sys.executable, ROOT / "scripts" / "train_model.py", config, tmp_path, "--card", card]
    training = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, the shell has them ignore Ctrl-C, and so would the child.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    )
    best = tmp_path / "unfinished" / "model-best" / "meta.json"
    wait_for(lambda: best.exists() or training.poll() is not None)
    training.send_signal(stop)
    _, told = training.communicate(timeout=60)
    assert (former / "meta.json").read_bytes() == before
    if stop == signal.SIGINT:
        assert training.returncode == 130
        assert f"the best so far is in {best.parent}" in told
        assert spacy.load(best.parent).pipe_names == ["tok2vec", "crf_ner"]
    assert train(tmp_path, create_config(tmp_path, card, corpus), card) == former


def wait_for(condition, timeout_s=90):
    """Wait until the condition holds; fail after the time."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
