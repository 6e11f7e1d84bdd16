"""Pipelines that are trained to their end, by the scripts one after the other."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import spacy
import spacy.cli.package
from conftest import ROOT
from pipelines import convert, create_config, fetch, run, train
from wheels import assert_forgotten, load_wheel, pickles_in, words

from domain_ner.metrics.mistakes import KINDS
from domain_ner.packaging.wheels import predict


@pytest.mark.parametrize("family", ["roberta", "deberta-v3"])
def test_a_hub_model_trains_is_scored_packaged_and_loads(tiny_encoder, example_rows, tmp_path, family):
    card = fetch(tmp_path, tiny_encoder(family))
    corpus = convert(tmp_path, example_rows[:40])
    config = create_config(tmp_path, card, corpus)
    model = train(tmp_path, config, card)
    run("evaluate_model", model, corpus / "test.spacy", tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text())["micro"]["support"] > 0
    assert pickles_in(model) == []
    assert {"transformer", "crf_ner"} <= set(spacy.load(model).pipe_names)
    if family != "roberta":  # a clean environment takes a minute, and installs the same packages for each
        return
    release = ["--name", "tiny", "--version", "1.2.3"]
    ran = run("package_pipeline", model, corpus / "train.spacy", tmp_path / "packages", *release, cwd=ROOT)
    assert "predict the same entities on" in ran.stdout
    wheels = sorted(os.listdir(tmp_path / "packages"))
    assert [wheel.split("-")[0] for wheel in wheels] == ["domain_ner", "en_tiny"]
    pipeline = tmp_path / "packages" / wheels[1]
    assert pickles_in(pipeline) == pickles_in(model) == []
    vocabulary = words(" ".join(spacy.load(model).get_pipe("transformer").model.tokenizer.get_vocab()))
    assert_forgotten(pipeline, corpus / "train.spacy", known=vocabulary)


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
    nlp, texts = spacy.load(model), [row["text"] for row in nested_rows()]
    assert predict(load_wheel(model, tmp_path), texts) == predict(nlp, texts) != []


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


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_stopped_training_keeps_the_former_pipeline_and_the_best_so_far(example_rows, tmp_path, stop):
    card, corpus = fetch(tmp_path, "cnn"), convert(tmp_path, example_rows[:40])
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
        assert training.returncode == 130, told
        assert f"the best so far is in {best.parent}" in told
        assert spacy.load(best.parent).pipe_names == ["tok2vec", "crf_ner"]
    assert train(tmp_path, create_config(tmp_path, card, corpus), card) == former


def wait_for(condition, timeout_s=90):
    """Wait until the condition holds; fail after the time."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
