"""Whether spans start and end at edges of words, and how easily they would do so by chance."""

import re
from math import log

from domain_ner.annotations.words import NO_SPACES

# Of scripts that are written without spaces any place between two characters may be an edge of a word.
LETTER = rf"[^\W{NO_SPACES}]"
STARTS = re.compile(rf"(?<!{LETTER}){LETTER}|(?!{LETTER})\S")
ENDS = re.compile(rf"{LETTER}(?!{LETTER})|(?!{LETTER})\S")


def n_edges(text: str, start: int, end: int) -> int:
    """How many edges of a span, 0 to 2, are edges of words in the text; none where the span is not within it."""
    if not start < end <= len(text):
        return 0
    return bool(STARTS.match(text, start)) + bool(ENDS.match(text, end - 1))


def log_rates(text: str) -> tuple[float, float]:
    """Logarithms of the shares of places in a text (at least one character) where a word starts, and where one ends."""
    return (
        log(max(1, len(STARTS.findall(text))) / len(text)),
        log(max(1, len(ENDS.findall(text))) / len(text)),
    )
