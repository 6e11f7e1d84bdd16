"""The sentences of docs/ and README.md are short."""

import re

import pytest
from conftest import ROOT
from docs_pages import CODE, PAGES, parts

MAX_WORDS = 35
LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')*]*\s+")
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|etc|vs|cf)\.")


def paragraphs(page):
    """(line, text) of each paragraph and list item, without tables, code, comments and headings."""
    found, start, text = [], 0, ""
    for number, line in enumerate([*re.sub(r"<!--.*?-->", blank_lines, "\n".join(parts(page)[1]), flags=re.DOTALL)
                                  .splitlines(), ""], start=1):  # fmt: skip
        plain = line.strip().lstrip("> ").strip()
        is_other = not plain or plain.startswith(("|", "#", "!!!", "???", ":::")) or re.match(r"[-:| ]+$", plain)
        if text and (is_other or LIST_ITEM.match(line)):
            found.append((start, text))
            text = ""
        if not is_other:
            start, text = (start, f"{text} {plain}") if text else (number, LIST_ITEM.sub("", line).strip().lstrip("> "))
    return found


def blank_lines(found):
    return "\n" * found[0].count("\n")


def sentences(text):
    """The sentences of a paragraph, where code counts as one word and a link as its text."""
    text = CODE.sub("Code", LINK.sub(r"\1", text))
    return SENTENCE_END.split(ABBREVIATION.sub(lambda found: found[0].replace(".", ""), text))


def count_words(sentence):
    return len([word for word in sentence.split() if re.search(r"\w", word)])


def test_paragraphs_are_split_into_sentences():
    text = 'It reads `a.b c` (e.g. [a b](x.md)). Next one: *one*, two? "Three" is the last.'
    assert [count_words(sentence) for sentence in sentences(text)] == [6, 4, 4]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_sentence_is_too_long(page):
    long = [
        f"{page.relative_to(ROOT)}:{line}: {count_words(sentence)} words: {sentence[:100]}…"
        for line, text in paragraphs(page)
        for sentence in sentences(text)
        if count_words(sentence) > MAX_WORDS
    ]
    assert not long, "\n".join(long)
