"""Writes CoNLL columns: token, `SpaceAfter=No` or `_`, and an IOB2 tag, between tabs; a blank line between passages.

The tag stands last, as in CoNLL-2003, and there are no comments, so that what takes the first and the last column reads
it (spaCy's `convert -c ner` among them). `-` is the tag of a token that nobody annotated, as there.
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
# A line that begins so starts a document.
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
        mark = NOTHING if space or not known else NO_SPACE
        yield from _row(word, mark, MISSING if tag is None else tag)
    yield ""


def _row(word: str, mark: str, tag: str) -> Iterator[str]:
    """The line of a token; two where it would be taken for the start of a document."""
    if found := DOCUMENT_START.match(word):
        yield f"{found[0]}\t{NO_SPACE}\t{tag}"
        word, tag = word[found.end() :], re.sub("^B-", "I-", tag)
    yield f"{word}\t{mark}\t{tag}"
