"""Training from several seeds: the best is kept, the spread is told, what ended is not run again."""

import json
import shutil
from pathlib import Path

import pytest
from pipelines import convert, create_config, fetch, run

from domain_ner.training import run as training_run
from domain_ner.training.run import initialize
from domain_ner.training.seeds import SeedRun, finished, keep_best, spread


def seed_run(folder, seed, f1, **types):
    """A training that has ended, its pipelines told apart by a file."""
    for name in ("model-best", "model-last"):
        (folder / name).mkdir(parents=True)
        (folder / name / "seed").write_text(str(seed))
    scores = {name: {"p": value, "r": value, "f": value} for name, value in types.items()}
    return SeedRun(seed, folder, scores | {"all": {"p": f1, "r": f1, "f": f1}}, [], {})


def test_spread_is_mean_and_deviation_of_a_sample(tmp_path):
    runs = [seed_run(tmp_path / str(n), n, f1, TEAM=team) for n, (f1, team) in enumerate([(0.5, 0.2), (0.7, 0.4)])]
    found = spread(runs)
    assert list(found) == ["TEAM", "all"]
    assert found["all"]["f"] == pytest.approx((0.6, 0.1 * 2**0.5))
    assert found["TEAM"]["r"] == pytest.approx((0.3, 0.1 * 2**0.5))


def test_a_type_that_a_seed_never_predicted_counts_as_zero(tmp_path):
    runs = [seed_run(tmp_path / "0", 0, 0.5, TEAM=0.6), seed_run(tmp_path / "1", 1, 0.5)]
    assert spread(runs)["TEAM"]["f"][0] == pytest.approx(0.3)


def test_one_seed_has_no_spread(tmp_path):
    assert spread([seed_run(tmp_path / "0", 0, 0.5)])["all"]["f"] == (0.5, 0.0)


def test_the_best_is_kept_and_the_earliest_of_equals(tmp_path):
    runs = [seed_run(tmp_path / str(n), n, f1) for n, f1 in enumerate([0.4, 0.7, 0.7])]
    assert keep_best(tmp_path, runs).seed == 1
    for name in ("model-best", "model-last"):
        assert (tmp_path / name / "seed").read_text() == "1"


@pytest.fixture(scope="module")
def trained(tiny_encoder, example_rows, tmp_path_factory) -> tuple[Path, list, object]:
    """A folder in which three seeds were trained, the command's arguments, and what it printed."""
    folder = tmp_path_factory.mktemp("seeds")
    card = fetch(folder, tiny_encoder("bert"))
    config = create_config(folder, card, convert(folder, example_rows[:60]), "--epochs", "2", "--seed", "5")
    command = ["train_model", config, folder / "training", "--card", card, "--seeds", "3", "--resume"]
    return folder / "training", command, run(*command)


def test_every_seed_is_trained_from_the_configs_own_on(trained):
    folder, _, told = trained
    assert {path.name for path in (folder / "seeds").iterdir()} == {"5", "6", "7"}
    assert "dev, 3 seeds: mean ± standard deviation" in told.stdout
    weights = {(folder / "seeds" / seed / "model-last" / "crf_ner" / "model").read_bytes() for seed in "567"}
    assert len(weights) == 3


def test_the_report_has_the_scores_of_the_pipelines(trained):
    folder, _, _ = trained
    report = json.loads((folder / "reports" / "seeds.json").read_text())
    scores = {}
    for row in report["seeds"]:
        meta = json.loads((folder / "seeds" / str(row["seed"]) / "model-best" / "meta.json").read_text())
        scores[row["seed"]] = row["scores"]["all"]["f"]
        assert row["scores"]["all"]["f"] == meta["performance"]["ents_f"]
        assert row["scores"].keys() - {"all"} == meta["performance"]["ents_per_type"].keys()
    assert report["spread"]["all"]["f"]["mean"] == pytest.approx(sum(scores.values()) / 3)
    best = max(scores, key=lambda seed: (scores[seed], -seed))
    kept = (folder / "model-best" / "crf_ner" / "model").read_bytes()
    assert kept == (folder / "seeds" / str(best) / "model-best" / "crf_ner" / "model").read_bytes()
    assert len((folder / "reports" / "training.jsonl").read_text().splitlines()) == 2


def test_what_ended_is_not_run_again_and_what_did_not_is(trained):
    folder, command, _ = trained
    done = folder / "seeds" / "6" / "done.json"
    before = done.read_text()
    done.unlink()
    told = run(*command).stdout
    assert [line.split()[1:3] for line in told.splitlines() if line.startswith("seed ") and "train" in line] == [
        ["5:", "trained"],
        ["6:", "training"],
        ["7:", "trained"],
    ]
    again, first = json.loads(done.read_text()), json.loads(before)
    assert again["scores"] == first["scores"]


def test_with_one_seed_nothing_is_left_to_be_taken_for_a_spread(trained):
    folder, command, _ = trained
    run(*command[:5], "--seeds", "1")
    assert not (folder / "reports" / "seeds.json").exists()


def test_seeds_differ_whatever_the_config_says_of_them_and_any_score_may_be_the_one_to_judge_by(example_rows, tmp_path):
    corpus, card = convert(tmp_path, example_rows[:40]), fetch(tmp_path, "cnn")
    settings = "training.seed=null training.score_weights.ents_f=0.0 training.score_weights.ents_r=1.0"
    config = create_config(tmp_path, card, corpus, "--epochs", "1", "--settings", settings)
    run("train_model", config, tmp_path / "training", "--card", card, "--seeds", "2")
    weights = {path.read_bytes() for path in (tmp_path / "training" / "seeds").glob("*/model-last/*/model")}
    assert {path.name for path in (tmp_path / "training" / "seeds").iterdir()} == {"0", "1"} and len(weights) > 1


def test_rare_types_are_told_once_whatever_the_number_of_seeds(example_rows, tmp_path, caplog):
    corpus, card = convert(tmp_path, example_rows[:12]), fetch(tmp_path, "cnn")
    config = create_config(tmp_path, card, corpus, "--epochs", "1")
    caplog.set_level("WARNING", logger="spacy")
    run("train_model", config, tmp_path / "training", "--card", card, "--seeds", "2")
    told = [message for message in caplog.messages if "types with fewer than 10 entities" in message]
    assert len(told) == 1


def test_other_code_makes_another_run(trained, monkeypatch, tmp_path):
    folder, command, _ = trained
    nlp = initialize(command[1], gpu=-1, seed=5)
    assert finished(nlp, folder, 5)
    shutil.copytree(training_run.PACKAGE, tmp_path / "code")
    (tmp_path / "code" / "errors.py").write_text("")
    monkeypatch.setattr(training_run, "PACKAGE", tmp_path / "code")
    assert finished(nlp, folder, 5) is None
