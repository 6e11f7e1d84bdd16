import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from tiny_encoders import FAMILIES
from transformers import AutoTokenizer

from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.transformer.alignment import align_wordpieces
from domain_ner.transformer.tokenizing import align_doc

TEXTS = [
    "The cat sat.",
    "Set MAX_RETRIES=5 in /api/v1/orders, then ask  the SRE team's lead 🔥 (naïve).",
    "Leading\n\nlines and\ttabs  and trailing space ",
    "e\u0301tude ﬁne ½ Ωmega 日本語 text",
    "x",
]


def offsets_of(tokenizer, doc):
    return np.array(tokenizer(doc.text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"])


def brute_force(starts, ends, offsets):
    return [
        [j for j, (s, e) in enumerate(offsets) if s < e and s < end and e > start]
        for start, end in zip(starts, ends, strict=True)
    ]


@st.composite
def token_edges(draw):
    """Ascending token edges with gaps or without, and wordpieces anywhere."""
    steps = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), min_size=1, max_size=8))
    starts, ends, position = [], [], 0
    for gap, length in steps:
        starts.append(position + gap)
        position += gap + length
        ends.append(position)
    piece = st.tuples(st.integers(0, position), st.integers(0, position)).map(sorted)
    return starts, ends, draw(st.lists(piece, max_size=12))


@given(token_edges())
def test_equals_brute_force(edges):
    starts, ends, pieces = edges
    offsets = np.array(pieces, dtype=np.int64).reshape(-1, 2)
    found = align_wordpieces(np.array(starts), np.array(ends), offsets)
    assert [list(token) for token in found] == brute_force(starts, ends, pieces)


def test_no_tokens_is_no_rows():
    empty = np.array([], dtype=np.int64)
    assert align_wordpieces(empty, empty, np.array([[0, 0]])) == []


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("text", TEXTS)
def test_every_wordpiece_belongs_to_exactly_the_tokens_whose_characters_it_covers(tiny_encoder, family, text):
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder(family), use_fast=True)
    doc = create_tokenizer()(spacy.blank("en"))(text)
    offsets = offsets_of(tokenizer, doc)
    for token, pieces in zip(doc, align_doc(doc, offsets), strict=True):
        chars = set(range(token.idx, token.idx + len(token)))
        assert set(pieces) == {j for j, (s, e) in enumerate(offsets) if chars & set(range(s, e))}, token


def test_the_space_before_a_deberta_word_belongs_to_that_word_alone(tiny_encoder):
    """What spacy-transformers 1.4 gets wrong: https://github.com/explosion/spaCy/issues/13730."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder("deberta-v3"), use_fast=True)
    doc = spacy.blank("en")("The cat")
    offsets = offsets_of(tokenizer, doc)
    the, cat = align_doc(doc, offsets)
    assert not set(the) & set(cat)
    assert offsets[cat[0]][0] == 3  # the wordpiece of "cat" does begin at the space
