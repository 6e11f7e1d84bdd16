"""The probabilities that each wordpiece should have."""

import numpy as np
import spacy
from tiny_pipelines import SENTENCES, fitted

from domain_ner.crf_ner.lattice import KINDS
from domain_ner.huggingface.targets import fold, iob2_labels, target_windows, token_probabilities
from domain_ner.transformer.hf_tokenizer import special_ids
from domain_ner.transformer.model import tokenize_docs

# Of O, B-X, B-Y, I-X, I-Y, at three tokens.
PROBS = np.array([[0.1, 0.7, 0.2, 0, 0], [0.3, 0, 0.1, 0.6, 0], [1, 0, 0, 0, 0]], dtype="f")


def windows_of(model, doc, probs):
    (tokenized,) = tokenize_docs(model, [doc])
    return target_windows(tokenized, probs, n_before=len(special_ids(model.tokenizer)[0]))


def test_tags_of_one_token_and_of_ends_count_for_iob2():
    probs = np.arange(1, 10, dtype="f")[None]  # O, B-X, B-Y, U-X, U-Y, I-X, I-Y, L-X, L-Y
    assert fold(probs).tolist() == [[1, 2 + 4, 3 + 5, 6 + 8, 7 + 9]]
    assert (KINDS, iob2_labels(["X", "Y"])) == ("BUIL", ["O", "B-X", "B-Y", "I-X", "I-Y"])


def test_each_wordpiece_has_a_target_and_a_word_begins_once(tiny_encoder):
    model = fitted(tiny_encoder("bert"), n_steps=0).get_pipe("transformer").model
    doc = spacy.blank("en")("qqqqqq zzzzzz .")
    (window,) = windows_of(model, doc, PROBS)
    pieces = [model.tokenizer.convert_ids_to_tokens(window.row[position]) for position in window.positions]
    assert len(pieces) == len(window.row) - 2
    starts = [n for n, piece in enumerate(pieces) if not piece.startswith("##")]
    assert [np.round(window.probs[n], 3).tolist() for n in starts] == np.round(PROBS, 3).tolist()
    later = window.probs[starts[0] + 1 : starts[1]]
    assert len(later) and np.allclose(later, [0.1, 0, 0, 0.7, 0.2])
    assert np.allclose(window.probs[starts[1] + 1 : starts[2]], [0.3, 0, 0, 0.6, 0.1])


def test_white_space_between_tokens_continues_what_the_next_token_continues(tiny_encoder):
    model = fitted(tiny_encoder("deberta-v3"), n_steps=0).get_pipe("transformer").model
    doc = spacy.tokens.Doc(spacy.blank("en").vocab, words=["qq", "zz", "."])
    (tokenized,) = tokenize_docs(model, [doc])
    owned = set(tokenized.align.dataXd.reshape(-1).tolist())
    (window,) = windows_of(model, doc, PROBS)
    between = {n: position for n, position in enumerate(window.positions) if position not in owned}
    for n in between:
        assert np.allclose(window.probs[n], [0.4, 0, 0, 0.6, 0]) or np.allclose(window.probs[n], [1, 0, 0, 0, 0])
    assert np.allclose(window.probs.sum(axis=1), 1)


def test_a_long_document_has_each_target_once(tiny_encoder):
    nlp = fitted(tiny_encoder("roberta"), window=32, n_steps=0)
    model, doc = nlp.get_pipe("transformer").model, nlp.make_doc(" ".join(text for text, _ in SENTENCES))
    (probs,) = token_probabilities(nlp, nlp.get_pipe("crf_ner"), [doc])
    windows = windows_of(model, doc, probs)
    ids = model.tokenizer(doc.text, add_special_tokens=False)["input_ids"]
    assert len(windows) > 2
    assert [window.row[position] for window in windows for position in window.positions] == ids
    assert np.allclose(np.concatenate([window.probs for window in windows]).sum(axis=1), 1, atol=1e-4)
