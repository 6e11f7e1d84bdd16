"""A corpus of a character or a word a row in a script without spaces: training and prediction cut text the same way."""

import pytest
import spacy

from domain_ner.conversion.accounts import enter_doc, enter_merged
from domain_ner.conversion.importing import import_files
from domain_ner.conversion.merging import MergeRules, merge
from domain_ner.corpus.docs import DocRules, make_doc
from domain_ner.corpus.token_splits import learn_splits
from domain_ner.readers.folder import find_exports

# Sentences as (text, label or O), `.` between the rows of a piece where it is no row a character.
CORPORA = {
    "zh": [
        [("李明", "PER"), ("：男，", "O"), ("中国国籍", "CONT")],
        [("王小红", "PER"), ("，90IT经理，在", "O"), ("北京A1公司", "ORG"), ("。", "O")],
        [("无。", "O")],
    ],
    "ja": [
        [("東京", "LOC"), ("でKafkaを使う。", "O")],
        [("佐々木", "PER"), ("さんは", "O"), ("京都", "LOC"), ("へ", "O")],
        [("雨です", "O")],
    ],
    "th": [
        [("ประเทศ.ไทย", "LOC"), ("ใหญ่", "O")],
        [("เขา", "O"), ("ไป", "O"), ("เชียง.ใหม่", "LOC"), ("กับ", "O"), ("Google", "ORG")],
        [("ดี", "O")],
    ],
    "ko": [
        [("영동 로", "LOC"), ("에서 ", "O"), ("서울", "LOC"), ("로", "O")],
        [("나는 ", "O"), ("부산", "LOC"), ("에 간다", "O")],
        [("5월은 ", "O"), ("대구", "LOC"), ("다", "O")],
    ],
}


def rows(sentence, by_words):
    for text, label in sentence:
        words = text.split(".") if by_words else list(text)
        for n, word in enumerate(words):
            yield word, label if label == "O" else f"{'B' if n == 0 else 'I'}-{label}"


def running_text(sentences):
    """(text, entities as start and end) of all sentences, one after the other, as people write them."""
    text, entities = "", []
    for marked, label in (piece for sentence in sentences for piece in sentence):
        piece = marked.replace(".", "")
        entities += [(len(text), len(text) + len(piece))] if label != "O" else []
        text += piece
    return text, entities


def tokenizer(lang, splits=()):
    config = {"@tokenizers": "domain_ner.Tokenizer.v1", "splits": list(splits)}
    return spacy.blank(lang, config={"nlp": {"tokenizer": config}}).tokenizer


@pytest.fixture(params=CORPORA)
def corpus(request, tmp_path):
    """(language, sentences, passages read, ledger)"""
    lang, sentences = request.param, CORPORA[request.param]
    blocks = ["".join(f"{word}\t{tag}\n" for word, tag in rows(one, lang == "th")) for one in sentences]
    (tmp_path / "train.bmes").write_text("\n".join(blocks), encoding="utf8")
    read = import_files(find_exports(tmp_path))
    merged, _ = enter_merged(merge(read.passages, MergeRules()), read.ledger)
    return lang, sentences, list(merged), read.ledger


def test_the_text_is_as_people_write_it(corpus):
    _, sentences, passages, _ = corpus
    assert [passage.text for passage in passages] == [running_text([one])[0] for one in sentences]


def test_all_entities_lie_on_edges_of_tokens_in_running_text(corpus):
    lang, sentences, passages, _ = corpus
    tokenize = tokenizer(lang, [rule.pattern for rule in learn_splits([passages], tokenizer(lang)).rules])
    text, entities = running_text(sentences)
    doc = tokenize(text)
    assert [(start, end) for start, end in entities if doc.char_span(start, end) is None] == []


def test_the_documents_of_training_have_the_tokens_of_prediction(corpus):
    lang, _, passages, ledger = corpus
    learned = learn_splits([passages], tokenizer(lang))
    rules = DocRules(tokenizer(lang, [rule.pattern for rule in learned.rules]))
    for passage in passages:
        doc = enter_doc(make_doc(passage, rules), ledger)
        assert [token.text for token in doc] == [token.text for token in rules.tokenize(passage.text)]
        assert [(ent.start_char, ent.end_char) for ent in doc.ents] == [(one.start, one.end) for one in passage.spans]
    ledger.check_balance()
    assert ledger.outcomes() == {"imported": sum(len(passage.spans) for passage in passages)}
    assert learned.doubtful == ()
