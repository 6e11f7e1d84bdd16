"""Rules that make a tokenizer split where annotated names start and end inside its tokens.

A split that only the gold documents have could never be predicted: so the pipeline's tokenizer learns it from the
training annotations, as infix patterns. An edge that several tokens show the same way becomes a general rule, one that
a single token shows a rule for that very token; scripts without spaces are split into characters.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from spacy.tokens import Doc

from domain_ner.passages import Passage
from domain_ner.words import NO_SPACE, NO_SPACES

# Distinct tokens that must show an edge of one kind before it becomes a rule for all tokens.
GENERAL_FROM = 3
# The word around an edge: in a text without spaces a token may be a whole sentence.
IN_WORD = f"(?:(?![{NO_SPACES}])\\w)"
RUN_BEFORE, RUN_AFTER = re.compile(f"(?:{IN_WORD}+|.)$", re.DOTALL), re.compile(f"{IN_WORD}+|.", re.DOTALL)
SHOWN_CHARS = 12
CHAR_CLASS, NAMED = re.compile(r"(?<!\\)\[.*?\]"), re.compile(r"[^\W_]{3,}")
DIGIT, LETTER = r"\d", r"[^\W\d_]"


@dataclass(frozen=True)
class SplitRule:
    """An infix pattern (of width zero) that the tokenizer is given, and why.

    examples: tokens and where they are split, `UNION|2024`; at most five.
    """

    pattern: str
    reason: str
    examples: tuple[str, ...]


@dataclass(frozen=True, order=True)
class InnerEdge:
    """An edge of an annotated span inside a token: the token's text before it and after it."""

    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.before[-SHOWN_CHARS:]}|{self.after[:SHOWN_CHARS]}"


def inner_edges(doc: Doc, passage: Passage) -> list[tuple[int, InnerEdge]]:
    """(character offset, edge) of every span edge that falls inside a token."""
    starts = [token.idx for token in doc]
    found: list[tuple[int, InnerEdge]] = []
    for offset in sorted({edge for span in passage.spans for edge in (span.start, span.end)}):
        token = doc[bisect_right(starts, offset) - 1]
        at = offset - token.idx
        if 0 < at < len(token):
            found.append((offset, InnerEdge(token.text[:at], token.text[at:])))
    return found


def learn_splits(
    passages: Iterable[Passage],
    tokenize: Callable[[str], Doc],
    *,
    on_span: Callable[[int], None] = lambda row: None,
) -> list[SplitRule]:
    """The rules that make `tokenize` split where the spans of these passages do, the general ones first.

    on_span: called with the ledger's number of each span that a token had to be split for.
    """
    edges: set[InnerEdge] = set()
    for passage in passages:
        if passage.spans and not (passage.words is not None and passage.spaces is None):
            found = dict(inner_edges(tokenize(passage.text), passage))
            edges.update(found.values())
            for span, row in zip(passage.spans, passage.rows, strict=True) if found else ():
                if span.start in found or span.end in found:
                    on_span(row)
    by_pattern: dict[tuple[str, str], list[InnerEdge]] = defaultdict(list)
    for edge in sorted(edges):
        by_pattern[_general(edge)].append(edge)
    rules = [rule for key, shown in by_pattern.items() for rule in _rules(key, shown)]
    return sorted(rules, key=lambda rule: (-len(rule.examples), rule.pattern))


def _rules(key: tuple[str, str], shown: Sequence[InnerEdge]) -> list[SplitRule]:
    pattern, reason = key
    is_general = pattern and (len(shown) >= GENERAL_FROM or reason == NO_SPACE_REASON)
    if is_general:
        return [SplitRule(pattern, reason, tuple(map(str, shown[:5])))]
    words = {InnerEdge(RUN_BEFORE.search(edge.before)[0], RUN_AFTER.match(edge.after)[0]) for edge in shown}  # type: ignore[index]
    return [
        SplitRule(f"(?<={re.escape(word.before)})(?={re.escape(word.after)})", "this word", (str(word),))
        for word in sorted(words)
    ]


def named_words(patterns: Iterable[str]) -> set[str]:
    """The words of the training text that the patterns of rules name, of three letters or digits and more."""
    return {word for pattern in patterns for word in NAMED.findall(CHAR_CLASS.sub(" ", pattern))}


NO_SPACE_REASON = "a script without spaces into characters"


def _general(edge: InnerEdge) -> tuple[str, str]:
    """(pattern, reason) of the general rule that an edge is an instance of; no pattern for one between two letters."""
    left, right = edge.before[-1], edge.after[0]
    if NO_SPACE.match(left) or NO_SPACE.match(right):
        # Each character of such a script is a token, also beside another script.
        return f"(?<=[{NO_SPACES}])(?=.)|(?<=.)(?=[{NO_SPACES}])", NO_SPACE_REASON
    classes = (_class(left), _class(right))
    if classes in ((LETTER, LETTER), (DIGIT, DIGIT)):
        return "", ""
    told = " and ".join(_NAMES.get(kind, repr(char)) for char, kind in zip((left, right), classes, strict=True))
    return f"(?<={classes[0]})(?={classes[1]})", f"between {told}"


_NAMES = {DIGIT: "a digit", LETTER: "a letter"}


def _class(char: str) -> str:
    if char.isdigit():
        return DIGIT
    return LETTER if char.isalpha() else re.escape(char)
