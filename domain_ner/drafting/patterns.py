"""What the guide itself names: the entities of its examples, and what matches the patterns of a type."""

import re
from collections.abc import Iterator

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.guide.legality import SpanRules
from domain_ner.guide.rules import FINAL_PUNCTUATION, QUOTES
from domain_ner.guide.schema import Guide
from domain_ner.guide.sentences import guide_passages

CHUNK = re.compile(r"\S+")
# Longer ones are no names, but encoded data.
MAX_CHUNK = 300
PAIRS = ("()", "[]", "{}", "<>")


def guide_names(guide: Guide) -> Iterator[tuple[str, str]]:
    """Yield name and label of each entity in the examples and edge cases of a guide."""
    for passage in guide_passages(guide):
        for span in passage.spans:
            yield passage.text[span.start : span.end], span.label


def pattern_spans(text: str, guide: Guide) -> Iterator[LabelledSpan]:
    """Yield what stands between white space, without punctuation around it, and satisfies all rules of a type.

    Only types with `must_match` say what their entities look like, and only a form that no common word has: with a
    digit, or a character that is no letter.
    """
    rules = SpanRules.of(guide)
    labels = [entity_type.label for entity_type in guide.types if entity_type.rules.must_match]
    if not labels:
        return
    for match in CHUNK.finditer(text):
        if len(match[0]) > MAX_CHUNK:
            continue
        start, end = _bare(text, *match.span())
        surface = text[start:end]
        if any(char.isalnum() for char in surface) and not surface.isalpha():
            for label in labels:
                span = LabelledSpan(start, end, label)
                if not any(rules.faults(text, span)):
                    yield span


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out punctuation, quotes, and brackets without their partner at both ends."""
    while start < end:
        first, last, inside = text[start], text[end - 1], text[start:end]
        alone = [pair for pair in PAIRS if inside.count(pair[0]) != inside.count(pair[1])]
        if last in FINAL_PUNCTUATION + QUOTES or any(last == pair[1] for pair in alone):
            end -= 1
        elif first in FINAL_PUNCTUATION.replace(".", "") + QUOTES or any(first == pair[0] for pair in alone):
            start += 1
        elif (first + last) in PAIRS:
            start, end = start + 1, end - 1
        else:
            break
    return start, end
