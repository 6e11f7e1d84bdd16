"""Inline markup of entities, `[checkout-api](SERVICE)`: how the guide writes its sentences."""

import re
from collections.abc import Collection
from functools import lru_cache

from domain_ner.annotations.passages import LabelledSpan

# What is read as a label, be it that of no type, so that a misspelt one is told: a letter or digit of any script, then
# also . _ - / & + and spaces between them. A link in brackets is none.
LABEL = r"(?!\w+://)[^\W_][\w./&+-]*(?: [\w./&+-]+)*"
# What is left of a mark that does not parse: no label, no bracket before the label, or none that closes the surface.
BROKEN = re.compile(r"\[[^\[\]]*\]\(\s*\)|\]\s?\([A-Z]{2}|\[[^\[\]()]+\([A-Z][A-Z_]+\)")


class MarkupError(ValueError):
    """Markup that does not parse; the message says where and what was expected."""


def parse_markup(marked: str, labels: Collection[str] = ()) -> tuple[str, tuple[LabelledSpan, ...]]:
    """Split a marked sentence into its text and its spans.

    labels: the names of types, which may hold anything.
    Returns the text without marks, and the spans in code-point offsets into it.
    Raises MarkupError for an empty surface or a mark that is not closed.
    """
    text, spans, end = "", [], 0
    for mark in _marked(tuple(labels)).finditer(marked):
        text += marked[end : mark.start()]
        surface, label = mark.groups()
        if not surface.strip():
            raise MarkupError(f"an empty mark {mark.group()!r}; expected [surface](LABEL)")
        spans.append(LabelledSpan(len(text), len(text) + len(surface), label))
        text += surface
        end = mark.end()
    text += marked[end:]
    broken = BROKEN.search(text)
    if broken:
        raise MarkupError(
            f"a mark that is not whole near {text[broken.start() : broken.start() + 30]!r}; expected [surface](LABEL)"
        )
    return text, tuple(spans)


@lru_cache(maxsize=16)
def _marked(labels: tuple[str, ...]) -> re.Pattern[str]:
    known = [re.escape(label) for label in sorted(labels, key=len, reverse=True)]
    return re.compile(rf"\[([^\[\]]*)\]\(({'|'.join([*known, LABEL])})\)")


def to_markup(text: str, spans: tuple[LabelledSpan, ...]) -> str:
    """The opposite of `parse_markup`, for spans that do not overlap."""
    marked, end = "", 0
    for span in sorted(spans):
        marked += f"{text[end : span.start]}[{text[span.start : span.end]}]({span.label})"
        end = span.end
    return marked + text[end:]
