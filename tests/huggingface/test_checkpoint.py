"""Checkpoints that cannot be imported, and where they are looked for."""

import json
import os
import subprocess
import sys

import local_hub
import pytest
from conftest import ROOT
from tiny_taggers import build_tagger
from transformers import AutoModel, AutoTokenizer

from domain_ner.errors import DomainNerError
from domain_ner.huggingface.checkpoint import find_checkpoint, load_checkpoint

LABELS = ["O", "B-LOC", "I-LOC"]


@pytest.fixture
def folder(tiny_encoder, tmp_path):
    return build_tagger(tiny_encoder("bert"), tmp_path / "tagger", LABELS)


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf8")) | changes), encoding="utf8")


def test_labels_and_the_longest_window_are_the_checkpoints(folder):
    checkpoint = load_checkpoint(folder, "tiny")
    assert (checkpoint.labels, checkpoint.max_length, checkpoint.name) == (LABELS, 512, "tiny")


def test_a_tokenizer_without_a_maximum_leaves_that_of_the_encoders_positions(folder):
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf8"))
    del settings["model_max_length"]
    path.write_text(json.dumps(settings), encoding="utf8")
    assert load_checkpoint(folder, "tiny").max_length == 512


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DomainNerError, match="There is no folder no such folder; expected the folder of a checkpoint"):
        find_checkpoint("no such folder", tmp_path, say=print)


def test_no_checkpoint_names_the_variable(tmp_path):
    with pytest.raises(DomainNerError, match=r"vars\.checkpoint is empty"):
        find_checkpoint("", tmp_path, say=print)


def test_a_folder_without_weights_is_named(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(DomainNerError, match="has no weights"):
        load_checkpoint(folder, "tiny")


def test_an_encoder_without_a_classifier_is_refused(tiny_encoder, tmp_path):
    folder = tmp_path / "encoder"
    AutoModel.from_pretrained(tiny_encoder("bert")).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny_encoder("bert")).save_pretrained(folder)
    with pytest.raises(DomainNerError, match=r"tiny has no weights for classifier.*not fine-tuned"):
        load_checkpoint(folder, "tiny")


def test_another_number_of_labels_than_rows_is_refused(folder):
    change_config(folder, id2label={"0": "O", "1": "B-LOC"}, label2id={"O": 0, "B-LOC": 1})
    with pytest.raises(DomainNerError, match=r"size mismatch for [\s\S]*one name in id2label for each row"):
        load_checkpoint(folder, "tiny")


def test_a_model_type_without_a_token_classifier_is_refused(folder):
    change_config(folder, model_type="vit")
    with pytest.raises(DomainNerError, match="Cannot load tiny as a token classifier"):
        load_checkpoint(folder, "tiny")


def test_attention_code_in_a_repository_is_refused(folder):
    change_config(folder, _attn_implementation_internal="org/code")
    with pytest.raises(DomainNerError, match="refers to attention code"):
        load_checkpoint(folder, "tiny")


@pytest.mark.slow
def test_a_checkpoint_is_fetched_from_the_hub(folder, tmp_path):
    """In a process of its own: huggingface_hub reads the hub's address when it is imported."""
    with local_hub.serve({"org/tiny": folder}) as (address, _):
        environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "cache")}
        command = [sys.executable, "scripts/import_hf.py", "org/tiny", tmp_path / "pipeline"]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "org/tiny: bert, 3 labels, read as iob2" in ran.stdout
    assert 'name = "org/tiny"' in (tmp_path / "pipeline" / "config.cfg").read_text(encoding="utf8")
