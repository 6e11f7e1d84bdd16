"""A search for settings: real trials on a small pipeline, given up and taken up again."""

import json
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from pipelines import SCRIPTS, convert, create_config, fetch, run
from spacy.util import load_config

from domain_ner.errors import DomainNerError
from domain_ner.training.tuning import implied_settings, read_space, tune

SPACE = {
    "training.dropout": {"low": 0.1, "high": 0.6},
    "training.optimizer.learn_rate": {"choices": [0.0000001, 0.002]},
}


@pytest.fixture(scope="module")
def config(example_rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuning")
    corpus = convert(folder, example_rows[:50])
    return create_config(folder, fetch(folder, "cnn"), corpus, "--epochs", "4")


def test_it_finds_the_setting_that_learns_and_gives_up_what_does_not(config, tmp_path):
    told = []
    found = tune(
        config, SPACE, tmp_path / "study.db", n_trials=7, seed=1, gpu=-1, on_trial=lambda *one: told.append(one)
    )
    assert found.settings["training.optimizer.learn_rate"] == 0.002
    assert found.score > 0
    assert found.n_trials == len(told) == 7
    assert found.n_pruned == sum(score is None for *_, score in told) > 0


def test_a_search_that_was_killed_goes_on(config, tmp_path):
    space = tmp_path / "space.yml"
    space.write_text("training.dropout: {low: 0.1, high: 0.5}\n", encoding="utf8")
    output = tmp_path / "out"
    arguments = [config, space, output, "--trials", "3"]
    command = [sys.executable, SCRIPTS / "tune_training.py", *arguments]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline().startswith("trial 0")
    time.sleep(0.5)
    running.kill()
    running.wait()
    ran = run("tune_training", *arguments)
    assert "trial 0" not in ran.stdout
    assert "best of 3 trials" in ran.stdout
    assert json.loads((output / "best.json").read_text())["settings"].keys() == {"training.dropout"}


@pytest.mark.parametrize("content", [b"no database, but text " * 100, b"SQLite format 3\0" + bytes(4000)])
def test_a_damaged_study_is_named(config, tmp_path, content):
    (tmp_path / "study.db").write_bytes(content)
    with pytest.raises(
        DomainNerError, match=r"Cannot open the study .*study\.db(.|\n)*delete it to start a new search"
    ):
        tune(config, SPACE, tmp_path / "study.db", n_trials=1, seed=0, gpu=-1)


@pytest.mark.parametrize(
    "text", ["", "training.dropout: 3", "a.b: {low: 2, high: 1}", "a.b: {choices: []}", "a: {low: 1}"]
)
def test_a_search_space_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "space.yml"
    path.write_text(text, encoding="utf8")
    with pytest.raises(DomainNerError, match="expected"):
        read_space(path)


def test_the_shipped_search_space_fits_a_config(tiny_encoder, example_rows, tmp_path):
    card = fetch(tmp_path, tiny_encoder("bert"))
    config = create_config(tmp_path, card, convert(tmp_path, example_rows[:24]))
    ran = run("tune_training", config, ROOT / "configs" / "search.yml", tmp_path / "out", "--trials", "1")
    assert "best of 1 trials" in ran.stdout


def test_a_study_of_another_training_is_refused(config, tmp_path):
    """Its scores do not compare with those of now."""
    study = tmp_path / "study.db"
    first = tune(config, SPACE, study, n_trials=1, seed=1, gpu=-1)
    assert tune(config, SPACE, study, n_trials=1, seed=1, gpu=-1) == first
    with pytest.raises(DomainNerError, match="changed since: the search space"):
        tune(config, {"training.dropout": {"low": 0.1, "high": 0.2}}, study, n_trials=2, seed=1, gpu=-1)
    other = tmp_path / "other.cfg"
    other.write_text(config.read_text("utf8").replace("patience = ", "patience = 1"), encoding="utf8")
    with pytest.raises(DomainNerError, match="changed since: the config"):
        tune(other, SPACE, study, n_trials=2, seed=1, gpu=-1)


def test_a_search_that_goes_on_tries_other_settings(config, tmp_path):
    space, told = {"training.dropout": {"low": 0.1, "high": 0.6}}, []
    for n_trials in (1, 3):
        tune(config, space, tmp_path / "study.db", n_trials=n_trials, seed=1, gpu=-1,
             on_trial=lambda _, settings, __: told.append(settings["training.dropout"]))  # fmt: skip
    assert len(set(told)) == 3


def test_a_setting_that_the_config_has_not_is_told(config, tmp_path):
    with pytest.raises(
        DomainNerError, match="names components.transformer.model.layer_decay, which the config does not have"
    ):
        tune(config, {"components.transformer.model.layer_decay": {"low": 0.7, "high": 1.0}}, tmp_path / "study.db",
             n_trials=1, seed=1, gpu=-1)  # fmt: skip


def test_a_trial_trains_what_create_config_makes_of_its_settings(tiny_encoder, example_rows, tmp_path):
    card = fetch(tmp_path, tiny_encoder("bert"))
    corpus = convert(tmp_path, example_rows[:30])
    settings = {"training.optimizer.learn_rate.initial_rate": 0.003, "training.batcher.size": 2}
    given = load_config(create_config(tmp_path, card, corpus), interpolate=True)
    told = " ".join(f"{name}={value}" for name, value in settings.items())
    made = create_config(tmp_path / "made", card, corpus, "--settings", told)
    wanted = load_config(made, interpolate=True)
    for name, value in (settings | implied_settings(given, settings)).items():
        section = wanted
        for part in name.split("."):
            section = section[part]
        assert section == pytest.approx(value), name
    assert wanted["training"]["max_steps"] != given["training"]["max_steps"]
