"""Silver passages beside annotated ones: how many, which, how much they count, and what is refused."""

import pytest
import spacy
from pipelines import convert, create_config, fetch, run, train
from spacy.tokens import DocBin, Span
from spacy.training import Corpus
from spacy.util import load_config

from domain_ner.annotations.doc_keys import MARGINALS_KEY, WEIGHT_KEY
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import read_docs
from domain_ner.training.config import epoch_lengths
from domain_ner.training.parts import train_part
from domain_ner.training.run import identify, initialize
from domain_ner.training.silver import Silver, create_with_silver
from domain_ner.training.summary import summarise


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


def write(nlp, path, texts, **user_data):
    docs = []
    for text in texts:
        doc = nlp.make_doc(text)
        doc.ents = [Span(doc, 0, 1, label="INFRA")]
        doc.user_data.update(user_data)
        docs.append(doc)
    path.parent.mkdir(exist_ok=True)
    DocBin(docs=docs, store_user_data=True).to_disk(path)


@pytest.fixture
def folders(nlp, tmp_path):
    """The reader of ten annotated passages, and a folder with thirty silver ones in two files."""
    write(nlp, tmp_path / "train.spacy", [f"gold {n}" for n in range(10)])
    for part in range(2):
        write(nlp, tmp_path / "silver" / f"{part}.spacy", [f"silver {part} {n}" for n in range(15)])
    return Corpus(tmp_path / "train.spacy"), tmp_path / "silver"


def read(nlp, folders, share, weight=0.5, seed=0):
    return list(create_with_silver(*folders, share, weight, seed)(nlp))


@pytest.mark.parametrize(("share", "n"), [(0, 0), (0.5, 5), (2, 20), (100, 30)])
def test_so_many_come_after_the_annotated_ones(nlp, folders, share, n):
    found = read(nlp, folders, share)
    assert [example.text for example in found[:10]] == [f"gold {number}" for number in range(10)]
    silver = [example.text for example in found[10:]]
    assert len(set(silver)) == n and silver == sorted(silver, key=lambda text: list(map(int, text.split()[1:])))


def test_they_are_the_same_each_time_and_others_with_another_seed(nlp, folders):
    first, again, other = ([example.text for example in read(nlp, folders, 1, seed=seed)] for seed in (0, 0, 1))
    assert first == again != other


def test_they_have_a_weight_and_the_annotated_ones_have_none(nlp, folders):
    weights = [example.reference.user_data.get(WEIGHT_KEY) for example in read(nlp, folders, 3, weight=0.25)]
    assert weights == [None] * 10 + [0.25] * 30


def test_a_text_in_two_files_is_taken_from_the_first(nlp, folders):
    write(nlp, folders[1] / "2.spacy", ["silver 0 3", "silver 2 0"])
    texts = [example.text for example in read(nlp, folders, 100)[10:]]
    assert len(texts) == len(set(texts)) == 31


def test_what_cannot_be_read_is_named(nlp, folders, tmp_path):
    with pytest.raises(DomainNerError, match=r"vars\.silver is -1"):
        read(nlp, folders, -1)
    with pytest.raises(DomainNerError, match=r"vars\.silver_weight is 1\.5; expected"):
        read(nlp, folders, 1, weight=1.5)
    (tmp_path / "none").mkdir()
    with pytest.raises(DomainNerError, match=r"no silver passage in .*none, and vars\.silver asks for some"):
        read(nlp, (folders[0], tmp_path / "none"), 1)
    (folders[1] / "0.spacy").write_bytes(b"x")
    with pytest.raises(DomainNerError, match=r"0\.spacy is no corpus, or damaged"):
        read(nlp, folders, 1)


@pytest.fixture(scope="module")
def project(example_rows, tmp_path_factory):
    """A folder with a corpus, the card of `cnn`, and silver passages made of dev."""
    folder = tmp_path_factory.mktemp("silver")
    card = fetch(folder, "cnn")
    corpus = convert(folder, example_rows[:60])
    (folder / "silver").mkdir()
    (folder / "silver" / "a.spacy").write_bytes((corpus / "dev.spacy").read_bytes())
    return folder, card, corpus


