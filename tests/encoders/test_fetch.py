"""Fetching encoders: from a model hub on loopback, or from a folder."""

import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import local_hub
import pytest
from conftest import ROOT

from domain_ner.encoders.card import EncoderCard, make_card
from domain_ner.encoders.fetch import fetch_encoder
from domain_ner.encoders.presets import Preset, load_presets
from domain_ner.errors import DomainNerError

PRESETS = load_presets(ROOT / "configs" / "presets.yml")
HUB_PRESETS = [name for name, preset in PRESETS.items() if preset.hub_id]
FETCH = "from domain_ner.commands.main import run_script; run_script('fetch-encoder')"


def fetch(encoder, folder, *, hub="http://127.0.0.1:9", presets=ROOT / "configs" / "presets.yml", **environment):
    """Run fetch-encoder with the hub at that address (port 9 answers nothing); returns the finished process."""
    options = ["--encoder", encoder, "--presets", presets, "--encoders", folder / "encoders"]
    command = [sys.executable, "scripts/fetch_encoder.py", folder / "encoder.json", *options]
    environment = {**os.environ, "HF_ENDPOINT": hub, "HF_HOME": str(folder / "cache")} | environment
    return subprocess.run(
        list(map(str, command)), cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf8", check=False
    )


def test_a_hub_that_lists_a_file_outside_the_folder_is_refused(tmp_path, monkeypatch):
    listed = SimpleNamespace(sha="abc", siblings=[SimpleNamespace(rfilename="../x.model")])
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_, **__: listed)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("it was fetched"))
    with pytest.raises(DomainNerError, match="org/x on the model hub names the file '../x.model'"):
        fetch_encoder(Preset(name="org/x", hub_id="org/x"), tmp_path, say=lambda line: None)


@pytest.mark.slow
def test_the_hub_gives_a_snapshot_and_its_commit_is_recorded(tiny_encoder, tmp_path):
    with local_hub.serve({"org/tiny": tiny_encoder("deberta-v3")}) as (address, _):
        ran = fetch("org/tiny", tmp_path, hub=address)
    assert ran.returncode == 0, ran.stderr
    card = EncoderCard.read(tmp_path / "encoder.json")
    assert (card.revision, card.family) == (local_hub.COMMIT, "deberta")
    found = set(os.listdir(tmp_path / "encoders" / "org" / "tiny"))
    assert found == {"config.json", "model.safetensors", "spm.model", "tokenizer_config.json", "domain_ner.json"}


@pytest.mark.slow
def test_files_of_another_revision_are_fetched_anew_and_the_card_never_guesses(tiny_encoder, tmp_path):
    with local_hub.serve({"org/tiny": tiny_encoder("bert")}) as (address, _):
        assert fetch("org/tiny", tmp_path, hub=address).returncode == 0
        same = fetch(f"org/tiny@{local_hub.COMMIT[:8]}", tmp_path, hub=address)
        assert "already in" in same.stdout
        assert EncoderCard.read(tmp_path / "encoder.json").revision == local_hub.COMMIT
        other = fetch("org/tiny@" + "f" * 40, tmp_path, hub=address)
        assert other.returncode == 1 and "did not give org/tiny at ffff" in other.stderr
        assert "fetching" in fetch("org/tiny@main", tmp_path, hub=address).stdout
    origin = tmp_path / "encoders" / "org" / "tiny" / "domain_ner.json"
    origin.unlink()  # as where somebody put the files there by hand
    assert "already in" in fetch("org/tiny@main", tmp_path).stdout
    assert EncoderCard.read(tmp_path / "encoder.json").revision == ""


def test_a_folder_called_as_no_encoder_is_one(tiny_encoder, tmp_path):
    shutil.copytree(tiny_encoder("bert"), tmp_path / "cnn")
    assert fetch(tmp_path / "cnn", tmp_path).returncode == 0
    assert EncoderCard.read(tmp_path / "encoder.json").family == "bert"


def test_pytorch_weights_are_taken_only_where_there_are_no_others(tiny_encoder, tmp_path):
    source = tmp_path / "both"
    source.mkdir()
    for path in tiny_encoder("bert").iterdir():
        (source / path.name).write_bytes(path.read_bytes())
    (source / "pytorch_model.bin").write_bytes(b"large")
    (source / "tf_model.h5").write_bytes(b"larger")
    with local_hub.serve({"org/both": source}) as (address, requests):
        assert fetch("org/both", tmp_path, hub=address).returncode == 0
        assert not [request for request in requests if "pytorch_model" in request or "tf_model" in request]
        (source / "model.safetensors").unlink()
        assert fetch("org/both", tmp_path / "again", hub=address).returncode == 0
    assert (tmp_path / "again" / "encoders" / "org" / "both" / "pytorch_model.bin").exists()


@pytest.mark.parametrize(("hub_id", "message"), [("org/none", "org/none"), ("org/tiny@" + "f" * 40, "at " + "f" * 40)])
def test_a_repository_or_revision_that_is_not_there_is_an_error(tiny_encoder, tmp_path, hub_id, message):
    with local_hub.serve({"org/tiny": tiny_encoder("bert")}) as (address, _):
        ran = fetch(hub_id, tmp_path, hub=address)
    assert ran.returncode == 1
    assert "The model hub did not give" in ran.stderr
    assert message in ran.stderr


@pytest.mark.parametrize("name", HUB_PRESETS)
def test_without_a_hub_the_error_names_the_folder_to_put_the_files_in(name, tmp_path):
    ran = fetch(name, tmp_path, HF_HUB_OFFLINE="1")
    assert ran.returncode == 1
    assert str(tmp_path / "encoders" / name) in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "encoder.json").exists()
    assert os.listdir(tmp_path / "encoders") == []


def test_a_hub_that_does_not_answer_is_an_error(tmp_path):
    ran = fetch("roberta-base", tmp_path)
    assert (ran.returncode, "The model hub did not give" in ran.stderr) == (1, True)


def test_files_put_there_by_hand_are_used_without_a_hub(tiny_encoder, tmp_path):
    folder = tmp_path / "encoders" / "roberta-base"
    folder.mkdir(parents=True)
    for path in tiny_encoder("roberta").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    ran = fetch("roberta-base", tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert json.loads((tmp_path / "encoder.json").read_text())["path"] == folder.as_posix()
    (folder / "domain_ner.json").write_text('{"adapted_from": "roberta-base"}')  # as pretrain-encoder leaves it
    assert "already in" in fetch("roberta-base", tmp_path).stdout


def test_a_folder_without_weights_is_an_error(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    ran = fetch(str(tmp_path / "mine"), tmp_path)
    assert (ran.returncode, "has no weights" in ran.stderr) == (1, True)


def test_an_encoder_whose_config_names_code_to_fetch_is_refused(tiny_encoder, tmp_path):
    shutil.copytree(tiny_encoder("bert"), tmp_path / "mine")
    path = tmp_path / "mine" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"attn_implementation": "some/where"}))
    with pytest.raises(DomainNerError, match="refers to attention code in a repository"):
        make_card(Preset(name="mine", folder=str(path.parent)), path.parent)


def test_cnn_needs_nothing(tmp_path):
    assert fetch("cnn", tmp_path).returncode == 0
    card = EncoderCard.read(tmp_path / "encoder.json")
    assert (card.family, card.path, card.files) == ("cnn", "", {})
