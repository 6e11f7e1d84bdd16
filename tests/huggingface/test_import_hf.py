"""Imported token classifiers: the entities, confidences and offsets of the checkpoint."""

import math
from itertools import product

import numpy as np
import pytest
import spacy
import torch
from tiny_encoders import FAMILIES
from tiny_taggers import WORDS, build_tagger, logits_of

from domain_ner.annotations.tag_schemes import TagScheme, decode_tags
from domain_ner.huggingface.checkpoint import load_checkpoint
from domain_ner.huggingface.importing import import_checkpoint
from domain_ner.huggingface.label_sets import read_labels
from domain_ner.training.saving import save

LABELS = {
    "iob2": ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"],
    "iob1": ["O", "B-LOC", "I-LOC", "I-PER"],
    "biluo": ["O", *(f"{kind}-{label}" for label in ("LOC", "PER") for kind in "BILU")],
    "bioes": ["O", *(f"{kind}-{label}" for label in ("LOC", "PER") for kind in "BIES")],
    "io": ["LOC", "O", "PER"],
}
SCHEMES = {
    "iob2": TagScheme("IOB2", "prefix"), "iob1": TagScheme("IOB1", "prefix"), "io": TagScheme("IO", "none"),
    "biluo": TagScheme("BILOU", "prefix"), "bioes": TagScheme("BIOES", "prefix"),
}  # fmt: skip


def imported(folder):
    checkpoint = load_checkpoint(folder, "tiny")
    return import_checkpoint(checkpoint, read_labels(checkpoint.labels), "en")


def by_token(doc, folder):
    """(n_tokens, n_labels) log-probabilities of the checkpoint at the first wordpiece of each token."""
    logits, offsets = logits_of(folder, doc.text)
    log_probs = logits.log_softmax(1).numpy()
    first = [next(n for n, (start, end) in enumerate(offsets) if start <= t.idx < end) for t in doc]
    return log_probs[first].astype(float)


def legal(tags, scheme):
    return not any(span.repair for span in decode_tags(tags, scheme))


def sequences(labels, n):
    return product(range(len(labels)), repeat=n)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_imported_and_scores_its_first_wordpieces(tiny_encoder, tmp_path, family):
    folder = build_tagger(tiny_encoder(family), tmp_path / "tagger", LABELS["biluo"])
    nlp = imported(folder)
    doc = nlp.make_doc(WORDS)
    nlp.get_pipe("transformer")(doc)
    (scores,) = nlp.get_pipe("crf_ner").tag_scores([doc])
    scores = torch.from_numpy(scores).log_softmax(1).numpy()
    expected = by_token(doc, folder)
    order = [LABELS["biluo"].index(tag) for tag in ["O", *(f"{k}-{t}" for k in "BUIL" for t in ("LOC", "PER"))]]
    np.testing.assert_allclose(scores, expected[:, order], atol=2e-3)


@pytest.mark.parametrize("scheme", ["iob2", "biluo", "bioes"])
def test_confidences_are_those_of_the_checkpoint_among_legal_sequences(tiny_encoder, tmp_path, scheme):
    labels = LABELS[scheme]
    folder = build_tagger(tiny_encoder("bert"), tmp_path / "tagger", labels, spread=0.5)
    nlp = imported(folder)
    doc = nlp("Ask Redis in Paris")
    log_probs = by_token(doc, folder)
    weights, found = {}, {}
    for row in sequences(labels, len(doc)):
        tags = [labels[n] for n in row]
        if legal(tags, SCHEMES[scheme]):
            weights[row] = math.exp(sum(log_probs[n, label] for n, label in enumerate(row)))
            for span in decode_tags(tags, SCHEMES[scheme]):
                key = (span.start, span.end, span.label)
                found[key] = found.get(key, 0.0) + weights[row]
    best = [labels[n] for n in max(weights, key=weights.get)]
    expected = [(span.start, span.end, span.label) for span in decode_tags(best, SCHEMES[scheme])]
    assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == expected
    for ent in doc.ents:
        key = (ent.start, ent.end, ent.label_)
        assert ent._.confidence == pytest.approx(found[key] / sum(weights.values()), abs=1e-4)


