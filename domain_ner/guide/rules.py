"""Checks one span against the rules of its type and against the boundary rules that hold for every type."""

import re
from collections.abc import Iterator

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.guide.schema import Rules

QUOTES = "\"'`´‘’“”«»"
FINAL_PUNCTUATION = ".,;:!?…"
ARTICLES = ("the", "a", "an")
POSSESSIVE = re.compile(r"['’]s$", re.IGNORECASE)
TOKEN = re.compile(r"\w+|[^\w\s]")
BRACKETS = re.compile(r"[()\[\]{}<>]")
FIRST_WORD = re.compile(r"^\W*([\w-]+)")
LAST_WORD = re.compile(r"([\w-]+)\W*$")
NEXT_WORD = re.compile(r"[ \t]+([\w-]+)")

RULE = "rule"

Fault = tuple[str, str]
"""The kind of the finding, and what is wrong."""


def check_span(text: str, span: LabelledSpan, rules: Rules) -> Iterator[Fault]:
    """Find what is wrong with a span: boundary faults first, then violations of its type's rules."""
    surface = text[span.start : span.end]
    yield from _boundary_faults(surface, articles=rules.articles)
    yield from ((RULE, fault) for fault in _rule_faults(surface, rules))
    after = NEXT_WORD.match(text, span.end)
    if after and after.group(1).lower() in {word.lower() for word in rules.must_take_after}:
        yield RULE, f"must_take_after: {after.group(1)!r} belongs to the span"


def reason_of(fault: Fault) -> str:
    """Name a fault in a count of many: its kind, and for a rule of a type, which."""
    kind, message = fault
    return f"{kind} {message.partition(':')[0]}" if kind == RULE else kind


def _boundary_faults(surface: str, *, articles: bool) -> Iterator[Fault]:
    if surface != surface.strip():
        yield "white space", f"{surface!r} begins or ends with white space; expected {surface.strip()!r}"
    bare = surface.strip()
    if not bare:
        return
    if POSSESSIVE.search(bare):
        yield "possessive", f"{bare!r} ends with a possessive; expected {POSSESSIVE.sub('', bare)!r}"
    elif bare[0] in QUOTES or bare[-1] in QUOTES:
        yield "quotes", f"{bare!r} begins or ends with a quote; expected {bare.strip(QUOTES)!r}"
    article = starts_with_article(bare)
    if article and not articles:
        yield "article", f"{bare!r} begins with an article; expected {bare[len(article) :].strip()!r}"
    # A full stop may begin a name (.NET); other punctuation may not.
    if bare[-1] in FINAL_PUNCTUATION or bare[0] in FINAL_PUNCTUATION.replace(".", ""):
        yield "punctuation", f"{bare!r} begins or ends with punctuation; expected {bare.strip(FINAL_PUNCTUATION)!r}"


def _rule_faults(surface: str, rules: Rules) -> Iterator[str]:
    bare = surface.strip()
    for pattern in rules.must_match:
        if not re.search(pattern, bare):
            yield f"must_match: {bare!r} does not match {pattern!r}"
    for pattern in rules.must_not_match:
        if re.search(pattern, bare):
            yield f"must_not_match: {bare!r} matches {pattern!r}"
    first, last = FIRST_WORD.match(bare), LAST_WORD.search(bare)
    if first and first.group(1).lower() in {word.lower() for word in rules.must_not_start_with}:
        yield f"must_not_start_with: {bare!r} starts with {first.group(1)!r}"
    if last and last.group(1).lower() in {word.lower() for word in rules.must_not_end_with}:
        yield f"must_not_end_with: {bare!r} ends with {last.group(1)!r}"
    n_tokens = len(TOKEN.findall(bare))
    if n_tokens < rules.min_tokens or n_tokens > (rules.max_tokens or n_tokens):
        wanted = f"{rules.min_tokens} to {rules.max_tokens or 'any number'}"
        yield f"min_tokens/max_tokens: {bare!r} has {n_tokens} tokens; expected {wanted}"
    inner = POSSESSIVE.sub("", bare).strip(QUOTES)
    if not rules.quotes and any(quote in inner for quote in QUOTES):
        yield f"quotes: {bare!r} contains a quote"
    if not rules.brackets and BRACKETS.search(bare):
        yield f"brackets: {bare!r} contains a bracket"
    if not rules.digits and any(char.isdigit() for char in bare):
        yield f"digits: {bare!r} contains a digit"


def starts_with_article(surface: str) -> str:
    """Return the article at the start of a surface, or an empty string."""
    first, _, rest = surface.strip().partition(" ")
    return first if rest and first.lower() in ARTICLES else ""
