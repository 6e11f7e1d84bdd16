"""What a user sees when something is wrong: the thing, the way out, an exit code, and nothing half-written."""

import json
import os
import shutil

import pytest
from conftest import GUIDE, ROOT
from pipelines import convert, fetch, run


def rows(n=12):
    spans = [{"start": 0, "end": 5, "label": "INFRA"}]
    return [{"text": f"Redis is slow on day {i}.", "spans": spans, "meta": {"org": f"o{i}"}} for i in range(n)]


def try_convert(folder, *options, guide=GUIDE):
    return run(
        "convert_annotations", folder / "annotations", folder / "corpus", folder / "reports", "--guide", guide,
        *options, check=False,
    )  # fmt: skip


def write(folder, given):
    (folder / "annotations").mkdir(exist_ok=True)
    lines = [line if isinstance(line, str) else json.dumps(line) for line in given]
    (folder / "annotations" / "a.jsonl").write_text("\n".join(lines), encoding="utf8")


def failed(ran, *told):
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    for text in told:
        assert text in ran.stderr
    return True


CASES = {
    "no folder": (None, ["does not exist", "Put the export"]),
    "empty file": ([], ["a.jsonl is empty"]),
    "invalid JSON": ([*rows(2), '{"text": '], ["a.jsonl:3: ", "JSON"]),
    "unknown label": ([*rows(2), rows(1)[0] | {"text": "Redis x", "spans": [{"start": 0, "end": 5, "label": "DB"}]}],
                      ["a.jsonl:3: 'Redis' (DB, 0-5): label 'DB' is not in the guide: expected one of SERVICE"]),
    "span outside the text": ([*rows(2), {"text": "x", "spans": [{"start": 0, "end": 5, "label": "TEAM"}]}],
                          ["a.jsonl:3: '' (TEAM, 0-5): 0-5 is outside the text: it has 1 characters"]),
    "too few passages": (rows(2), ["test split would be empty"]),
}  # fmt: skip


@pytest.mark.parametrize(("given", "told"), CASES.values(), ids=CASES)
def test_bad_annotations_are_told_and_nothing_is_written(tmp_path, given, told):
    if given is not None:
        write(tmp_path, given)
    assert failed(try_convert(tmp_path), *told)
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--lang", "klingon"], "vars.lang is 'klingon'"),
        (["--splits", "0.5,0.5"], "vars.splits is '0.5,0.5'"),
        (["--overlaps", "some"], "vars.overlaps is 'some'; expected one of 'longest'"),
        (["--misaligned", "guess"], "vars.misaligned is 'guess'"),
        (["--normalize", "all"], "vars.normalize is 'all'"),
        (["--group-by", "year", "--splits", "1,1,1"], "vars.splits"),
        (["--max-loss", "5"], "vars.max_loss is 5; expected a share from 0 to 1"),
    ],
)
def test_bad_settings_are_told(tmp_path, options, told):
    write(tmp_path, rows())
    assert failed(try_convert(tmp_path, *options), told)


def test_a_guide_that_is_not_there_is_told(tmp_path):
    write(tmp_path, rows())
    assert failed(try_convert(tmp_path, guide=tmp_path / "none.yml"), "Cannot read the guide", "init-guide writes one")


def test_a_former_corpus_stays_when_the_new_one_cannot_be_made(tmp_path):
    corpus = convert(tmp_path, rows())
    before = {path.name: path.read_bytes() for path in corpus.iterdir()}
    write(tmp_path, ["{"])
    assert failed(try_convert(tmp_path), "JSON")
    assert {path.name: path.read_bytes() for path in corpus.iterdir()} == before


def test_an_unknown_encoder_is_told_with_a_suggestion(tmp_path):
    options = ["--encoder", "debarta-v3-base", "--presets", ROOT / "configs" / "presets.yml", "--encoders", tmp_path]
    ran = run("fetch_encoder", tmp_path / "encoder.json", *options, check=False)
    assert failed(ran, "Unknown encoder 'debarta-v3-base'", "Did you mean 'deberta-v3-base'?")
    assert os.listdir(tmp_path) == []


def test_an_unknown_gpu_is_told_and_no_config_is_written(tmp_path):
    card, corpus = fetch(tmp_path, "cnn"), convert(tmp_path, rows())
    options = [
        "--card",
        card,
        "--train",
        corpus / "train.spacy",
        "--tokenizer",
        corpus / "tokenizer.json",
        "--gpu-id",
        "7",
    ]
    ran = run("create_config", ROOT / "configs", tmp_path / "config.cfg", *options, check=False)
    assert failed(ran, "GPU 7 was requested, but", "vars.gpu_id")
    assert not (tmp_path / "config.cfg").exists()


def test_steps_out_of_order_say_which_comes_first(tmp_path):
    no_card = run("train_model", tmp_path / "no.cfg", tmp_path, "--card", tmp_path / "none.json", check=False)
    assert failed(no_card, "Run fetch-encoder")
    no_config = run("train_model", tmp_path / "no.cfg", tmp_path, "--card", fetch(tmp_path, "cnn"), check=False)
    assert failed(no_config, "Run create-config")
    ran = run("evaluate_model", tmp_path / "none", tmp_path / "t", tmp_path / "m.json", check=False)
    assert failed(ran, "Run train first")


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    write(tmp_path, rows())
    (tmp_path / "corpus").write_text("a file in the place of the folder")
    assert failed(try_convert(tmp_path), "Cannot write", "corpus")


