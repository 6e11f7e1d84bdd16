"""Plants shifts in passages: what production text may become. The entities move with the text."""

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from random import Random

from domain_ner.metrics.perturbations import Passage, apply

# Passages of one longer document.
JOINED = 3
VOWELS, CONSONANTS = "aeiou", "bcdfghjklmnprstvwz"
LANGUAGES = ("de", "fr", "es", "nl", "it", "pt")

Plant = Callable[[Sequence[Passage], Random], list[Passage]]


def new_names(passages: Sequence[Passage], rng: Random) -> list[Passage]:
    """Every entity gets invented words of the same shape: letters become others, of the same kind and case."""
    return [
        apply(passage, [(start, end, _invented(passage.text[start:end], rng)) for start, end in _outermost(passage)])
        for passage in passages
    ]


def lower_case(passages: Sequence[Passage], rng: Random) -> list[Passage]:
    """Everything in lower case."""
    return [
        apply(passage, [(n, n + 1, old.lower()) for n, old in enumerate(passage.text) if old.lower() != old])
        for passage in passages
    ]


def other_language(passages: Sequence[Passage], rng: Random) -> list[Passage]:
    """Sentences of other languages, those that spaCy has as examples; without entities, which nobody annotated."""
    sentences = [text for lang in LANGUAGES for text in import_module(f"spacy.lang.{lang}.examples").sentences]
    return [Passage(rng.choice(sentences), ()) for _ in passages]


def longer(passages: Sequence[Passage], rng: Random) -> list[Passage]:
    """Each document is followed by two others."""
    return [_join([passage, *(rng.choice(passages) for _ in range(JOINED - 1))]) for passage in passages]


def another_tool(passages: Sequence[Passage], rng: Random) -> list[Passage]:
    """As a chat tool exports it: date, time and author before each message, and escaped quotes."""
    made = []
    for passage in passages:
        day, hour, minute, user = (rng.randint(1, most) for most in (28, 23, 59, 99))
        head = f"[2026-11-{day:02d} {hour:02d}:{minute:02d}] <user{user}> "
        quotes = [(mark.start(), mark.end(), "&quot;") for mark in re.finditer('"', passage.text)]
        made.append(apply(passage, [(0, 0, head), *quotes]))
    return made


SHIFTS: dict[str, Plant] = {
    "new vocabulary": new_names,
    "lower case": lower_case,
    "another language": other_language,
    "longer documents": longer,
    "another tool's text": another_tool,
}


def _outermost(passage: Passage) -> list[tuple[int, int]]:
    chosen, at = list[tuple[int, int]](), 0
    for start, end, _ in sorted(passage.entities, key=lambda entity: (entity[0], -entity[1])):
        if start >= at:
            chosen.append((start, end))
            at = end
    return chosen


def _invented(words: str, rng: Random) -> str:
    made = []
    for letter in words:
        kind = VOWELS if letter.lower() in VOWELS else CONSONANTS
        new = rng.choice(kind) if letter.isalpha() else letter
        made.append(new.upper() if letter.isupper() else new)
    return "".join(made)


def _join(passages: Sequence[Passage]) -> Passage:
    text, entities = "", list[tuple[int, int, str]]()
    for passage in passages:
        text += " " if text else ""
        entities += [(start + len(text), end + len(text), label) for start, end, label in passage.entities]
        text += passage.text
    return Passage(text, tuple(entities))
