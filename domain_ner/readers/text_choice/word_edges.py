"""Counts span edges at word edges, and estimates their probability by chance."""

import re
from math import log

from domain_ner.annotations.words import NO_SPACES

# In scripts without spaces, any position between two characters may be a word edge.
LETTER = rf"[^\W{NO_SPACES}]"
STARTS = re.compile(rf"(?<!{LETTER}){LETTER}|(?!{LETTER})\S")
ENDS = re.compile(rf"{LETTER}(?!{LETTER})|(?!{LETTER})\S")


def n_edges(text: str, start: int, end: int) -> int:
    """Count the edges of a span, 0 to 2, that are word edges; 0 if the span is not within the text."""
    if not start < end <= len(text):
        return 0
    return bool(STARTS.match(text, start)) + bool(ENDS.match(text, end - 1))


def log_rates(text: str) -> tuple[float, float]:
    """Log-probabilities that a position in a text (of at least one character) starts, and ends, a word."""
    return (
        log(max(1, len(STARTS.findall(text))) / len(text)),
        log(max(1, len(ENDS.findall(text))) / len(text)),
    )
