"""The component under what spaCy itself does with pipelines: its commands, sources, processes and memory zones."""

import warnings
from multiprocessing import get_start_method, set_start_method

import pytest
import spacy
from spacy.cli.debug_data import debug_data
from spacy.cli.find_threshold import find_threshold
from spacy.tokens import DocBin
from test_pipe import TEXTS, blank, examples, fit, found
from thinc.api import Config
from typer.testing import CliRunner

from domain_ner.errors import DomainNerError

TEXT, ENTITIES = TEXTS[0]
LISTENING = """
[model]
@architectures = "domain_ner.CRF.v1"

[model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = 96
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A pipeline whose recogniser listens to a tok2vec, as `vars.encoder cnn` makes it; on disk, with a corpus."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    nlp.add_pipe("crf_ner", config=Config().from_str(LISTENING))
    fit(nlp, examples(nlp))
    folder = tmp_path_factory.mktemp("nlp")
    nlp.to_disk(folder / "nlp")
    DocBin(docs=[one.reference for one in examples(nlp) * 4]).to_disk(folder / "gold.spacy")
    DocBin(docs=[examples(nlp)[0].reference]).to_disk(folder / "one.spacy")
    return folder


def cli(*arguments):
    from spacy.cli._util import app

    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.mark.parametrize("how", ["exclude", "disable"])
def test_without_its_tok2vec_it_says_so(saved, how):
    nlp = spacy.load(saved / "nlp", **{how: ["tok2vec"]})
    with pytest.raises(DomainNerError, match="gets no vectors: the tok2vec before it is disabled or not in"):
        nlp(TEXT)
    assert not spacy.load(saved / "nlp", **{how: ["tok2vec", "crf_ner"]})(TEXT).ents


def test_assembled_from_a_trained_pipeline_it_predicts_the_same(saved, tmp_path):
    source = f'source = "{(saved / "nlp").as_posix()}"'
    text = f"""[nlp]\nlang = "en"\npipeline = ["tok2vec","crf_ner"]\n
[components]\n[components.tok2vec]\n{source}\n[components.crf_ner]\n{source}\n"""
    (tmp_path / "config.cfg").write_text(text, encoding="utf8")
    assert cli("assemble", tmp_path / "config.cfg", tmp_path / "nlp").exit_code == 0
    assert found(spacy.load(tmp_path / "nlp")(TEXT)) == ENTITIES


def test_assembling_the_config_alone_says_what_is_missing(saved, tmp_path):
    result = cli("assemble", saved / "nlp" / "config.cfg", tmp_path / "nlp")
    assert isinstance(result.exception, DomainNerError)
    assert 'source = "path"' in str(result.exception)


def test_debug_data_tells_which_types_are_rare(saved, caplog):
    caplog.set_level("WARNING", logger="spacy")
    gold = (saved / "gold.spacy").as_posix()
    with pytest.raises(SystemExit):  # it finds fault with a corpus of 12 documents
        debug_data(saved / "nlp" / "config.cfg", config_overrides={"paths.train": gold, "paths.dev": gold}, silent=True)
    assert "crf_ner: types with fewer than 10 entities in the training data: TEAM (8)." in caplog.messages


def test_entities_that_end_with_white_space_are_told(caplog):
    caplog.set_level("WARNING", logger="spacy")
    nlp = blank()
    nlp.initialize(lambda: examples(nlp, [("Ask Redis\n now", [(4, 11, "INFRA")])]))
    assert any("1 entities of the training data begin or end with white space" in told for told in caplog.messages)


def test_spacy_finds_a_threshold(saved):
    best, score, scores = find_threshold(
        saved / "nlp", saved / "gold.spacy", "crf_ner", "min_confidence", "ents_f", n_trials=3
    )
    assert score == 1 and best < 1
    assert scores[1.0] == 0  # nothing is as sure as that


def test_spacy_measures_its_speed(saved):
    result = cli("benchmark", "speed", saved / "nlp", saved / "one.spacy", "--batches", "30")
    assert result.exit_code == 0, result.output


def test_in_a_memory_zone_it_predicts_the_same(saved):
    nlp = spacy.load(saved / "nlp")
    with nlp.memory_zone():
        assert [found(doc) for doc in nlp.pipe([TEXT, TEXT])] == [ENTITIES, ENTITIES]
    assert found(nlp(TEXT)) == ENTITIES


@pytest.fixture
def spawning():
    before = get_start_method()
    set_start_method("spawn", force=True)
    yield
    set_start_method(before, force=True)


def test_processes_that_are_not_forked_predict_the_same(saved, spawning):
    nlp = spacy.load(saved / "nlp")
    assert [found(doc) for doc in nlp.pipe([TEXT] * 4, n_process=2, batch_size=2)] == [ENTITIES] * 4


def test_among_other_tokens_than_it_learned_it_warns(saved):
    source, nlp = spacy.load(saved / "nlp"), spacy.blank("en")
    nlp.tokenizer.rules = {}
    nlp.tokenizer.infix_finditer = None
    nlp.tokenizer.suffix_search = None
    for name in source.pipe_names:
        nlp.add_pipe(name, source=source)
    with pytest.warns(UserWarning, match=r"trained with another tokenizer .* expects \['Streams', '\.'\], but gets"):
        nlp(TEXT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp(TEXT)  # once is enough


def test_in_a_pipeline_with_the_same_tokens_it_does_not(saved):
    source, nlp = spacy.load(saved / "nlp"), spacy.blank("en")
    for name in source.pipe_names:
        nlp.add_pipe(name, source=source)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found(nlp(TEXT)) == ENTITIES


def test_100000_characters_are_one_document(saved):
    nlp = spacy.load(saved / "nlp")
    doc = nlp(("Nothing to see here but words and words again. " * 530 + TEXT + " ") * 4)
    assert len(doc.text) > 99_000
    assert [ent.text for ent in doc.ents if ent.label_ == "INFRA"].count("Redis") == 4
