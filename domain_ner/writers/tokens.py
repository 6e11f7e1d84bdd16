"""Tokenizes a passage for other tools: every annotation starts and ends at a token boundary."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.annotations.tag_schemes import OUTSIDE, Tag, encode_tags
from domain_ner.writers.options import WriterOptions

WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Tokens:
    """Tokens in the order of the text. starts: in code points. spaces: whether white space follows each token."""

    words: Sequence[str]
    starts: Sequence[int]
    spaces: Sequence[bool]

    @cached_property
    def ends(self) -> list[int]:
        """The end of each token, exclusive."""
        return [start + len(word) for start, word in zip(self.starts, self.words, strict=True)]

    def range_of(self, start: int, end: int) -> tuple[int, int]:
        """Find the tokens that overlap a range of the text: (first, last exclusive)."""
        return bisect_right(self.ends, start), bisect_left(self.starts, end)


def all_tokens(passage: Passage, options: WriterOptions) -> Tokens:
    """Tokenize so that tokens and single spaces make up the text; further white space is tokens too, as in spaCy."""
    words, spaces = _exported_tokens(passage) or _tokenized(passage.text, options)
    parts = list(_cut(words, spaces, _edges(passage)))
    return Tokens([word for word, _, _ in parts], [start for _, start, _ in parts], [space for _, _, space in parts])


def visible_tokens(passage: Passage, options: WriterOptions) -> Tokens:
    """Tokenize without white-space tokens, and without white space in tokens."""
    tokens = all_tokens(passage, options)
    pieces = [
        (match[0], start + match.start())
        for word, start in zip(tokens.words, tokens.starts, strict=True)
        for match in WORD.finditer(word)
    ]
    words, starts = [word for word, _ in pieces], [start for _, start in pieces]
    following = [*starts[1:], len(passage.text)]
    spaces = [start + len(word) < after for (word, start), after in zip(pieces, following, strict=False)]
    return Tokens(words, starts, spaces)


def tags_of(passage: Passage, tokens: Tokens) -> list[Tag]:
    """Compute IOB2 tags of a passage without overlapping spans; None for unannotated tokens."""
    spans = [(*tokens.range_of(span.start, span.end), span.label) for span in passage.spans]
    tags: list[Tag] = [*encode_tags(spans, len(tokens.words))]
    unknown = [(0, len(passage.text))] if passage.partial else passage.unknown
    for start, end in unknown:
        for n_token in range(*tokens.range_of(start, end)):
            tags[n_token] = None if tags[n_token] == OUTSIDE else tags[n_token]
    return tags


def has_known_spaces(passage: Passage) -> bool:
    """Whether the white space is the original text's, not inserted between the words of an export."""
    return passage.words is None or passage.spaces is not None


def overlapping(spans: Iterable[LabelledSpan]) -> set[LabelledSpan]:
    """Find the spans to remove so that none overlap: the longest stay, of equally long ones the first."""
    taken: set[int] = set()
    left_out = set()
    for span in sorted(spans, key=lambda span: (span.start - span.end, span)):
        if taken.isdisjoint(range(span.start, span.end)):
            taken.update(range(span.start, span.end))
        else:
            left_out.add(span)
    return left_out


def _exported_tokens(passage: Passage) -> tuple[Sequence[str], Sequence[bool]] | None:
    """Return the export's own tokens; None if they do not make up the text."""
    if not passage.words:
        return None
    spaces = passage.spaces or (*[True] * (len(passage.words) - 1), False)
    joined = "".join(f"{word} " if space else word for word, space in zip(passage.words, spaces, strict=True))
    return (passage.words, spaces) if joined == passage.text else None


def _tokenized(text: str, options: WriterOptions) -> tuple[Sequence[str], Sequence[bool]]:
    doc = options.tokenize(text)
    return [token.text for token in doc], [bool(token.whitespace_) for token in doc]


def _edges(passage: Passage) -> list[int]:
    spans = [(span.start, span.end) for span in (*passage.spans, *passage.rejected)]
    return sorted({offset for pair in (*spans, *passage.unknown) for offset in pair})


def _cut(words: Sequence[str], spaces: Sequence[bool], edges: Sequence[int]) -> Iterator[tuple[str, int, bool]]:
    """Yield (token, its start, whether a space follows), cut at each edge inside a token."""
    start = 0
    for word, space in zip(words, spaces, strict=True):
        end = start + len(word)
        cuts = [start, *edges[bisect_right(edges, start) : bisect_left(edges, end)], end]
        for first, last in pairwise(cuts):
            yield word[first - start : last - start], first, space and last == end
        start = end + space
