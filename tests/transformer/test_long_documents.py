"""Documents longer than a window: nothing is cut off, entities are found wherever they stand, memory stays bounded."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from memory import MEMORY, PEAK
from pipelines import convert, create_config, fetch, learn_by_heart
from spacy.training import Example
from spacy.util import load_model_from_config
from thinc.api import Config, fix_random_seed

from domain_ner.crf_ner.probing import score
from domain_ner.errors import DomainNerError
from domain_ner.transformer.tokenizing import align_doc

WINDOW, OVERLAP = 24, 8
WORDS = ["the", "gateway", "was", "slow", "after", "a", "deploy", "and", "we", "saw", "errors"]
NAME = "Zebra"


def build(config, folder=None, **settings):
    """An untrained pipeline with narrow windows."""
    fix_random_seed(0)
    config = config.copy()
    config["components"]["transformer"]["model"] |= {"window": WINDOW, "overlap": OVERLAP} | settings
    return load_model_from_config(config, auto_fill=True)


@pytest.fixture(scope="module", params=["bert", "roberta", "deberta-v3"])
def config(request, tiny_encoder, example_rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    corpus = convert(folder, example_rows[:24])
    return Config().from_disk(
        create_config(folder, fetch(folder, tiny_encoder(request.param)), corpus), interpolate=False
    )


def text(n_words, place, turn=0):
    """Filler with the name at a place, and where it stands. turn: the word with which the filler begins."""
    words = [WORDS[(n + turn) % len(WORDS)] for n in range(n_words)]
    words.insert(place, NAME)
    start = len(" ".join(words[:place])) + (place > 0)
    return " ".join(words), (start, start + len(NAME), "TEAM")


def examples(nlp):
    given = [text(n, place) for n, place in [(5, 0), (9, 4), (40, 39), (60, 20), (60, 41), (33, 16)]]
    return [Example.from_dict(nlp.make_doc(passage), {"entities": [span]}) for passage, span in given]


@pytest.fixture(scope="module")
def trained(config):
    nlp = build(config)
    return learn_by_heart(nlp, examples(nlp), learn_rate=0.005, n_steps=40)


def test_an_entity_is_found_at_every_place_alike(trained):
    """At every word, and so that its first wordpiece stands at every place that there is in a window."""
    n_words = 80
    passages = [text(n_words, place, turn) for place in range(n_words + 1) for turn in range(len(WORDS))]
    tokenizer = trained.get_pipe("transformer").model.tokenizer
    before = [passage[: span[0]].rstrip() for passage, span in passages]
    n_before = {len(tokenizer(words, add_special_tokens=False)["input_ids"]) for words in before}
    assert {n % (WINDOW - OVERLAP - 2) for n in n_before} == set(range(WINDOW - OVERLAP - 2))
    for (_, span), doc in zip(passages, trained.pipe(passage for passage, _ in passages), strict=True):
        assert [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] == [span]


def test_scores_of_documents_leave_no_vectors_in_them(trained):
    docs = [trained.make_doc(text(20, 3)[0]) for _ in range(3)]
    scores = list(score(trained, trained.get_pipe("crf_ner"), docs))
    assert [len(array) for array in scores] == [len(doc) for doc in docs]
    assert not any("trf_data" in str(doc.user_data) for doc in docs)
    assert trained(docs[0].text)._.trf_data is not None


def test_every_wordpiece_of_every_token_has_a_vector_of_its_own(trained):
    doc, transformer = trained.make_doc(text(200, 100)[0]), trained.get_pipe("transformer")
    data = transformer.predict([doc]).doc_data[0]
    assert len(data.model_output.last_hidden_state) == transformer.model.count_windows([doc]) > 5
    cuts = transformer.model.cuts(doc)
    assert len(cuts) == transformer.model.count_windows([doc]) - 1
    assert cuts == sorted(set(cuts)) and 0 < cuts[0] < cuts[-1] < len(doc)
    encoding = transformer.model.tokenizer(doc.text, add_special_tokens=False, return_offsets_mapping=True)
    expected = align_doc(doc, np.array(encoding["offset_mapping"]))
    assert data.align.lengths.tolist() == [len(pieces) for pieces in expected]
    assert len(set(data.align.dataXd.ravel().tolist())) == data.align.lengths.sum()


def test_a_token_longer_than_a_window_goes_through_whole(trained):
    word = "x1" * 1500
    docs = list(trained.pipe([f"Ask {NAME} about {word} now", word]))
    assert [token.text for token in docs[0]][-2:] == [word, "now"]
    assert any(ent.text == NAME for ent in docs[0].ents)


def test_windows_that_overlap_by_half_or_do_not_fit_the_encoder_are_refused(config):
    for settings, message in [
        ({"overlap": 12}, "less than half of the window"),
        ({"window": 1000}, "at most [0-9]+ wordpieces"),
    ]:
        nlp = build(config, **settings)
        with pytest.raises(DomainNerError, match=message):
            nlp.initialize(lambda: examples(nlp))  # noqa: B023 (called at once)


def test_batches_change_nothing(trained):
    """With windows one by one, all at once, and the documents alone."""
    passages = [text(n, n // 2)[0] for n in (3, 80, 150, 20, 1)]
    model = trained.get_pipe("transformer").model
    vectors = []
    for size in (1, 100_000):
        model.attrs["max_batch_items"] = size
        docs = [trained.make_doc(passage) for passage in passages]
        vectors.append([torch.tensor(data.model_output.last_hidden_state) for data in model.predict(docs).doc_data])
    vectors.append(
        [
            torch.tensor(model.predict([trained.make_doc(one)]).doc_data[0].model_output.last_hidden_state)
            for one in passages
        ]
    )
    for one, other, alone in zip(*vectors, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(one, alone, rtol=1e-4, atol=1e-5)


LONG = f"""{MEMORY}
import sys, spacy
from spacy.training import Example
nlp = spacy.load(sys.argv[1])
text = " ".join(["the gateway was slow after a deploy"] * (int(sys.argv[2]) // 7)) + " Zebra"
nlp("warm up")
before = memory_mb("{PEAK}")
doc = nlp(text)
assert [ent.text for ent in doc.ents][-1:] == ["Zebra"], doc.ents
example = Example.from_dict(nlp.make_doc(text), {{"entities": [(len(text) - 5, len(text), "TEAM")]}})
nlp.update([example], sgd=nlp.create_optimizer())
print(len(doc), int(memory_mb("{PEAK}") - before))
"""


@pytest.mark.parametrize("config", ["bert"], indirect=True)
def test_a_document_of_50_000_tokens_goes_through_in_bounded_memory(trained, tmp_path):
    trained.to_disk(tmp_path / "nlp")
    ran = subprocess.run(
        [sys.executable, "-c", LONG, tmp_path / "nlp", "50000"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    n_tokens, megabytes = map(int, ran.stdout.split())
    assert n_tokens > 49_990
    assert megabytes < 1500
