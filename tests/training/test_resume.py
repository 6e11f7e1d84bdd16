"""A run that is killed goes on as if nothing had happened."""

import io
import json
import os
import shutil
import time
from multiprocessing import get_context

import numpy as np
import pytest
import spacy
from pipelines import convert, create_config, fetch, run, train
from spacy.util import load_model_from_config
from thinc.api import Config, fix_random_seed

from domain_ner import files
from domain_ner.files import write_text
from domain_ner.training import checkpoint
from domain_ner.training.checkpoint import Progress
from domain_ner.training.loop import resolve, run_steps
from domain_ner.training.run import identify

EPOCHS = ["--epochs", "8", "--patience", "8"]


def weights(model):
    """All weights of a pipeline on disk."""
    return {name: one.get() for name, one in checkpoint._weights(spacy.load(model))}


def kill_at_checkpoint(arguments, folder, wait_s=0.0):
    """Train, and kill that some time after it has written a checkpoint further on; returns that one's step.

    In a fork of this process: all imports are there.
    """
    before = last_step(folder)
    running = get_context("fork").Process(target=run, args=("train_model", *arguments, "--checkpoint-every", "0"))
    running.start()
    while last_step(folder) <= before:
        assert running.is_alive(), "it ended before it could be killed"
        time.sleep(0.02)
    time.sleep(wait_s)
    running.kill()
    running.join()
    return last_step(folder)


def last_step(folder):
    return max((int(path.name.split("-")[1]) for path in folder.glob("unfinished/checkpoint-*")), default=0)


def test_a_run_killed_again_and_again_ends_like_one_that_was_not(tiny_encoder, example_rows, tmp_path):
    card = fetch(tmp_path, tiny_encoder("bert"))
    corpus = convert(tmp_path, example_rows[:60])
    config = create_config(tmp_path, card, corpus, *EPOCHS)
    whole = train(tmp_path / "whole", config, card)
    folder = tmp_path / "killed"
    arguments = [config, folder, "--card", card, "--resume"]
    steps = [kill_at_checkpoint(arguments, folder, wait_s=wait_s) for wait_s in (0.0, 0.2)]
    assert 0 < steps[0] < steps[1]
    told = run("train_model", *arguments)
    assert "Resuming the interrupted run after step" in told.stdout
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
    found = checkpoint.load(tmp_path / "here").checkpoint
    assert (found.run, found.progress.step) == ({"run": "this"}, 3)
    found.restore(other, anew.optimizer)
    step(other, anew, found.progress, 2)
    for name, weight in checkpoint._weights(other):
        assert np.array_equal(weight.get(), expected[name]), name
    assert found.progress.step == progress.step == 5
    assert found.progress.losses == progress.losses


@pytest.fixture
def three(small, tmp_path):
    """A pipeline, and a folder into which it has written checkpoints after its first three steps."""
    nlp, training = start(small[0])
    progress = Progress()
    for _ in range(3):
        step(nlp, training, progress, 1)
        checkpoint.save(tmp_path / "here", {}, progress, nlp, training.optimizer)
    return nlp, tmp_path / "here"


def reseal(folder, name, content):
    """Write a file of a checkpoint anew, so that only what it says is wrong."""
    (folder / name).write_bytes(content)
    (folder / "checksums.json").unlink()
    files.seal(folder)


def other_arrays(folder, change):
    with np.load(folder / "arrays.npz") as stored:
        arrays = change(dict(stored))
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    reseal(folder, "arrays.npz", stream.getvalue())


def without_one(arrays):
    return dict(list(arrays.items())[1:])


def of_another_shape(arrays):
    name = next(iter(arrays))
    return arrays | {name: np.zeros((1, 2, 3), dtype="f")}


DAMAGES = {
    "arrays.npz is empty": lambda folder: (folder / "arrays.npz").write_bytes(b""),
    "arrays.npz holds other bytes": lambda folder: os.truncate(folder / "arrays.npz", 1000),
    "arrays.npz holds other bytes than": lambda folder: (folder / "arrays.npz").write_bytes(bytes(100_000)),
    "arrays.npz is missing": lambda folder: (folder / "arrays.npz").unlink(),
    "state.json is missing": lambda folder: (folder / "state.json").unlink(),
    "checksums.json is missing": lambda folder: (folder / "checksums.json").unlink(),
    "it cannot be read: JSONDecodeError": lambda folder: reseal(folder, "state.json", b"{"),
    "it cannot be read: TypeError": lambda folder: reseal(folder, "state.json", b"[]"),
    "it cannot be read: BadZipFile": lambda folder: reseal(folder, "arrays.npz", b"PK\x03\x04"),
    "name different arrays": lambda folder: other_arrays(folder, without_one),
    "has the shape (1, 2, 3), expected": lambda folder: other_arrays(folder, of_another_shape),
}


