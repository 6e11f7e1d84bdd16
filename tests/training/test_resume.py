"""A run that is killed goes on as if nothing had happened."""

import json
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import spacy
from pipelines import SCRIPTS, convert, create_config, fetch, train
from spacy.util import load_model_from_config
from thinc.api import Config, fix_random_seed

from domain_ner.training import checkpoint
from domain_ner.training.checkpoint import Progress
from domain_ner.training.loop import resolve, run_steps
from domain_ner.training.run import identify

EPOCHS = ["--epochs", "8", "--patience", "8"]


def weights(model):
    """All weights of a pipeline on disk."""
    return {name: one.get() for name, one in checkpoint._weights(spacy.load(model))}


def kill_at_checkpoint(command, folder, wait_s=0.0):
    """Run a command, and kill it some time after it has written a checkpoint further on; returns that one's step."""
    before = last_step(folder)
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while last_step(folder) <= before:
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    time.sleep(wait_s)
    running.kill()
    running.wait()
    return last_step(folder)


def last_step(folder):
    return max((int(path.name.split("-")[1]) for path in folder.glob("unfinished/checkpoint-*")), default=0)


def test_a_run_killed_again_and_again_ends_like_one_that_was_not(tiny_encoder, example_rows, tmp_path):
    card = fetch(tmp_path, tiny_encoder("bert"))
    corpus = convert(tmp_path, example_rows[:100])
    config = create_config(tmp_path, card, corpus, *EPOCHS)
    whole = train(tmp_path / "whole", config, card)
    folder = tmp_path / "killed"
    command = [sys.executable, SCRIPTS / "train_model.py", config, folder, "--card", card, "--resume"]
    command += ["--checkpoint-every", "0"]
    steps = [kill_at_checkpoint(command, folder, wait_s=wait_s) for wait_s in (0.0, 0.1, 0.3)]
    assert 0 < steps[0] < steps[1] < steps[2]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "going on after step" in told.stdout
    expected = weights(whole)
    assert expected
    for name, array in weights(folder / "model-best").items():
        assert np.array_equal(array, expected[name]), name
    scores = [json.loads((path / "meta.json").read_text())["performance"] for path in (whole, folder / "model-best")]
    assert scores[0] == scores[1]
    logs = [(path / "reports" / "training.jsonl").read_text().splitlines() for path in (tmp_path / "whole", folder)]
    for one, other in zip(*logs, strict=True):
        assert json.loads(one)["score"] == json.loads(other)["score"]
    reached = [json.loads((path / "reports" / "reached.json").read_text()) for path in (tmp_path / "whole", folder)]
    assert reached[0] == reached[1]
    assert not (folder / "unfinished").exists()


@pytest.fixture
def small(tiny_encoder, example_rows, tmp_path):
    """A config on a few passages with a tiny encoder, and its card."""
    card = fetch(tmp_path, tiny_encoder("bert"))
    return create_config(tmp_path, card, convert(tmp_path, example_rows[:60]), "--epochs", "8"), card


def start(config):
    """An initialised pipeline and what trains it, from the seed."""
    fix_random_seed(0)
    nlp = load_model_from_config(Config().from_disk(config, interpolate=False), auto_fill=True)
    training = resolve(nlp)
    fix_random_seed(0)
    nlp.initialize(lambda: [example for _, batch in training.batches() for example in batch][:40])
    return nlp, training


def step(nlp, training, progress, n_steps):
    for n, _ in enumerate(run_steps(nlp, training, progress, on_batch=lambda batch: None), start=1):
        if n == n_steps:
            break


def test_weights_moments_and_the_place_in_the_data_come_back(small, tmp_path):
    config, _ = small
    nlp, training = start(config)
    progress = Progress()
    step(nlp, training, progress, 3)
    checkpoint.save(tmp_path / "here", {"run": "this"}, progress, nlp, training.optimizer)
    step(nlp, training, progress, 2)
    expected = {name: weights.get() for name, weights in checkpoint._weights(nlp)}

    other, anew = start(config)
    found = checkpoint.load(tmp_path / "here")
    assert (found.run, found.progress.step) == ({"run": "this"}, 3)
    found.restore(other, anew.optimizer)
    step(other, anew, found.progress, 2)
    for name, weight in checkpoint._weights(other):
        assert np.array_equal(weight.get(), expected[name]), name
    assert found.progress.step == progress.step == 5
    assert found.progress.losses == progress.losses


def test_only_the_last_checkpoint_is_kept(small, tmp_path):
    nlp, training = start(small[0])
    progress = Progress()
    for _ in range(2):
        step(nlp, training, progress, 1)
        checkpoint.save(tmp_path / "here", {}, progress, nlp, training.optimizer)
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["checkpoint-2"]


def test_no_checkpoint_is_none(tmp_path):
    assert checkpoint.load(tmp_path) is None


def test_another_config_starts_anew_and_says_why(small, tmp_path):
    config, card = small
    command = [sys.executable, SCRIPTS / "train_model.py", config, tmp_path / "out", "--card", card, "--resume"]
    kill_at_checkpoint([*command, "--checkpoint-every", "0"], tmp_path / "out")
    config.write_text(config.read_text().replace("dropout = 0.2", "dropout = 0.3", 1))
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cannot be gone on with (changed since: the config)" in told.stdout


def test_another_encoder_in_the_same_place_starts_anew(tiny_encoder, example_rows, tmp_path):
    """`pretrain-encoder` always writes to one folder."""
    encoder = tmp_path / "adapted"
    shutil.copytree(tiny_encoder("bert"), encoder)
    config = create_config(tmp_path, fetch(tmp_path, encoder), convert(tmp_path, example_rows[:24]))
    before = identify(Config().from_disk(config))
    weights_file = next(path for path in encoder.iterdir() if path.suffix in (".safetensors", ".bin"))
    weights_file.write_bytes(weights_file.read_bytes()[:-1] + b"x")
    after = identify(Config().from_disk(config))
    assert [name for name in after if after[name] != before[name]] == [str(weights_file)]


def test_a_run_of_too_few_steps_for_an_evaluation_is_evaluated_at_its_end(example_rows, tmp_path):
    corpus, card = convert(tmp_path, example_rows[:24]), fetch(tmp_path, "cnn")
    settings = "training.eval_frequency=1000 training.max_steps=0"
    config = create_config(tmp_path, card, corpus, "--epochs", "2", "--settings", settings)
    model = train(tmp_path / "out", config, card)
    assert json.loads((model / "meta.json").read_text())["performance"]["ents_f"] is not None