def config_with(project, *options):
    folder, card, corpus = project
    return create_config(folder, card, corpus, "--silver-folder", str(folder / "silver"), *options)


def test_the_plan_counts_them_and_a_training_without_them_does_not(project):
    _, _, corpus = project
    vocab = spacy.blank("en").vocab
    docs, silver = (read_docs(corpus / f"{name}.spacy", vocab) for name in ("train", "dev"))
    config = load_config(config_with(project, "--silver", "9", "--silver-weight", "0.5", "--oversample", "0.1"))
    reader = config["corpora"]["train"]
    assert (reader["@readers"], reader["share"], reader["weight"]) == ("domain_ner.WithSilver.v1", 9, 0.5)
    assert reader["corpus"]["@readers"] == "domain_ner.Oversample.v1"
    lengths = epoch_lengths(reader, docs, vocab)
    assert lengths[-len(silver) :] == [len(doc) for doc in silver]
    assert len(epoch_lengths({**reader, "share": 0}, docs, vocab)) == len(lengths) - len(silver)


def test_a_head_that_cannot_learn_marginals_is_refused(project, nlp):
    folder, card, corpus = project
    taught = folder / "taught"
    write(nlp, taught / "a.spacy", ["Redis is slow"], **{MARGINALS_KEY: {"labels": ["INFRA"]}})
    options = ["--silver", "1", "--silver-folder", taught, "--head", "spancat"]
    data = ["--train", corpus / "train.spacy", "--tokenizer", corpus / "tokenizer.json", "--card", card]
    ran = run("create_config", "configs", folder / "x.cfg", *data, *options, check=False)
    assert ran.returncode == 1 and "only the head crf learns from; vars.head is spancat" in ran.stderr


def test_another_silver_passage_is_another_run(project, nlp):
    folder = project[0]
    config = load_config(config_with(project, "--silver", "9"), interpolate=True)
    before = identify(config)
    write(nlp, folder / "silver" / "b.spacy", [])
    assert identify(config) != before
    (folder / "silver" / "b.spacy").unlink()
    assert identify(config) == before


def test_types_that_nobody_annotated_are_refused(project, nlp):
    folder, card, corpus = project
    doc = nlp.make_doc("Mars is far")
    doc.ents = [Span(doc, 0, 1, label="PLANET")]
    (folder / "alien").mkdir()
    DocBin(docs=[doc]).to_disk(folder / "alien" / "a.spacy")
    options = ["--silver", "1", "--silver-folder", folder / "alien", "--card", card]
    data = ["--train", corpus / "train.spacy", "--tokenizer", corpus / "tokenizer.json"]
    ran = run("create_config", "configs", folder / "x.cfg", *data, *options, check=False)
    assert ran.returncode == 1 and "has PLANET, which the annotated passages do not have" in ran.stderr


def test_the_summary_counts_silver_passages_apart(project):
    counted = [summarise(initialize(config_with(project, "--silver", n), gpu=-1)) for n in ("0", "9")]
    assert [one.n_silver for one in counted] == [0, counted[1].n_passages - counted[0].n_passages]
    assert counted[1].n_silver > 0


@pytest.mark.slow
def test_training_learns_from_them(project, tmp_path):
    folder, card, corpus = project
    config = config_with(project, "--silver", "9")
    assert (train(tmp_path, config, card) / "config.cfg").is_file()
    vocab = spacy.blank("en").vocab
    docs, dev = (read_docs(corpus / f"{name}.spacy", vocab) for name in ("train", "dev"))
    runs = [
        train_part(config, docs, dev, tmp_path / name, gpu=-1, seed=0, epochs=3, silver=silver)
        for name, silver in (("with", Silver(folder / "silver", 9.0, 1.0)), ("without", None))
    ]
    n_steps = [rows[-1]["step"] for rows in (one.log for _, one in runs)]
    assert n_steps[0] > n_steps[1]
    assert runs[0][1].log[-1]["losses"] != runs[1][1].log[-1]["losses"]
