"""Learns rules that split tokens where annotated names start or end inside them.

A pipeline can never predict a split that only the gold documents have. So its tokenizer learns infix patterns from the
training annotations. An edge that several tokens share becomes a general rule. An edge of a single token becomes a rule
for that word. Scripts without spaces are split into characters. An edge between two letters or two digits may be an
annotator's slip: other annotations have to agree with it (`split_evidence`).
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from spacy.tokens import Doc

from domain_ner.annotations.outcomes import DOUBTFUL, Outcome
from domain_ner.annotations.passages import Passage
from domain_ner.annotations.words import MARKS, NO_SPACES, SYLLABLE, SYLLABLES, WIDE_PUNCTUATION
from domain_ner.corpus.split_evidence import IN_WORD, InnerEdge, MisalignedSpan, confirmed_edges

# Reasons in the ledger.
LEARNED = "a token is split there, and the tokenizer learns it"
UNCONFIRMED = "an edge inside a word that no other annotation confirms"
# How many distinct tokens must have an edge of one kind before it becomes a rule for all tokens.
GENERAL_FROM = 3
DIGIT, LETTER = r"\d", r"[^\W\d_]"
# The part of a token around an edge: in a text without spaces, a token may be a whole sentence.
IN_TOKEN = f"(?:(?![{NO_SPACES}])\\S)"
BEFORE, AFTER = re.compile(f"(?:{IN_TOKEN}+|.)$", re.DOTALL), re.compile(f"{IN_TOKEN}+|.", re.DOTALL)
IN_WORD_CHAR = re.compile(IN_WORD)
CHAR_CLASS, NAMED = re.compile(r"(?<!\\)\[.*?\]"), re.compile(r"[^\W_]{3,}")
OF_SCRIPT = re.compile(f"[{NO_SPACES}{WIDE_PUNCTUATION}]")
JOINED = re.compile(f"([{NO_SPACES}][{MARKS}]*)((?![{MARKS}])\\w)|(\\w)([{NO_SPACES}])")

Kind = tuple[str, str]
"""The pattern of a rule, and the reason for it. Empty: edges that allow no general rule."""


@dataclass(frozen=True)
class SplitRule:
    """A zero-width infix pattern for the tokenizer, and the reason for it.

    examples: split tokens, such as `UNION|2024`; at most five.
    """

    pattern: str
    reason: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class LearnedSplits:
    """The split rules that a tokenizer learns from annotated passages.

    rules: sorted by the number of their examples, the largest first. rows: ledger row numbers of the spans that tokens
        are split for, except in scripts where each character is a token.
    doubtful: spans with an edge inside a word that no other annotation confirms: no rule splits there.
    """

    rules: tuple[SplitRule, ...]
    rows: tuple[int, ...]
    doubtful: tuple[MisalignedSpan, ...]

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcomes of annotations: a repair, or a doubt."""
        yield from (Outcome(row, reason=LEARNED) for row in self.rows)
        yield from (Outcome(span.row, DOUBTFUL, f"{UNCONFIRMED}: {span.split_words}") for span in self.doubtful)


def inner_edges(doc: Doc, passage: Passage) -> list[tuple[int, InnerEdge]]:
    """Return (character offset, edge) of every span edge that falls inside a token."""
    starts = [token.idx for token in doc]
    edges: list[tuple[int, InnerEdge]] = []
    for offset in sorted({edge for span in passage.spans for edge in (span.start, span.end)}):
        token = doc[bisect_right(starts, offset) - 1]
        at = offset - token.idx
        if 0 < at < len(token):
            edges.append((offset, InnerEdge(token.text[:at], token.text[at:])))
    return edges


def learn_splits(
    parts: Sequence[Iterable[Passage]],
    tokenize: Callable[[str], Doc],
    *,
    versions: Iterable[Passage] = (),
    only_scripts: bool = False,
) -> LearnedSplits:
    """Learn the rules that make `tokenize` split at the edges of these passages' spans.

    parts: collections of passages, each text once; iterated twice.
    versions: every annotator's passages, to count agreement; if empty, those of `parts`.
    only_scripts: split only scripts without spaces, into characters.
    """
    evidence = _gather(parts, tokenize)
    kinds = evidence.kinds()
    if only_scripts:
        edges = kinds.get(CHARACTERS, [])
        return LearnedSplits((SplitRule(*CHARACTERS, tuple(map(str, edges[:5]))),) if edges else (), (), ())
    general = {kind: edges for kind, edges in kinds.items() if evidence.is_general(kind, edges)}
    single = {edge for kind, edges in kinds.items() if kind not in general for edge in edges}
    with_single_edges = [span for span in evidence.misaligned if not single.isdisjoint(span.edges.values())]
    agreed = confirmed_edges(with_single_edges, parts, versions)
    left_out = {edge for edge in single if edge.is_seamless and edge.in_word() not in agreed}
    words = sorted({_word(edge) for edge in single - left_out})
    rules = [SplitRule(*kind, tuple(map(str, edges[:5]))) for kind, edges in general.items()]
    rules += [_word_rule(word, among_characters=CHARACTERS in general) for word in words]
    of_scripts = {edge for kind, edges in general.items() if kind in (CHARACTERS, KOREAN) for edge in edges}
    return LearnedSplits(
        rules=tuple(sorted(rules, key=lambda rule: (-len(rule.examples), rule.pattern))),
        rows=tuple(
            span.row
            for span in evidence.misaligned
            if left_out.isdisjoint(span.edges.values()) and not of_scripts.issuperset(span.edges.values())
        ),
        doubtful=tuple(span for span in evidence.misaligned if not left_out.isdisjoint(span.edges.values())),
    )


