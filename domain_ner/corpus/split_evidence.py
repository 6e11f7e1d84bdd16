"""Decides whether an annotated edge inside a word is intended or a slip: other annotations have to agree with it.

Part of `token_splits`. Works on texts and spans, without a tokenizer.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain_ner.annotations.passages import Passage
from domain_ner.annotations.words import NO_SPACES

IN_WORD = f"[^\\W{NO_SPACES}]"
WORD = re.compile(f"{IN_WORD}+")
BEFORE, AFTER = re.compile(f"(?:{IN_WORD}+|.)$", re.DOTALL), re.compile(f"{IN_WORD}+|.", re.DOTALL)
MAX_PRINTED_CHARS = 12
Place = tuple[int, int]
"""A hash of a text, and an offset in it."""
# AGREEING: how many annotations have to agree. Words and names of fewer characters occur in others by chance: for
# these, only the same edge counts.
AGREEING, WORD_LENGTH, NAME_LENGTH = 2, 5, 3


@dataclass(frozen=True, order=True, slots=True)
class InnerEdge:
    """An edge of an annotated span inside a token: the token's text before it and after it."""

    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.before[-MAX_PRINTED_CHARS:]}|{self.after[:MAX_PRINTED_CHARS]}"

    @property
    def is_seamless(self) -> bool:
        """Whether the edge lies between two letters or two digits, where only the annotation suggests an edge."""
        left, right = self.before[-1], self.after[0]
        return (left.isalpha() and right.isalpha()) or (left.isdigit() and right.isdigit())

    def in_word(self) -> "InnerEdge":
        """Return the same edge in the word around it, without the rest of the token."""
        return InnerEdge(BEFORE.search(self.before)[0], AFTER.match(self.after)[0])  # type: ignore[index]


@dataclass(frozen=True, slots=True)
class MisalignedSpan:
    """An annotation that starts or ends inside a token.

    row: its number in the ledger. source: `file:line`. text: a hash of the passage's text.
    edges: one or two, by offset.
    """

    row: int
    source: str
    text: int
    start: int
    end: int
    label: str
    surface: str
    edges: Mapping[int, InnerEdge]

    @property
    def split_words(self) -> str:
        """The words that it splits, with the places: `a|n`."""
        return ", ".join(str(edge.in_word()) for edge in self.edges.values())


def confirmed_edges(
    misaligned: Sequence[MisalignedSpan], parts: Sequence[Iterable[Passage]], versions: Iterable[Passage]
) -> set[InnerEdge]:
    """Return the seamless edges of these annotations, in their words, that other annotations agree with.

    Agreement is the same edge in the same word, or the same name elsewhere, by another annotation or annotator. If a
    word occurs more often without the edge than with it, the annotations with the edge are outvoted.
    parts: the passages, each text once. versions: every annotator's passages; if empty, those of `parts`.
    """
    by_word: dict[InnerEdge, dict[Place, list[MisalignedSpan]]] = defaultdict(lambda: defaultdict(list))
    for span in misaligned:
        for offset, edge in span.edges.items():
            if edge.is_seamless:
                by_word[edge.in_word()][span.text, offset].append(span)
    if not by_word:
        return set()
    n_words, n_texts = _occurrences(by_word.keys(), {span.surface for span in misaligned}, parts)
    annotators = _annotators(misaligned, versions)
    agreed = set()
    for edge, places in by_word.items():
        n_agreeing = sum(
            max(1, *(annotators[span.text, span.start, span.end] for span in spans)) for spans in places.values()
        )
        names = {span.surface for spans in places.values() for span in spans}
        is_agreed = n_agreeing >= AGREEING or _is_name_elsewhere(edge, names, n_texts)
        if is_agreed and 2 * len(places) >= n_words[edge.before + edge.after]:
            agreed.add(edge)
    return agreed


def _is_name_elsewhere(edge: InnerEdge, names: Iterable[str], n_texts: Counter[str]) -> bool:
    """Whether one of the names with this edge is annotated in other texts too, even as a separate word."""
    if len(edge.before + edge.after) < WORD_LENGTH:
        return False
    return any(len(name) >= NAME_LENGTH and n_texts[name] >= AGREEING for name in names)


def _occurrences(
    edges: Iterable[InnerEdge], names: set[str], parts: Sequence[Iterable[Passage]]
) -> tuple[Counter[str], Counter[str]]:
    """Count how often the word of each edge occurs, and in how many texts each name is annotated."""
    words = {edge.before + edge.after for edge in edges}
    n_words, n_texts = Counter[str](), Counter[str]()
    for passage in (passage for passages in parts for passage in passages):
        n_words.update(word for word in WORD.findall(passage.text) if word in words)
        n_texts.update(names & {passage.text[span.start : span.end] for span in passage.spans})
    return n_words, n_texts


def _annotators(misaligned: Sequence[MisalignedSpan], versions: Iterable[Passage]) -> Counter[tuple[int, int, int]]:
    """Count the annotators of each span (hash of the text, start, end); those without a name count as one."""
    wanted = {(span.text, span.start, span.end) for span in misaligned}
    texts = {span.text for span in misaligned}
    names_of: dict[tuple[int, int, int], set[str]] = defaultdict(set)
    for version in versions:
        text = hash(version.text)
        for span in version.spans if text in texts else ():
            if (text, span.start, span.end) in wanted:
                names_of[text, span.start, span.end].add(version.annotator)
    return Counter({key: len(names) for key, names in names_of.items()})
