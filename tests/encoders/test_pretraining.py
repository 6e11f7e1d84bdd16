"""An encoder that reads raw text of the domain first, with tiny encoders."""

import json
import shutil
from dataclasses import replace

import pytest
from pipelines import fetch, run
from tiny_encoders import CLASSES
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

from domain_ner.encoders.presets import INHERITED
from domain_ner.encoders.pretraining import Pretraining, claim, cut, find_whole, hold_out, pretrain
from domain_ner.errors import DomainNerError
from domain_ner.files import seal, write_text

SETTINGS = Pretraining(epochs=4, batch=8, window=32, learning_rate=5e-3, seed=0)


@pytest.fixture(scope="module")
def texts(example_rows):
    return [row["text"] for row in example_rows[:60]]


@pytest.mark.parametrize("family", CLASSES)
def test_it_gets_better_at_text_that_it_did_not_read_and_loads_as_an_encoder(tiny_encoder, texts, tmp_path, family):
    found = pretrain(tiny_encoder(family), texts, tmp_path / "adapted", SETTINGS, origin={})
    assert found.after < found.before / 1.5
    assert found.n_held_out >= 1 and found.is_new_head
    AutoModel.from_pretrained(tmp_path / "adapted")
    assert AutoTokenizer.from_pretrained(tmp_path / "adapted").is_fast
    assert not (tmp_path / "adapted.unfinished").exists()


def test_every_wordpiece_is_in_a_window(tiny_encoder, texts):
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder("bert"))
    windows = list(cut(tokenizer, texts, 16))
    assert max(map(len, windows)) <= 16
    n_pieces = sum(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts)
    assert sum(len(window) - 2 for window in windows) == n_pieces


def test_too_little_text_is_told_and_nothing_is_written(tiny_encoder, tmp_path):
    with pytest.raises(DomainNerError, match="at least 9 are needed"):
        pretrain(tiny_encoder("bert"), ["one line"], tmp_path / "adapted", SETTINGS, origin={})
    assert list(tmp_path.iterdir()) == []


def test_the_command_makes_an_encoder_that_trains(tiny_encoder, texts, tmp_path):
    card = fetch(tmp_path, tiny_encoder("bert"))
    raw = tmp_path / "raw"
    raw.mkdir()
    lines = [text.replace("\n", " ") for text in texts[:30]]
    (raw / "a.txt").write_text("\n".join(lines) + "\n\n", encoding="utf8")
    (raw / "b.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts[30:]), encoding="utf8")
    options = ["--card", card, "--epochs", "1", "--window", "32"]
    ran = run("pretrain_encoder", raw, tmp_path / "adapted", *options)
    assert "60 texts" in ran.stdout
    assert "pseudo-perplexity" in ran.stdout
    adapted = json.loads(fetch(tmp_path / "again", tmp_path / "adapted").read_text())
    assert adapted["family"] == "bert"
    parent = json.loads(card.read_text())
    assert {key: adapted[key] for key in INHERITED} == {key: parent[key] for key in INHERITED}


def test_what_comes_again_is_read_once_and_never_held_out_too(tiny_encoder, texts):
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder("bert"))
    held_out, learned = hold_out(list(cut(tokenizer, texts * 5, 32)), seed=0)
    assert held_out and not set(map(tuple, held_out)) & set(map(tuple, learned))
    assert len(held_out) + len(learned) == len(set(map(tuple, cut(tokenizer, texts, 32))))


def test_a_checkpoint_that_was_cut_off_is_left_aside(tiny_encoder, texts, tmp_path):
    settings = replace(SETTINGS, epochs=1)
    claim(tmp_path / "adapted.unfinished", tiny_encoder("bert"), texts, settings)
    (tmp_path / "adapted.unfinished" / "checkpoint-9").mkdir()
    (tmp_path / "adapted.unfinished" / "checkpoint-9" / "model.safetensors").write_bytes(b"half")
    assert pretrain(tiny_encoder("bert"), texts, tmp_path / "adapted", settings, origin={}).n_windows


def test_a_damaged_checkpoint_is_told_and_the_former_taken(tmp_path):
    for n in (5, 10):
        write_text(tmp_path / f"checkpoint-{n}" / "model.safetensors", "weights")
        seal(tmp_path / f"checkpoint-{n}")
    (tmp_path / "checkpoint-10" / "model.safetensors").write_text("")
    told = []
    assert find_whole(tmp_path, told.append) == str(tmp_path / "checkpoint-5")
    assert (
        "checkpoint-10 is damaged: model.safetensors is empty" in told[0]
        and "Resuming the interrupted run from" in told[1]
    )
    (tmp_path / "checkpoint-5" / "checksums.json").unlink()
    assert find_whole(tmp_path, told.append) is None and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", '{"text": "x"}\n{"txt": 1}\n', "a.jsonl:2: expected a JSON object with the key 'text'"),
        ("a.txt", "\n \n", "There is no text in"),
        ("a.txt", b"\xff\xfe\x00", "Expected UTF-8 text"),
    ],
)
def test_text_that_cannot_be_read_is_told(tiny_encoder, tmp_path, name, content, told):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    card = fetch(tmp_path, tiny_encoder("bert"))
    ran = run("pretrain_encoder", raw, tmp_path / "adapted", "--card", card, check=False)
    assert ran.returncode == 1
    assert told in ran.stderr
    assert not (tmp_path / "adapted").exists()


def test_an_unfinished_run_of_other_texts_is_not_gone_on_from(tiny_encoder, tmp_path):
    texts = [f"the {name} service restarted at noon because redis was full " * 6 for name in ("billing", "search")] * 20
    work = tmp_path / "adapted.unfinished"
    claim(work, tiny_encoder("bert"), texts, SETTINGS)
    (work / "checkpoint-1").mkdir()
    claim(work, tiny_encoder("bert"), texts, SETTINGS)
    assert (work / "checkpoint-1").is_dir()
    claim(work, tiny_encoder("bert"), [*texts, "more"], SETTINGS)
    assert not (work / "checkpoint-1").exists()


@pytest.mark.parametrize("family", CLASSES)
def test_an_encoder_with_a_head_for_masked_words_keeps_it(tiny_encoder, texts, tmp_path, family):
    shutil.copytree(tiny_encoder(family), tmp_path / "whole")
    AutoModelForMaskedLM.from_pretrained(tiny_encoder(family)).save_pretrained(tmp_path / "whole")
    found = pretrain(tmp_path / "whole", texts, tmp_path / "adapted", replace(SETTINGS, epochs=1), origin={})
    assert not found.is_new_head
