"""A pipeline on disk holds no word of the texts that it read, and predicts the same."""

import pickle

import numpy as np
import pytest
import spacy
import srsly
import torch
from spacy.language import Language
from spacy.pipeline import EntityRuler
from spacy.training import Example
from spacy.vectors import Vectors
from wheels import pickles_in, words, words_in

from domain_ner.training.saving import STRINGS, forget_texts, save

TEXTS = [
    "Quennimort called Zarbilothek about the Vrestogant.",
    "Then Zarbilothek paused the Hombrasquil of Öttringsee.",
]
NAMES = {"quennimort", "zarbilothek", "vrestogant", "hombrasquil", "öttringsee"}


def trained(factory, **config):
    """A small pipeline that read the texts, and learned a little."""
    nlp = spacy.blank("en")
    nlp.add_pipe(factory, config=config)
    examples = []
    for text in TEXTS:
        start = text.index("Zarbilothek")
        example = Example.from_dict(nlp.make_doc(text), {"entities": [(start, start + 11, "SERVICE")]})
        example.reference.spans["sc"] = list(example.reference.ents)
        examples.append(example)
    nlp.initialize(lambda: examples)
    for _ in range(8):
        nlp.update(examples)
    return nlp


def predicted(nlp):
    return [
        [
            (
                span.start_char,
                span.end_char,
                span.label_,
                round((span.has_extension("confidence") and span._.confidence) or 0, 5),
            )
            for span in (*doc.ents, *doc.spans.get("sc", ()))
        ]
        for doc in nlp.pipe([*TEXTS, "Who is Unseenling?", ""])
    ]


@pytest.mark.parametrize("factory", ["crf_ner", "ner", "spancat"])
def test_no_word_that_was_read_is_saved_and_the_same_is_predicted(factory, tmp_path):
    nlp = trained(factory)
    nlp.to_disk(tmp_path / "spacy")
    assert words_in(tmp_path / "spacy") >= NAMES  # why spaCy's own way of saving will not do
    save(nlp, tmp_path / "ours")
    assert not words_in(tmp_path / "ours") & NAMES
    assert predicted(spacy.load(tmp_path / "ours")) == predicted(spacy.load(tmp_path / "spacy")) == predicted(nlp)
    assert "SERVICE" in srsly.read_json(tmp_path / "ours" / STRINGS)
    assert pickles_in(tmp_path / "ours") == []


def test_what_was_saved_in_spacys_way_forgets_and_what_has_forgotten_stays_as_it_is(tmp_path):
    nlp = trained("ner")
    nlp.to_disk(tmp_path / "nlp")
    forget_texts(tmp_path / "nlp")
    assert not words_in(tmp_path / "nlp") & NAMES
    before = (tmp_path / "nlp" / STRINGS).stat().st_mtime_ns, (tmp_path / "nlp" / STRINGS).read_bytes()
    forget_texts(tmp_path / "nlp")
    assert ((tmp_path / "nlp" / STRINGS).stat().st_mtime_ns, (tmp_path / "nlp" / STRINGS).read_bytes()) == before
    assert spacy.load(tmp_path / "nlp").get_pipe("ner").labels == ("SERVICE",)


def test_patterns_and_the_keys_of_vectors_are_kept(tmp_path):
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    assert isinstance(ruler, EntityRuler)
    ruler.add_patterns(
        [{"label": "TEAM", "pattern": "Payments squad"}, {"label": "X", "pattern": [{"LOWER": "kafka"}]}]
    )
    nlp.vocab.vectors = Vectors(data=np.ones((1, 2), dtype="f"), keys=[nlp.vocab.strings.add("berlin")])
    docs = [nlp(text) for text in [*TEXTS, "The Payments squad runs Kafka."]]
    save(nlp, tmp_path / "nlp")
    kept = set(srsly.read_json(tmp_path / "nlp" / STRINGS))
    assert {"berlin", "TEAM", "kafka"} <= kept and not words(" ".join(kept)) & NAMES
    loaded = spacy.load(tmp_path / "nlp")
    assert [ent.label_ for ent in loaded(docs[-1].text).ents] == ["TEAM", "X"]
    assert loaded.vocab["berlin"].has_vector and not loaded.vocab["paris"].has_vector


@Language.factory("knows_a_hash")
def make_knows_a_hash(nlp, name):
    return KnowsAHash(nlp)


class KnowsAHash:
    """As a lemmatizer that was trained: its file refers to a string of the vocabulary by the hash."""

    def __init__(self, nlp):
        self.strings, self.known = nlp.vocab.strings, 0

    def __call__(self, doc):
        return doc

    def to_disk(self, path, exclude=()):
        path.mkdir()
        srsly.write_msgpack(path / "trees", {"known": srsly.msgpack_dumps([self.known])})

    def from_disk(self, path, exclude=()):
        self.known = srsly.msgpack_loads(srsly.read_msgpack(path / "trees")["known"])[0]
        return self


def test_a_string_that_a_component_refers_to_by_its_hash_is_kept(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("knows_a_hash").known = nlp.vocab.strings.add("refactored")
    nlp(TEXTS[0])
    save(nlp, tmp_path / "nlp")
    pipe = spacy.load(tmp_path / "nlp").get_pipe("knows_a_hash")
    assert pipe.strings[pipe.known] == "refactored"
    assert not words_in(tmp_path / "nlp") & NAMES


def test_a_pickle_would_be_found(tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "a")
    (tmp_path / "b").write_bytes(srsly.msgpack_dumps({"state": (tmp_path / "a").read_bytes()}))
    (tmp_path / "c").write_bytes(srsly.msgpack_dumps([pickle.dumps([1])]))
    (tmp_path / "d").write_bytes(b"text")
    assert sorted(pickles_in(tmp_path)) == ["a", "b", "c"]