@pytest.mark.parametrize("scheme", ["io", "iob1"])
def test_labels_without_beginnings_are_decoded_as_the_likeliest(tiny_encoder, tmp_path, scheme):
    labels = LABELS[scheme]
    n_entities = 0
    for seed in range(4):
        folder = build_tagger(tiny_encoder("bert"), tmp_path / str(seed), labels, seed=seed, spread=8.0)
        nlp = imported(folder)
        doc = nlp(WORDS)
        tags = [labels[n] for n in by_token(doc, folder).argmax(axis=1)]
        expected = [(span.start, span.end, span.label) for span in decode_tags(tags, SCHEMES[scheme])]
        assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == expected
        n_entities += len(expected)
    assert n_entities > 4


@pytest.mark.parametrize("tags", ["B-LOC B-LOC", "B-LOC I-LOC", "B-LOC B-PER", "O B-PER"])
def test_adjacent_entities_stay_apart_as_iob2_says(tiny_encoder, tmp_path, tags):
    nlp = imported(build_tagger(tiny_encoder("bert"), tmp_path / "tagger", LABELS["iob2"]))
    pipe, doc = nlp.get_pipe("crf_ner"), nlp.make_doc("Paris London")
    kinds = {"O": [0], "B-LOC": [1, 3], "B-PER": [2, 4], "I-LOC": [5, 7]}  # of the lattice's tags O, B, U, I, L
    scores = np.zeros((2, 9), dtype="f")
    for token, tag in enumerate(tags.split()):
        scores[token, kinds[tag]] = 9
    pipe.set_annotations([doc], pipe.decode([scores]))
    expected = [(span.start, span.end, span.label) for span in decode_tags(tags.split(), SCHEMES["iob2"])]
    assert [(ent.start, ent.end, ent.label_) for ent in doc.ents] == expected


@pytest.mark.parametrize("scheme", ["iob2", "io"])
def test_a_long_text_has_the_offsets_and_confidences_of_its_parts(tiny_encoder, tmp_path, scheme):
    folder = build_tagger(tiny_encoder("bert"), tmp_path / "tagger", LABELS[scheme], spread=3.0)
    nlp = imported(folder)
    text = f"{WORDS}. " * 120
    doc = nlp(text)
    assert nlp.get_pipe("transformer").model.count_windows([doc]) > 2
    assert doc.text == text
    late = [ent for ent in doc.ents if ent.start_char > 0.8 * len(text)]
    assert late
    assert all(text[ent.start_char : ent.end_char] == ent.text and 0 < ent._.confidence < 1 for ent in late)


@pytest.mark.parametrize(("family", "scheme"), [("roberta", "iob1"), ("modernbert", "iob2"), ("deberta-v3", "io")])
def test_an_imported_pipeline_is_saved_and_loads_the_same(tiny_encoder, tmp_path, family, scheme):
    nlp = imported(build_tagger(tiny_encoder(family), tmp_path / "tagger", LABELS[scheme], spread=2.0))
    save(nlp, tmp_path / "pipeline")
    loaded = spacy.load(tmp_path / "pipeline")
    for text in (WORDS, "", "  ", "Größe 日本語"):
        first, second = nlp(text), loaded(text)
        assert [(e.start, e.end, e.label_) for e in first.ents] == [(e.start, e.end, e.label_) for e in second.ents]
        assert [e._.confidence for e in second.ents] == pytest.approx([e._.confidence for e in first.ents], abs=1e-4)
    config = (tmp_path / "pipeline" / "config.cfg").read_text(encoding="utf8")
    assert str(tmp_path) not in config