def test_two_checkpoints_are_kept_and_a_damaged_one_is_told_and_the_former_taken(three):
    nlp, folder = three
    assert sorted(os.listdir(folder)) == ["checkpoint-2", "checkpoint-3"]
    assert checkpoint.load(folder).checkpoint.progress.step == 3
    kept = folder.with_name("kept")
    shutil.copytree(folder / "checkpoint-3", kept)
    for told, damage in DAMAGES.items():
        shutil.rmtree(folder / "checkpoint-3")
        shutil.copytree(kept, folder / "checkpoint-3")
        damage(folder / "checkpoint-3")
        found = checkpoint.load(folder, lambda one: one.find_mismatch(nlp))
        assert found.checkpoint.progress.step == 2, told
        assert f"{folder / 'checkpoint-3'} is damaged: " in found.damaged[0] and told in found.damaged[0]


def test_where_all_are_damaged_there_is_none_and_each_is_told(three):
    _, folder = three
    for n in (2, 3):
        os.truncate(folder / f"checkpoint-{n}" / "state.json", 10)
    found = checkpoint.load(folder)
    assert found.checkpoint is None
    assert [line.split()[0][-1] for line in found.damaged] == ["3", "2"]


def test_no_checkpoint_is_none(tmp_path):
    assert checkpoint.load(tmp_path) == checkpoint.LoadedCheckpoint()


def test_the_best_pipeline_of_a_checkpoint_comes_back_with_it(small, tmp_path):
    nlp, training = start(small[0])
    best = tmp_path / "best"
    for number in (1, 2):
        write_text(best / "meta.json", str(number))
        progress = Progress(step=number)
        checkpoint.save(tmp_path / "here", {}, progress, nlp, training.optimizer, best=best)
    (tmp_path / "here" / "checkpoint-2" / "state.json").write_bytes(b"")
    checkpoint.load(tmp_path / "here").checkpoint.restore_best(best)
    assert (best / "meta.json").read_text() == "1"


@pytest.fixture(scope="module")
def killed(example_rows, tmp_path_factory):
    """The options of a training, its pipeline if nothing kills it, and a folder in which it was killed twice."""
    room = tmp_path_factory.mktemp("killed")
    card, corpus = fetch(room, "cnn"), convert(room, example_rows[:60])
    config = create_config(room, card, corpus, "--epochs", "3", "--patience", "3")
    whole, folder, options = train(room / "whole", config, card), room / "killed", ["--card", card, "--resume"]
    steps = [kill_at_checkpoint([config, folder, *options], folder) for _ in range(2)]
    assert steps[1] > steps[0]
    return [config, options], whole, folder


@pytest.mark.parametrize("n_damaged", [1, 2])
def test_a_run_with_damaged_checkpoints_says_so_and_ends_like_one_without(killed, tmp_path, n_damaged):
    (config, options), whole, stopped = killed
    folder = tmp_path / "killed"
    shutil.copytree(stopped, folder)
    places = sorted((folder / "unfinished").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    assert len(places) == 2
    for place in places[-n_damaged:]:
        os.truncate(place / "arrays.npz", 0)
    told = run("train_model", config, folder, *options).stdout
    for place in places[-n_damaged:]:
        assert f"{place} is damaged: arrays.npz is empty" in told
    assert ("Resuming the interrupted run after step" in told) == (n_damaged == 1)
    assert ("training restarts" in told) == (n_damaged == 2)
    assert files.sha256_of_folder(folder / "model-best") == files.sha256_of_folder(whole)
    assert not (folder / "unfinished").exists()


def test_another_config_starts_anew_and_says_why(small, tmp_path):
    config, card = small
    arguments = [config, tmp_path / "out", "--card", card, "--resume"]
    kill_at_checkpoint(arguments, tmp_path / "out")
    config.write_text(config.read_text().replace("dropout = 0.2", "dropout = 0.3", 1))
    told = run("train_model", *arguments)
    assert "Cannot resume the interrupted run (changed since: the config)" in told.stdout


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