def named_words(patterns: Iterable[str]) -> set[str]:
    """Extract the words of the training text that rules contain, of at least three letters or digits."""
    return {word for pattern in patterns for word in NAMED.findall(CHAR_CLASS.sub(" ", pattern))}


def _escaped(ranges: str) -> str:
    """Escape ranges of a character class to ASCII: in a config, bare combining marks would be unreadable."""
    return "".join(
        char if char.isascii() else f"\\u{ord(char):04x}" if char <= "\uffff" else f"\\U{ord(char):08x}"
        for char in ranges
    )


def _into_characters() -> str:
    """Make each character with its marks a token, also next to another script; the same for its punctuation."""
    script, marks = _escaped(NO_SPACES + WIDE_PUNCTUATION), _escaped(MARKS)
    return f"(?![{marks}])(?:(?<=[{script}])(?=.)|(?<=.)(?=[{script}]))"


CHARACTERS: Kind = _into_characters(), "a script without spaces into characters"
KOREAN: Kind = f"(?<=[{_escaped(SYLLABLES)}])(?=\\w)|(?<=\\w)(?=[{_escaped(SYLLABLES)}])", "Korean into syllables"
NO_RULE: Kind = "", ""


@dataclass
class _Evidence:
    """Evidence from passages. misaligned: spans with edges inside tokens. scripts: examples of scripts to split."""

    misaligned: list[MisalignedSpan] = field(default_factory=list)
    scripts: dict[Kind, InnerEdge] = field(default_factory=dict)

    def kinds(self) -> dict[Kind, list[InnerEdge]]:
        """Group the edges by their kind of rule."""
        by_kind: dict[Kind, list[InnerEdge]] = defaultdict(list)
        for edge in sorted({edge for span in self.misaligned for edge in span.edges.values()}):
            by_kind[_kind(edge)].append(edge)
        for kind, example in self.scripts.items():
            by_kind[kind] = by_kind[kind] or [example]
        return by_kind

    def is_general(self, kind: Kind, edges: Sequence[InnerEdge]) -> bool:
        """Whether a kind of edge becomes a rule for all tokens."""
        return kind != NO_RULE and (len(edges) >= GENERAL_FROM or kind == CHARACTERS or kind in self.scripts)


def _gather(parts: Sequence[Iterable[Passage]], tokenize: Callable[[str], Doc]) -> _Evidence:
    evidence = _Evidence()
    for passage in (passage for passages in parts for passage in passages):
        if passage.words is not None and passage.spaces is None:
            continue  # such a passage keeps its own tokens
        if CHARACTERS not in evidence.scripts and (joined := JOINED.search(passage.text)):
            evidence.scripts[CHARACTERS] = InnerEdge(*filter(None, joined.groups()))
        if KOREAN not in evidence.scripts and (syllables := _syllables(passage)):
            evidence.scripts[KOREAN] = syllables
        if passage.spans:
            evidence.misaligned += _misaligned_spans(passage, dict(inner_edges(tokenize(passage.text), passage)))
    return evidence


def _misaligned_spans(passage: Passage, edges: dict[int, InnerEdge]) -> Iterator[MisalignedSpan]:
    for span, row in zip(passage.spans, passage.rows, strict=True) if edges else ():
        inner = {offset: edges[offset] for offset in (span.start, span.end) if offset in edges}
        if inner:
            surface = passage.text[span.start : span.end]
            place = hash(passage.text), span.start, span.end
            yield MisalignedSpan(row, passage.source, *place, span.label, surface, inner)


def _syllables(passage: Passage) -> InnerEdge | None:
    """Find two syllables of one word that are two tokens in the export."""
    words = passage.words or ()
    pairs = zip(pairwise(words), passage.spaces or (), strict=False)
    return next((InnerEdge(*pair) for pair, space in pairs if not space and all(map(SYLLABLE.fullmatch, pair))), None)


def _kind(edge: InnerEdge) -> Kind:
    """Return the general rule for an edge; none between two letters or two digits."""
    left, right = edge.before[-1], edge.after[0]
    if OF_SCRIPT.match(left) or OF_SCRIPT.match(right):
        return CHARACTERS
    classes = (_class(left), _class(right))
    if (SYLLABLE.match(left) or SYLLABLE.match(right)) and "".join((left, right)).isalnum():
        return KOREAN
    if edge.is_seamless:
        return NO_RULE
    sides = " and ".join(_NAMES.get(kind, repr(char)) for char, kind in zip((left, right), classes, strict=True))
    return f"(?<={classes[0]})(?={classes[1]})", f"between {sides}"


_NAMES = {DIGIT: "a digit", LETTER: "a letter"}


def _class(char: str) -> str:
    if char.isdigit():
        return DIGIT
    return LETTER if char.isalpha() else re.escape(char)


def _word(edge: InnerEdge) -> InnerEdge:
    """Return what a word rule applies to: the word between letters or digits, else the whole token."""
    if edge.is_seamless:
        return edge.in_word()
    return InnerEdge(BEFORE.search(edge.before)[0], AFTER.match(edge.after)[0])  # type: ignore[index]


def _word_rule(word: InnerEdge, *, among_characters: bool) -> SplitRule:
    """Make a case-sensitive rule for one whole word. among_characters: it may adjoin a script without spaces."""
    letter = f"[^\\W{_escaped(NO_SPACES)}]" if among_characters else r"\w"
    before = f"(?<!{letter})" * bool(IN_WORD_CHAR.match(word.before[0]))
    after = f"(?!{letter})" * bool(IN_WORD_CHAR.match(word.after[-1]))
    pattern = f"(?<={before}{re.escape(word.before)})(?={re.escape(word.after)}{after})"
    return SplitRule(pattern, "this word", (str(word),))
