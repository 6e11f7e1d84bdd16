"""How tokens make up the text of a file that does not say where spaces are."""

import json

import pytest
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from domain_ner.annotations.records import FileLog
from domain_ner.readers.folder import find_exports
from domain_ner.readers.tokens.spacing import Spacing


def text_of(*sentences, n_sentence=0):
    """The text of a sentence of a file: tokens apart by `|`, which may be white space."""
    split = [sentence.split("|") for sentence in sentences]
    spacing = Spacing()
    for words in split:
        spacing.add(words)
    words = split[n_sentence]
    spaces = spacing.spaces(words)
    if spaces is None:
        return None
    return "".join(f"{word} " if space else word for word, space in zip(words, spaces, strict=True))


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("李|明|：|男|，|9|0|I|T", "李明：男，90IT"),
        ("日|本|で|す|。", "日本です。"),
        ("ก|า|แ|ฟ", "กาแฟ"),
        ("\u1797|\u17d2|\u1793|\u17c6", "\u1797\u17d2\u1793\u17c6"),
        ("မ|ြ|န်", "မြန်"),
        ("ラ|オ|ス|と|ກ", "ラオスとກ"),
        ("나|는|간|다", "나는간다"),
    ],
)
def test_characters_of_a_script_without_spaces_are_joined(tokens, text):
    assert text_of(tokens) == text


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("中国|人民|银行|在|北京|。", "中国人民银行在北京。"),
        ("东京|的|Windows|XP|系统", "东京的Windows XP系统"),
        ("于|2008|年|5|月|上涨|3.5|%", "于2008年5月上涨3.5%"),
        ("ประเทศ|ไทย|กับ|Google", "ประเทศไทยกับGoogle"),
        ("我|用|Kafka|,|Redis", "我用Kafka,Redis"),
    ],
)
def test_words_of_such_a_script_are_joined_and_those_of_other_scripts_parted(tokens, text):
    assert text_of(tokens) == text


@pytest.mark.parametrize(
    "tokens",
    ["The|EU|is|big|.", "x|y|.", "서울|에|갔다", "I|saw|日本|in|a|very|long|tweet", "Ünal|ist|da", "क|ख|ग"],
)
def test_tokens_of_scripts_with_spaces_keep_single_spaces(tokens):
    assert text_of(tokens) is None


def test_a_sentence_in_another_script_keeps_its_spaces_where_tokens_are_words():
    sentences = ["中国|人民|银行", "The|EU|bank"]
    assert (text_of(*sentences), text_of(*sentences, n_sentence=1)) == ("中国人民银行", None)


def test_a_sentence_of_digits_has_none_where_tokens_are_characters():
    assert text_of("李|明|是|男", "9|0|%", n_sentence=1) == "90%"


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("특|히| |영|동| |로", "특히 영동 로"),
        ("ประเทศ|ไทย| |ใหญ่|มาก| |IT|XP", "ประเทศไทย ใหญ่มาก ITXP"),
        ("王|红|\u3000|男", "王红\u3000男"),
        ("T|h|e| |E|U", "The EU"),
        ("The| |EU| |is", "The EU is"),
    ],
)
def test_white_space_that_is_a_token_is_the_texts_own(tokens, text):
    assert text_of(tokens) == text


def test_a_stray_token_of_white_space_among_words_is_no_spacing():
    assert text_of("The|EU|is|big| |and|old", "Oslo|is|small|and|new") is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["李", "明"], "no spaces between tokens: a token is a character"),
        (["中国", "人民"], "no spaces between tokens: its script has none"),
        (["영", " ", "동"], "1 tokens of white space are the text's own; no other spaces between tokens"),
    ],
)
def test_what_was_found_is_told(words, told):
    log, spacing = FileLog("a"), Spacing()
    spacing.add(words)
    spacing.report(log)
    assert log.notes == [told]


def test_nothing_is_told_of_a_script_with_spaces():
    log, spacing = FileLog("a"), Spacing()
    spacing.add(["The", "EU"])
    spacing.report(log)
    assert log.notes == []


WORDS, TAGS = ["王", "红", "来", "9", "0"], ["B-PER", "I-PER", "O", "O", "O"]
ROWS = "".join(f"{word}\t{tag}\n" for word, tag in zip(WORDS, TAGS, strict=True))
TOKENS = [{"orth": word, "ner": tag} for word, tag in zip(WORDS, TAGS, strict=True)]


def test_documents_of_spacy_that_do_not_say_where_spaces_are_are_joined_too(tmp_path):
    doc = Doc(Vocab(), words=WORDS)
    doc.set_ents([Span(doc, 0, 2, "PER")])
    DocBin(attrs=["ENT_IOB", "ENT_TYPE"], docs=[doc]).to_disk(tmp_path / "a.spacy")
    [file] = find_exports(tmp_path / "a.spacy")
    record = next(file.records(FileLog("a.spacy")))
    assert (record.text, [(span.start, span.end) for span in record.spans]) == ("王红来90", [(0, 2)])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.bmes", ROWS + "\n" + ROWS),
        ("a.txt", ROWS.replace("\t", " ")),
        ("a.txt", ROWS.replace("\t", "|")),
        ("a.iob", " ".join(f"{word}|{tag}" for word, tag in zip(WORDS, TAGS, strict=True))),
        ("a.jsonl", json.dumps({"tokens": WORDS, "ner_tags": TAGS})),
        ("a.json", json.dumps([{"tokenized_text": WORDS, "ner": [[0, 1, "PER"]]}])),
        ("a.json", json.dumps([{"id": 1, "paragraphs": [{"sentences": [{"tokens": TOKENS}]}]}])),
        ("a.csv", "word,tag\n" + ROWS.replace("\t", ",")),
        ("a.conllup", "# global.columns = ID FORM NER\n" + "".join(f"{n}\t{row}\n" for n, row in
                      enumerate(ROWS.splitlines(), start=1))),
    ],
)  # fmt: skip
def test_every_format_of_tokens_joins_them(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf8")
    [file] = find_exports(tmp_path / name)
    record = next(file.records(FileLog(name)))
    assert record.text == "王红来90"
    assert [record.text[span.start : span.end] for span in record.spans] == ["王红"]
