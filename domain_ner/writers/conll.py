"""Writes CoNLL columns: token, `SpaceAfter=No` or `_`, and an IOB2 tag, between tabs; a blank line between passages.

The tag is last, as in CoNLL-2003, and there are no comments, so programs that take the first and the last column can
read it (such as spaCy's `convert -c ner`). The tag `-` marks a token that nobody annotated, as in spaCy.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from domain_ner.annotations.passages import Passage
from domain_ner.writers.options import PARTIAL, UNANNOTATED, UNKNOWN, WriterOptions
from domain_ner.writers.tokens import has_known_spaces, tags_of, visible_tokens

NAME = "conll"
TITLE = "CoNLL columns (token, SpaceAfter=No, IOB2 tag)"
HOLDS = frozenset({PARTIAL, UNANNOTATED, UNKNOWN})
NOTHING, MISSING, NO_SPACE = "_", "-", "SpaceAfter=No"
# A line with this prefix starts a document.
DOCUMENT_START = re.compile(r"-+(?=DOCSTART-)")


def write(passages: Iterable[Passage], target: Path, options: WriterOptions) -> None:
    """Write the tokens of each passage."""
    with target.open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
        for passage in passages:
            stream.writelines(f"{line}\n" for line in _lines(passage, options))


def _lines(passage: Passage, options: WriterOptions) -> Iterator[str]:
    tokens = visible_tokens(passage, options)
    known = has_known_spaces(passage)
    for word, space, tag in zip(tokens.words, tokens.spaces, tags_of(passage, tokens), strict=True):
        spacing = NOTHING if space or not known else NO_SPACE
        yield from _row(word, spacing, MISSING if tag is None else tag)
    yield ""


def _row(word: str, spacing: str, tag: str) -> Iterator[str]:
    """Yield the line of a token; two lines if it looks like the start of a document."""
    if match := DOCUMENT_START.match(word):
        yield f"{match[0]}\t{NO_SPACE}\t{tag}"
        word, tag = word[match.end() :], re.sub("^B-", "I-", tag)
    yield f"{word}\t{spacing}\t{tag}"
