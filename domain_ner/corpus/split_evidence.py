"""Whether an annotated edge inside a word is meant, or the slip of a hand by a character: others have to agree with it.

Part of `token_splits`. Knows texts and spans; nothing of tokenizers.
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
SHOWN_CHARS = 12
Place = tuple[int, int]
"""A hash of a text, and an offset in it."""
# Annotations that have to agree. A word or a name of fewer characters is found in others by chance: of these the very
# same edge counts alone.
AGREEING, WORD_LENGTH, NAME_LENGTH = 2, 5, 3


@dataclass(frozen=True, order=True, slots=True)
class InnerEdge:
    """An edge of an annotated span inside a token: the token's text before it and after it."""

    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.before[-SHOWN_CHARS:]}|{self.after[:SHOWN_CHARS]}"

    @property
    def is_seamless(self) -> bool:
        """Whether it lies between two letters or two digits, where nothing but the annotation shows an edge."""
        left, right = self.before[-1], self.after[0]
        return (left.isalpha() and right.isalpha()) or (left.isdigit() and right.isdigit())

    def in_word(self) -> "InnerEdge":
        """The same edge in the word around it, without the rest of the token."""
        return InnerEdge(BEFORE.search(self.before)[0], AFTER.match(self.after)[0])  # type: ignore[index]


@dataclass(frozen=True, slots=True)
class Shown:
    """An annotation that starts or ends inside a token.

    row: its number in the ledger. source: `file:line`. text: a hash of the passage's. edges: one or two, by offset.
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
    def told(self) -> str:
        """Where it cuts words in two, `a|n`."""
        return ", ".join(str(edge.in_word()) for edge in self.edges.values())


def confirmed(
    shown: Sequence[Shown], parts: Sequence[Iterable[Passage]], versions: Iterable[Passage]
) -> set[InnerEdge]:
    """Those of the seamless edges of these annotations, in the words around them, that others agree with.

    Agreement is the same edge in the same word, or elsewhere the same name, by another annotation or annotator. Where a
    word stands without the edge more often than with it, the annotations that show one are outvoted.
    parts: the passages, each text once. versions: every annotator's; none: those of `parts`.
    """
    by_word: dict[InnerEdge, dict[Place, list[Shown]]] = defaultdict(lambda: defaultdict(list))
    for one in shown:
        for offset, edge in one.edges.items():
            if edge.is_seamless:
                by_word[edge.in_word()][one.text, offset].append(one)
    if not by_word:
        return set()
    n_words, n_texts = _occurrences(by_word.keys(), {one.surface for one in shown}, parts)
    annotators = _annotators(shown, versions)
    agreed = set()
    for edge, places in by_word.items():
        n_agreeing = sum(
            max(1, *(annotators[one.text, one.start, one.end] for one in found)) for found in places.values()
        )
        names = {one.surface for found in places.values() for one in found}
        is_agreed = n_agreeing >= AGREEING or _is_name_elsewhere(edge, names, n_texts)
        if is_agreed and 2 * len(places) >= n_words[edge.before + edge.after]:
            agreed.add(edge)
    return agreed


def _is_name_elsewhere(edge: InnerEdge, names: Iterable[str], n_texts: Counter[str]) -> bool:
    """Whether one of the names that show an edge is annotated in other texts too, be it as a word of its own."""
    if len(edge.before + edge.after) < WORD_LENGTH:
        return False
    return any(len(name) >= NAME_LENGTH and n_texts[name] >= AGREEING for name in names)


def _occurrences(
    edges: Iterable[InnerEdge], names: set[str], parts: Sequence[Iterable[Passage]]
) -> tuple[Counter[str], Counter[str]]:
    """(how often the word of each edge stands in the texts, in how many texts each name is annotated)."""
    words = {edge.before + edge.after for edge in edges}
    n_words, n_texts = Counter[str](), Counter[str]()
    for passage in (passage for passages in parts for passage in passages):
        n_words.update(word for word in WORD.findall(passage.text) if word in words)
        n_texts.update(names & {passage.text[span.start : span.end] for span in passage.spans})
    return n_words, n_texts


def _annotators(shown: Sequence[Shown], versions: Iterable[Passage]) -> Counter[tuple[int, int, int]]:
    """How many annotators marked each span (hash of the text, start, end); those without a name are one."""
    wanted = {(one.text, one.start, one.end) for one in shown}
    texts = {one.text for one in shown}
    who: dict[tuple[int, int, int], set[str]] = defaultdict(set)
    for version in versions:
        text = hash(version.text)
        for span in version.spans if text in texts else ():
            if (text, span.start, span.end) in wanted:
                who[text, span.start, span.end].add(version.annotator)
    return Counter({key: len(names) for key, names in who.items()})
