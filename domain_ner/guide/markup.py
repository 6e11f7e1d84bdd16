"""Inline markup of entities, `[checkout-api](SERVICE)`, as the guide's sentences use it."""

import re
from collections.abc import Collection
from functools import lru_cache

from domain_ner.annotations.passages import LabelledSpan

# Anything that reads like a label, even of no type, so that a misspelt one is reported: a letter or digit of any
# script, then also . _ - / & + and spaces between them. A URL in brackets is not a label.
LABEL = r"(?!\w+://)[^\W_][\w./&+-]*(?: [\w./&+-]+)*"
# The remains of broken markup: no label, no bracket before the label, or no bracket that closes the surface.
BROKEN = re.compile(r"\[[^\[\]]*\]\(\s*\)|\]\s?\([A-Z]{2}|\[[^\[\]()]+\([A-Z][A-Z_]+\)")


class MarkupError(ValueError):
    """Markup that does not parse; the message says where and what was expected."""


def parse_markup(marked: str, labels: Collection[str] = ()) -> tuple[str, tuple[LabelledSpan, ...]]:
    """Split a marked sentence into its text and its spans.

    labels: the names of types, which may hold anything.
    Returns the text without marks, and the spans in code-point offsets into it.
    Raises MarkupError for an empty surface or broken markup.
    """
    text, spans, end = "", [], 0
    for mark in _marked(tuple(labels)).finditer(marked):
        text += marked[end : mark.start()]
        surface, label = mark.groups()
        if not surface.strip():
            raise MarkupError(f"markup without a surface, {mark.group()!r}; expected [surface](LABEL)")
        spans.append(LabelledSpan(len(text), len(text) + len(surface), label))
        text += surface
        end = mark.end()
    text += marked[end:]
    broken = BROKEN.search(text)
    if broken:
        raise MarkupError(
            f"broken markup near {text[broken.start() : broken.start() + 30]!r}; expected [surface](LABEL)"
        )
    return text, tuple(spans)


@lru_cache(maxsize=16)
def _marked(labels: tuple[str, ...]) -> re.Pattern[str]:
    known = [re.escape(label) for label in sorted(labels, key=len, reverse=True)]
    return re.compile(rf"\[([^\[\]]*)\]\(({'|'.join([*known, LABEL])})\)")


def to_markup(text: str, spans: tuple[LabelledSpan, ...]) -> str:
    """Write a text with its spans as markup, the opposite of `parse_markup`; the spans must not overlap."""
    marked, end = "", 0
    for span in sorted(spans):
        marked += f"{text[end : span.start]}[{text[span.start : span.end]}]({span.label})"
        end = span.end
    return marked + text[end:]
