"""Rules that make a tokenizer split where annotated names start and end inside its tokens.

A split that only the gold documents have could never be predicted: so the pipeline's tokenizer learns it from the
training annotations, as infix patterns. An edge that several tokens show the same way becomes a general rule, one that
a single token shows a rule for that very word; scripts without spaces are split into characters. An edge between two
letters, or two digits, may be a slip of the annotator: others have to agree with it (`split_evidence`).
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
from domain_ner.corpus.split_evidence import IN_WORD, InnerEdge, Shown, confirmed

# The reasons of annotations.
LEARNED = "a token is split there, and the tokenizer learns it"
UNCONFIRMED = "an edge inside a word that no other annotation confirms"
# Distinct tokens that must show an edge of one kind before it becomes a rule for all tokens.
GENERAL_FROM = 3
DIGIT, LETTER = r"\d", r"[^\W\d_]"
# The token around an edge: in a text without spaces a token may be a whole sentence.
IN_TOKEN = f"(?:(?![{NO_SPACES}])\\S)"
BEFORE, AFTER = re.compile(f"(?:{IN_TOKEN}+|.)$", re.DOTALL), re.compile(f"{IN_TOKEN}+|.", re.DOTALL)
IN_WORD_CHAR = re.compile(IN_WORD)
CHAR_CLASS, NAMED = re.compile(r"(?<!\\)\[.*?\]"), re.compile(r"[^\W_]{3,}")
OF_SCRIPT = re.compile(f"[{NO_SPACES}{WIDE_PUNCTUATION}]")
JOINED = re.compile(f"([{NO_SPACES}][{MARKS}]*)((?![{MARKS}])\\w)|(\\w)([{NO_SPACES}])")

Kind = tuple[str, str]
"""The pattern of a rule, and the reason for it. Empty: edges of which no general rule can be made."""


@dataclass(frozen=True)
class SplitRule:
    """An infix pattern (of width zero) that the tokenizer is given, and why.

    examples: tokens and where they are split, `UNION|2024`; at most five.
    """

    pattern: str
    reason: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Learned:
    """What annotated passages teach a tokenizer.

    rules: those that most tokens show first. rows: the ledger's numbers of the spans that tokens are split for; not of
        those in scripts of which each character is a token.
    doubtful: spans with an edge inside a word that no other annotation confirms: no rule splits there.
    """

    rules: tuple[SplitRule, ...]
    rows: tuple[int, ...]
    doubtful: tuple[Shown, ...]

    def outcomes(self) -> Iterator[Outcome]:
        """What there is to say of annotations: a repair, or a doubt."""
        yield from (Outcome(row, reason=LEARNED) for row in self.rows)
        yield from (Outcome(shown.row, DOUBTFUL, f"{UNCONFIRMED}: {shown.told}") for shown in self.doubtful)


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
    parts: Sequence[Iterable[Passage]],
    tokenize: Callable[[str], Doc],
    *,
    versions: Iterable[Passage] = (),
    only_scripts: bool = False,
) -> Learned:
    """The rules that make `tokenize` split where the spans of these passages do.

    parts: collections of passages, each text once; they are gone through twice.
    versions: every annotator's passages, to see how many agree; none: those of `parts`.
    only_scripts: nothing but scripts without spaces into characters.
    """
    evidence = _gather(parts, tokenize)
    kinds = evidence.kinds()
    if only_scripts:
        edges = kinds.get(CHARACTERS, [])
        return Learned((SplitRule(*CHARACTERS, tuple(map(str, edges[:5]))),) if edges else (), (), ())
    general = {kind: edges for kind, edges in kinds.items() if evidence.is_general(kind, edges)}
    single = {edge for kind, edges in kinds.items() if kind not in general for edge in edges}
    seamless = [shown for shown in evidence.shown if not single.isdisjoint(shown.edges.values())]
    agreed = confirmed(seamless, parts, versions)
    left_out = {edge for edge in single if edge.is_seamless and edge.in_word() not in agreed}
    words = sorted({_word(edge) for edge in single - left_out})
    rules = [SplitRule(*kind, tuple(map(str, edges[:5]))) for kind, edges in general.items()]
    rules += [_word_rule(word, among_characters=CHARACTERS in general) for word in words]
    of_scripts = {edge for kind, edges in general.items() if kind in (CHARACTERS, KOREAN) for edge in edges}
    return Learned(
        rules=tuple(sorted(rules, key=lambda rule: (-len(rule.examples), rule.pattern))),
        rows=tuple(
            shown.row
            for shown in evidence.shown
            if left_out.isdisjoint(shown.edges.values()) and not of_scripts.issuperset(shown.edges.values())
        ),
        doubtful=tuple(shown for shown in evidence.shown if not left_out.isdisjoint(shown.edges.values())),
    )


def named_words(patterns: Iterable[str]) -> set[str]:
    """The words of the training text that the patterns of rules name, of three letters or digits and more."""
    return {word for pattern in patterns for word in NAMED.findall(CHAR_CLASS.sub(" ", pattern))}


def _escaped(ranges: str) -> str:
    """Ranges of a character class in ASCII: the pattern stands in a config, where marks alone cannot be read."""
    return "".join(
        char if char.isascii() else f"\\u{ord(char):04x}" if char <= "\uffff" else f"\\U{ord(char):08x}"
        for char in ranges
    )


def _into_characters() -> str:
    """Each character, with its marks, is a token, also beside another script; and so is its punctuation."""
    script, marks = _escaped(NO_SPACES + WIDE_PUNCTUATION), _escaped(MARKS)
    return f"(?![{marks}])(?:(?<=[{script}])(?=.)|(?<=.)(?=[{script}]))"


CHARACTERS: Kind = _into_characters(), "a script without spaces into characters"
KOREAN: Kind = f"(?<=[{_escaped(SYLLABLES)}])(?=\\w)|(?<=\\w)(?=[{_escaped(SYLLABLES)}])", "Korean into syllables"
NO_RULE: Kind = "", ""


@dataclass
class _Evidence:
    """What passages show. edges: those inside tokens. scripts: examples of scripts that are split for themselves."""

    shown: list[Shown] = field(default_factory=list)
    scripts: dict[Kind, InnerEdge] = field(default_factory=dict)

    def kinds(self) -> dict[Kind, list[InnerEdge]]:
        """The edges of each kind of rule that they are instances of."""
        found: dict[Kind, list[InnerEdge]] = defaultdict(list)
        for edge in sorted({edge for shown in self.shown for edge in shown.edges.values()}):
            found[_kind(edge)].append(edge)
        for kind, example in self.scripts.items():
            found[kind] = found[kind] or [example]
        return found

    def is_general(self, kind: Kind, edges: Sequence[InnerEdge]) -> bool:
        """Whether a kind of edge becomes a rule for all tokens."""
        return kind != NO_RULE and (len(edges) >= GENERAL_FROM or kind == CHARACTERS or kind in self.scripts)


def _gather(parts: Sequence[Iterable[Passage]], tokenize: Callable[[str], Doc]) -> _Evidence:
    found = _Evidence()
    for passage in (passage for passages in parts for passage in passages):
        if passage.words is not None and passage.spaces is None:
            continue  # the tokens of such a passage are its own
        if CHARACTERS not in found.scripts and (joined := JOINED.search(passage.text)):
            found.scripts[CHARACTERS] = InnerEdge(*filter(None, joined.groups()))
        if KOREAN not in found.scripts and (syllables := _syllables(passage)):
            found.scripts[KOREAN] = syllables
        if passage.spans:
            found.shown += _shown(passage, dict(inner_edges(tokenize(passage.text), passage)))
    return found


def _shown(passage: Passage, edges: dict[int, InnerEdge]) -> Iterator[Shown]:
    for span, row in zip(passage.spans, passage.rows, strict=True) if edges else ():
        inner = {offset: edges[offset] for offset in (span.start, span.end) if offset in edges}
        if inner:
            surface = passage.text[span.start : span.end]
            place = hash(passage.text), span.start, span.end
            yield Shown(row, passage.source, *place, span.label, surface, inner)


def _syllables(passage: Passage) -> InnerEdge | None:
    """Two syllables of one word that the export has as two tokens."""
    words = passage.words or ()
    pairs = zip(pairwise(words), passage.spaces or (), strict=False)
    return next((InnerEdge(*pair) for pair, space in pairs if not space and all(map(SYLLABLE.fullmatch, pair))), None)


def _kind(edge: InnerEdge) -> Kind:
    """The general rule that an edge is an instance of; none for one between two letters or two digits."""
    left, right = edge.before[-1], edge.after[0]
    if OF_SCRIPT.match(left) or OF_SCRIPT.match(right):
        return CHARACTERS
    classes = (_class(left), _class(right))
    if (SYLLABLE.match(left) or SYLLABLE.match(right)) and "".join((left, right)).isalnum():
        return KOREAN
    if edge.is_seamless:
        return NO_RULE
    told = " and ".join(_NAMES.get(kind, repr(char)) for char, kind in zip((left, right), classes, strict=True))
    return f"(?<={classes[0]})(?={classes[1]})", f"between {told}"


_NAMES = {DIGIT: "a digit", LETTER: "a letter"}


def _class(char: str) -> str:
    if char.isdigit():
        return DIGIT
    return LETTER if char.isalpha() else re.escape(char)


def _word(edge: InnerEdge) -> InnerEdge:
    """The very word that a rule is made for: between letters or digits the word, else all of the token."""
    if edge.is_seamless:
        return edge.in_word()
    return InnerEdge(BEFORE.search(edge.before)[0], AFTER.match(edge.after)[0])  # type: ignore[index]


def _word_rule(word: InnerEdge, *, among_characters: bool) -> SplitRule:
    """A rule for one word as a whole, in its case. among_characters: it may stand beside a script without spaces."""
    letter = f"[^\\W{_escaped(NO_SPACES)}]" if among_characters else r"\w"
    before = f"(?<!{letter})" * bool(IN_WORD_CHAR.match(word.before[0]))
    after = f"(?!{letter})" * bool(IN_WORD_CHAR.match(word.after[-1]))
    pattern = f"(?<={before}{re.escape(word.before)})(?={re.escape(word.after)}{after})"
    return SplitRule(pattern, "this word", (str(word),))
