"""The wordpieces of tokens, and those that an encoder does not know."""

import pytest
from inspected import inspected, make, reasons

from domain_ner.encoders.card import EncoderCard
from domain_ner.errors import DomainNerError
from domain_ner.inspection import passages as inspection
from domain_ner.inspection.passages import PIECES, UNKNOWN
from domain_ner.inspection.wordpieces import load_tokenizer, visible, wordpieces


@pytest.mark.parametrize(
    ("token", "seen"),
    [("Redis", "Redis"), ("\n\n", "⏎⏎"), (" \t", "␣⇥"), ("\ufe0f", "U+FE0F"), ("a\u200bb", "aU+200Bb"), ("क्षि", "क्षि")],
)
def test_invisible_characters_are_made_visible(token, seen):
    assert visible(token) == seen


def card(path):
    return EncoderCard("tiny", "bert", str(path), "", "", "", {}, 0.1, 8, 512)


@pytest.fixture(scope="module")
def tokenizer(tiny_encoder):
    return load_tokenizer(card(tiny_encoder("bert")))


def test_each_token_has_the_wordpieces_that_cover_it(tokenizer):
    doc, _ = make("the checkout is up")
    pieces = [found.pieces for found in wordpieces(doc, tokenizer)]
    assert ["".join(piece.removeprefix("##") for piece in of) for of in pieces] == [token.text for token in doc]
    assert len(pieces[1]) > 1


def test_a_token_that_the_encoder_does_not_know_is_flagged_and_suspicious(tokenizer):
    made = make("up 𓂀\n\n!")
    assert [found.unknown for found in wordpieces(made[0], tokenizer)] == [False, True, False, False]
    (passage,) = inspected(made, tokenizer=tokenizer).passages
    assert passage.reasons() == {UNKNOWN: ["𓂀"]}


def test_a_token_that_the_encoder_leaves_out_is_flagged(tokenizer):
    doc, _ = make("up \ufffd !")  # BERT takes the replacement character out of the text
    assert [found.unknown for found in wordpieces(doc, tokenizer)] == [False, True, False]


def test_a_token_of_very_many_wordpieces_is_suspicious(tokenizer):
    (passage,) = inspected(make("up qzxqzxqzxqzxqzxqzxqzx"), tokenizer=tokenizer).passages
    assert reasons(passage) == {PIECES}


def test_wordpieces_of_bytes_are_shown_as_the_letters_they_stand_for(tiny_encoder):
    doc, _ = make("the Überblick")
    names = "".join(
        piece for of in wordpieces(doc, load_tokenizer(card(tiny_encoder("roberta")))) for piece in of.pieces
    )
    assert "berblick" in names
    assert "Ã" not in names


def test_an_encoder_without_a_transformer_has_no_wordpieces():
    assert load_tokenizer(card("")) is None


def test_a_missing_tokenizer_is_an_error(tmp_path):
    with pytest.raises(DomainNerError, match="Run fetch-encoder"):
        load_tokenizer(card(tmp_path))


def test_an_empty_document_is_shown_like_any_other(tokenizer):
    (passage,) = inspected(make(""), tokenizer=tokenizer).passages
    assert (passage.score, wordpieces(passage.doc, tokenizer)) == (0, [])
    assert inspection.shown_tokens(passage, 80) == range(0)
