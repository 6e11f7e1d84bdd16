"""The tokens of a passage as other tools need them: every annotation starts and ends where a token does."""

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
    """Tokens in the order of the text. starts: of each, in code points. spaces: whether white space follows each."""

    words: Sequence[str]
    starts: Sequence[int]
    spaces: Sequence[bool]

    @cached_property
    def ends(self) -> list[int]:
        """The end of each token, exclusive."""
        return [start + len(word) for start, word in zip(self.starts, self.words, strict=True)]

    def range_of(self, start: int, end: int) -> tuple[int, int]:
        """(first token, last token exclusive) of those that share a character with a range of the text."""
        return bisect_right(self.ends, start), bisect_left(self.starts, end)


def all_tokens(passage: Passage, options: WriterOptions) -> Tokens:
    """Tokens that make up the text together with single spaces; white space beyond those is tokens too, as in spaCy."""
    words, spaces = _given(passage) or _tokenized(passage.text, options)
    parts = list(_cut(words, spaces, _edges(passage)))
    return Tokens([word for word, _, _ in parts], [start for _, start, _ in parts], [space for _, _, space in parts])


def visible_tokens(passage: Passage, options: WriterOptions) -> Tokens:
    """The tokens without those of white space, and none with white space inside it."""
    tokens = all_tokens(passage, options)
    found = [
        (match[0], start + match.start())
        for word, start in zip(tokens.words, tokens.starts, strict=True)
        for match in WORD.finditer(word)
    ]
    words, starts = [word for word, _ in found], [start for _, start in found]
    following = [*starts[1:], len(passage.text)]
    spaces = [start + len(word) < after for (word, start), after in zip(found, following, strict=False)]
    return Tokens(words, starts, spaces)


def tags_of(passage: Passage, tokens: Tokens) -> list[Tag]:
    """IOB2 tags of a passage whose spans share no character; None for tokens of which nothing is known."""
    spans = [(*tokens.range_of(span.start, span.end), span.label) for span in passage.spans]
    tags: list[Tag] = [*encode_tags(spans, len(tokens.words))]
    unknown = [(0, len(passage.text))] if passage.partial else passage.unknown
    for start, end in unknown:
        for n_token in range(*tokens.range_of(start, end)):
            tags[n_token] = None if tags[n_token] == OUTSIDE else tags[n_token]
    return tags


def has_known_spaces(passage: Passage) -> bool:
    """Whether the white space of the text is the text's own, and not put between the words of an export."""
    return passage.words is None or passage.spaces is not None


def overlapping(spans: Iterable[LabelledSpan]) -> set[LabelledSpan]:
    """Those that must go so that no two share a character: the longest stay, of equally long ones the first."""
    taken: set[int] = set()
    left_out = set()
    for span in sorted(spans, key=lambda span: (span.start - span.end, span)):
        if taken.isdisjoint(range(span.start, span.end)):
            taken.update(range(span.start, span.end))
        else:
            left_out.add(span)
    return left_out


def _given(passage: Passage) -> tuple[Sequence[str], Sequence[bool]] | None:
    """The export's own tokens; None where they do not make up the text."""
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
    """(token, its start, whether a space follows), with a cut at each edge inside a token."""
    start = 0
    for word, space in zip(words, spaces, strict=True):
        end = start + len(word)
        cuts = [start, *edges[bisect_right(edges, start) : bisect_left(edges, end)], end]
        for first, last in pairwise(cuts):
            yield word[first - start : last - start], first, space and last == end
        start = end + space
