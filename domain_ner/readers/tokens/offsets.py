"""Converts tokens to text and offsets, for the token-and-tag formats."""

from collections.abc import Iterable, Sequence
from typing import Any

from domain_ner.annotations.records import SourceSpan
from domain_ner.annotations.tag_schemes import TagSpan


def join_tokens(words: Sequence[str], spaces: Sequence[bool] | None) -> tuple[str, list[int]]:
    """Return (text, start of each word). spaces: whether a space follows each word; None: everywhere but at the end."""
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    for n_word, word in enumerate(words):
        starts.append(length)
        followed = spaces[n_word] if spaces is not None else n_word < len(words) - 1
        part = f"{word} " if followed else word
        parts.append(part)
        length += len(part)
    return "".join(parts), starts


def source_spans(tag_spans: Iterable[TagSpan], words: Sequence[str], starts: Sequence[int]) -> tuple[SourceSpan, ...]:
    """Convert spans in tokens to spans in characters."""
    return tuple(token_span(span.start, span.end, span.label, words, starts, repair=span.repair) for span in tag_spans)


def token_span(  # noqa: PLR0913
    start: int, end: int, label: Any, words: Sequence[str], starts: Sequence[int], *, repair: str = ""
) -> SourceSpan:
    """Convert a span over tokens `start` to `end` (exclusive) to characters."""
    return SourceSpan(starts[start], starts[end - 1] + len(words[end - 1]), label, repairs=(repair,) if repair else ())


def unknown_ranges(
    is_unknown: Sequence[bool], words: Sequence[str], starts: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """List the character ranges of the tokens that nobody annotated."""
    return tuple(
        (start, start + len(word)) for start, word, unknown in zip(starts, words, is_unknown, strict=True) if unknown
    )