def test_a_report_that_cannot_be_written_leaves_the_former_corpus(tmp_path):
    write(tmp_path, rows())
    assert try_convert(tmp_path).returncode == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "corpus").iterdir()}
    shutil.rmtree(tmp_path / "reports")
    (tmp_path / "reports").write_text("a file in the place of the folder")
    write(tmp_path, rows()[:-1])
    assert failed(try_convert(tmp_path), "Cannot write", "reports")
    assert {path.name: path.read_bytes() for path in (tmp_path / "corpus").iterdir()} == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_told(tmp_path):
    write(tmp_path, rows())
    (tmp_path / "corpus").mkdir(mode=0o500)
    assert failed(try_convert(tmp_path), "Cannot write", "Permission denied")
    assert os.listdir(tmp_path / "corpus") == []


def test_emoji_crlf_and_a_huge_passage_convert(tmp_path):
    huge = {"text": "Redis 🔥 " * 20_000, "spans": [{"start": 8, "end": 13, "label": "INFRA"}]}
    write(tmp_path, [*rows(), huge])
    path = tmp_path / "annotations" / "a.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert try_convert(tmp_path).returncode == 0


def frozen(folder):
    """Convert `rows()`: (options that keep their splits, a function: the rows without a group of that split)."""
    assigned = folder / "splits.json"
    options = ["--assigned", assigned, "--group-by", "org"]
    write(folder, rows())
    assert try_convert(folder, *options).returncode == 0
    groups = json.loads(assigned.read_text())["groups"]

    def without(split):
        gone = next(key for key in groups if groups[key] == split)
        return [row for row in rows() if f"org={row['meta']['org']}" != gone]

    return options, without


def test_a_group_that_is_away_for_a_while_comes_back_to_its_split(tmp_path):
    options, without = frozen(tmp_path)
    before = (tmp_path / "splits.json").read_text()
    write(tmp_path, without("train"))
    assert try_convert(tmp_path, *options).returncode == 0
    assert (tmp_path / "splits.json").read_text() == before


def test_a_group_that_the_frozen_test_set_lacks_stops_until_it_is_accepted(tmp_path):
    options, without = frozen(tmp_path)
    kept = [tmp_path / "splits.json", *sorted((tmp_path / "corpus").iterdir())]
    before = [path.read_bytes() for path in kept]
    write(tmp_path, without("test"))
    told = ["The test set is frozen", "groups are missing: org=o", "--vars.test_changes accept"]
    assert failed(try_convert(tmp_path, *options), *told)
    assert [path.read_bytes() for path in kept] == before
    accepted = try_convert(tmp_path, *options, "--test-changes", "accept")
    assert "the test set has changed, as you accepted: 1 of its" in accepted.stdout
    assert try_convert(tmp_path, *options).returncode == 0


def test_a_text_of_the_frozen_test_set_that_has_changed_is_shown_as_it_was(tmp_path):
    options, without = frozen(tmp_path)
    (gone,) = [row for row in rows() if row not in without("test")]
    write(tmp_path, [row | {"text": row["text"].replace(".", "!")} if row == gone else row for row in rows()])
    assert failed(try_convert(tmp_path, *options), f"or have changed: '{gone['text']}' (a.jsonl:")


def test_the_splits_of_other_data_are_forgotten_and_that_is_said(tmp_path):
    assigned = tmp_path / "splits.json"
    assigned.write_text(json.dumps({"org=elsewhere": "train", "org=far": "test"}))
    write(tmp_path, rows())
    ran = try_convert(tmp_path, "--assigned", assigned, "--group-by", "org")
    assert "none of the groups in assets/splits.json occurs in this data: drawing new splits" in ran.stdout
    assert set(json.loads(assigned.read_text())["groups"]) == {f"org=o{n}" for n in range(12)}


def test_a_damaged_file_of_splits_is_told_and_left_alone(tmp_path):
    assigned = tmp_path / "splits.json"
    assigned.write_text('{"org=a": "tra')
    write(tmp_path, rows())
    assert failed(try_convert(tmp_path, "--assigned", assigned), "splits.json is not valid JSON", "remove it")
    assert assigned.read_text() == '{"org=a": "tra'
    assigned.write_text('{"org=a": "training"}')
    assert failed(try_convert(tmp_path, "--assigned", assigned), "expected groups and their splits", "remove it")


@pytest.mark.parametrize("threshold", ["95", "high", "0"])
def test_a_threshold_that_is_no_precision(tmp_path, threshold):
    places = [tmp_path / name for name in ("model", "dev.spacy", "out", "report.json")]
    ran = run("calibrate_model", *places, "--threshold", threshold, check=False)
    assert failed(ran, f"vars.threshold is '{threshold}'; expected a precision between 0 and 1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("settings", ["dropout=0.3", "training.dropout"])
def test_settings_that_cannot_be_read(tmp_path, settings):
    card = fetch(tmp_path, "cnn")
    corpus = convert(tmp_path, rows(12))
    data = ["--train", corpus / "train.spacy", "--tokenizer", corpus / "tokenizer.json", "--settings", settings]
    ran = run("create_config", ROOT / "configs", tmp_path / "config.cfg", "--card", card, *data, check=False)
    assert failed(ran, f"vars.settings has '{settings}'; expected section.name=value")
    assert not (tmp_path / "config.cfg").exists()
