"""What a crash may have damaged: each reader says which file, and what to do; no traceback and no other result."""

import json
import os
import shutil

import pytest
import spacy
from conftest import GUIDE
from pipelines import convert, create_config, fetch, run, train
from spacy.tokens import Doc, DocBin

from domain_ner.corpus import damage as corpus_check
from domain_ner.corpus.damage import require_whole
from domain_ner.encoders.card import EncoderCard
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import load_pipeline, read_docs
from domain_ner.files import hold_lock
from domain_ner.training.run import initialize, read_config
from domain_ner.training.seeds import finished


def cut_off(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


DAMAGES = [cut_off, empty, zero]


@pytest.fixture(scope="module")
def made(example_rows, tmp_path_factory):
    """A folder with a corpus, a config, two seeds trained, and the card."""
    folder = tmp_path_factory.mktemp("made")
    card, corpus = fetch(folder, "cnn"), convert(folder, example_rows[:40], "--assigned", folder / "splits.json")
    config = create_config(folder, card, corpus)
    run("train_model", config, folder / "training", "--card", card, "--seeds", "2")
    return folder


@pytest.fixture
def copy(made, tmp_path):
    """A copy of it; its config names the corpus there."""
    shutil.copytree(made, tmp_path / "copy")
    config = tmp_path / "copy" / "config.cfg"
    config.write_text(config.read_text().replace(str(made), str(tmp_path / "copy")))
    return tmp_path / "copy"


def failed(script, *arguments):
    ran = run(script, *arguments, check=False)
    assert ran.returncode == 1 and "Traceback" not in ran.stderr, ran.stderr
    return ran.stderr


def test_a_whole_corpus_passes(made):
    require_whole(made / "corpus" / "train.spacy")


@pytest.mark.parametrize("damage", [*DAMAGES, flip])
def test_a_damaged_corpus_is_named_by_all_that_read_it(copy, damage):
    corpus = copy / "corpus"
    damage(corpus / "dev.spacy")
    for read in (
        lambda: require_whole(corpus / "dev.spacy"),
        lambda: read_docs(corpus / "dev.spacy", spacy.blank("en").vocab),
        lambda: initialize(copy / "config.cfg", gpu=-1),
    ):
        with pytest.raises(DomainNerError, match=r"dev\.spacy is damaged(.|\n)*Run convert again"):
            read()


def test_a_long_corpus_is_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_check, "CHUNK_BYTES", 64)
    vocab = spacy.blank("en").vocab
    DocBin(docs=[Doc(vocab, words=[f"word{n}"]) for n in range(100)]).to_disk(tmp_path / "long.spacy")
    require_whole(tmp_path / "long.spacy")
    os.truncate(tmp_path / "long.spacy", (tmp_path / "long.spacy").stat().st_size - 1)
    with pytest.raises(DomainNerError, match="truncated after"):
        require_whole(tmp_path / "long.spacy")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_config_card_or_assignment_is_named(copy, damage):
    for name in ("config.cfg", "encoder.json", "splits.json"):
        damage(copy / name)
    with pytest.raises(DomainNerError, match=r"config\.cfg:? (.|\n)*Run create-config again"):
        read_config(copy / "config.cfg", {})
    with pytest.raises(DomainNerError, match=r"encoder\.json(.|\n)*Run fetch-encoder"):
        EncoderCard.read(copy / "encoder.json")
    told = failed("convert_annotations", copy / "annotations", copy / "corpus", copy / "reports", "--guide", GUIDE,
                  "--prefer", "*", "--assigned", copy / "splits.json")  # fmt: skip
    assert "splits.json is not valid JSON" in told and "remove it to draw new splits" in told


def test_an_assignment_that_holds_something_else_is_named(copy):
    (copy / "splits.json").write_text('{"a": ["train"]}')
    told = failed("convert_annotations", copy / "annotations", copy / "corpus", copy / "reports", "--guide", GUIDE,
                  "--prefer", "*", "--assigned", copy / "splits.json")  # fmt: skip
    assert "splits.json is not a record of splits: expected groups and their splits" in told


@pytest.mark.parametrize("name", ["meta.json", "config.cfg", "crf_ner/model", "vocab/strings.json", "tokenizer"])
@pytest.mark.parametrize("damage", [cut_off, empty])
def test_a_damaged_pipeline_is_named(copy, name, damage):
    model = copy / "training" / "model-best"
    damage(model / name)
    with pytest.raises(DomainNerError, match=r"model-best"):
        load_pipeline(model)


@pytest.mark.parametrize(
    ("name", "damage", "told"),
    [
        ("done.json", cut_off, "done.json is damaged (JSONDecodeError): training this seed again"),
        ("done.json", empty, "done.json is damaged (JSONDecodeError): training this seed again"),
        ("model-last/crf_ner/model", zero, "model-last is damaged or has changed: training this seed again"),
        ("model-best/crf_ner/model", flip, "model-best is damaged or has changed: training this seed again"),
    ],
)
def test_a_trained_seed_that_is_damaged_is_told_and_not_taken(made, name, damage, told, tmp_path):
    nlp = initialize(made / "config.cfg", gpu=-1, seed=1)
    shutil.copytree(made / "training" / "seeds", tmp_path / "seeds")
    assert finished(nlp, tmp_path, 1) is not None
    damage(tmp_path / "seeds" / "1" / name)
    said = []
    assert finished(nlp, tmp_path, 1, say=said.append) is None
    assert [line.endswith(told) for line in said] == [True], said


def test_two_commands_that_write_the_same_are_told_apart_and_convert_waits_for_train(copy):
    options = ["--guide", GUIDE, "--prefer", "*"]
    command = ["convert_annotations", copy / "annotations", copy / "corpus", copy / "reports", *options]
    with hold_lock(copy / "corpus", "train_model.py", shared=True):
        assert f"corpus is in use by process {os.getpid()} (train_model.py, since" in failed(*command)
    with hold_lock(copy / "training", "train_model.py"):
        told = failed("train_model", copy / "config.cfg", copy / "training", "--card", copy / "encoder.json")
        assert "training is in use by" in told
        assert "training is in use by" in failed("clean_outputs", copy / "training")
    assert run(*command).returncode == 0
    assert not list(copy.rglob(".*.lock"))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="limits files as POSIX does")
def test_a_full_disk_is_told_and_the_former_pipeline_stays(copy):
    import resource
    import signal

    before = json.loads((copy / "training" / "model-best" / "meta.json").read_text())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        told = failed("train_model", copy / "config.cfg", copy / "training", "--card", copy / "encoder.json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, former)
    assert "File too large" in told and "free space" in told
    assert json.loads((copy / "training" / "model-best" / "meta.json").read_text()) == before
    assert train(copy / "training", copy / "config.cfg", copy / "encoder.json")
