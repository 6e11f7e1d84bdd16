"""Tag schemes of token-and-tag formats: which one a file uses, and the spans that its tags mean.

IO, IOB1, IOB2 (Ramshaw & Marcus 1995; Tjong Kim Sang & Veenstra 1999), BIOES/IOBES, BMES, BILOU (Ratinov & Roth 2009),
with the mark before the label (`B-LOC`), after it (`LOC-B`), or without any label (`B`), in small letters too.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

OUTSIDE = "O"
PREFIXED = re.compile(r"([BIESLUMW])[-_+](.+)", re.DOTALL)
SUFFIXED = re.compile(r"(.+)[-_]([BIESLUMW])", re.DOTALL)
BARE = re.compile(r"[BIESLUMW]", re.IGNORECASE)
LOWER_PREFIXED = re.compile(r"([biesluwm])[-_+](.+)", re.DOTALL)
LOOSE_PREFIXED = re.compile(r"([BIESLUMW])[-_+:./|\\ ](.+)", re.DOTALL | re.IGNORECASE)
LOWER_SUFFIXED = re.compile(r"(.+)[-_]([biesluwm])", re.DOTALL)
# The shape of tags by the `mark` of their scheme.
MARKS = {
    "prefix": PREFIXED, "suffix": SUFFIXED,
    "loose prefix": LOOSE_PREFIXED, "lower suffix": LOWER_SUFFIXED,
    "bare": BARE,
}  # fmt: skip
# Other words for "no entity"; and signs that mean it where they are by far the commonest tag and `O` does not occur.
# So does any word (`NONE`) where all others have marks.
OTHER_OUTSIDES, OUTSIDE_SIGNS = ("OTHER", "Other"), ("-", "o", "0")
LOWER_OUTSIDE = "o"
BEGINS, INSIDES, ENDS, SINGLES = "B", "IM", "EL", "SUW"
OPENED = "opens an entity"
UNCLOSED = "not closed"

Tag = str | None
"""None: not annotated."""


@dataclass(frozen=True)
class TagScheme:
    """How the tags of a file are to be read.

    name: IO, IOB1, IOB2, BIOES, BMES or BILOU. mark: where its letter stands: `prefix`, `suffix` (`loose prefix` and
    `lower suffix` for small letters, the former for other separators too), `bare` (there is no label) or `none`.
    separator: between letter and label. outside: the tag for "no entity".
    label: of bare tags, which do not say it.
    """

    name: str
    mark: str
    separator: str = "-"
    outside: str = OUTSIDE
    label: str = ""

    def is_outside(self, tag: str) -> bool:
        """Whether a tag says that there is no entity."""
        return tag in (OUTSIDE, self.outside)

    def parse(self, tag: str) -> tuple[str, str] | None:
        """(letter, label) of a tag; ("I", tag) in IO. None: it is outside, or does not fit the scheme."""
        if tag == self.outside and tag != OUTSIDE:
            return None
        if self.mark == "bare":
            return (tag.upper(), self.label) if BARE.fullmatch(tag) else None
        if self.mark == "none":
            return "I", tag
        found = MARKS[self.mark].fullmatch(tag)
        return _letter_and_label(found, self.mark) if found else None


@dataclass(frozen=True, slots=True)
class TagSpan:
    """An entity in tokens, `end` exclusive.

    how: the repair that its tags needed, a short name and after a colon the tags; empty for none.
    """

    start: int
    end: int
    label: str
    how: str = ""


@dataclass
class TagStatistics:
    """What the tags of a whole file look like. Fed sentence by sentence; then it tells the scheme.

    n_begin_after_same: B- right after a tag of its label. n_begin_elsewhere: every other B-.
    n_inside_at_start: I- that continues no tag of its label.
    """

    tags: Counter[str] = field(default_factory=Counter)
    n_begin_after_same: int = 0
    n_begin_elsewhere: int = 0
    n_inside_at_start: int = 0

    def add(self, tags: Iterable[Tag]) -> None:
        """Count the tags of one sentence."""
        before = ""
        for tag in tags:
            self.tags[tag or OUTSIDE] += 1
            letter, label = _split(tag or OUTSIDE)
            same = bool(label) and label == before
            if letter == "B":
                self.n_begin_after_same += same
                self.n_begin_elsewhere += not same
            elif letter == "I":
                self.n_inside_at_start += not same
            before = label

    def scheme(self) -> TagScheme:
        """The scheme that most tags fit. No tags but `O`: IOB2."""
        outside = find_outside(self.tags)
        marked = Counter({tag: n for tag, n in self.tags.items() if tag not in (OUTSIDE, outside)})
        found = {mark: _Marks.of(marked, mark) for mark in ("prefix", "suffix", "loose prefix", "lower suffix")}
        mark = _mark(found, n_tags=marked.total(), outside=outside)
        if mark:
            return TagScheme(self._name(found[mark].letters), mark, _first(found[mark].separators), outside)
        bare = Counter[str]()
        for tag, n in marked.items():
            if BARE.fullmatch(tag):
                bare[tag.upper()] += n
        if _are_marks(bare, marked.total()):
            return TagScheme(self._name(bare), "bare", outside=outside)
        return TagScheme("IO", "none", outside=outside)

    def _name(self, letters: Counter[str]) -> str:
        n_closing = sum(letters[letter] for letter in "MESLUW")
        # Where ends are marked, every entity has one; a stray `E-` in an IOB2 file is a fault of that tag.
        if not n_closing or 2 * n_closing < letters["B"] + self.n_inside_at_start:
            # IOB1 writes B- only where an entity follows another of its type.
            is_iob1 = self.n_inside_at_start > 10 * self.n_begin_elsewhere
            return "IOB1" if is_iob1 else "IOB2"
        if letters["M"] > letters["I"]:
            return "BMES"
        return "BILOU" if letters["L"] + letters["U"] > letters["E"] + letters["S"] + letters["W"] else "BIOES"


def find_outside(tags: Counter[str]) -> str:
    """The tag for "no entity", told from how often each tag occurs: `O` where it does."""
    named = next((tag for tag in (OUTSIDE, *OTHER_OUTSIDES) if tags[tag]), "")
    if not named and tags[LOWER_OUTSIDE] and any(LOWER_PREFIXED.fullmatch(tag) for tag in tags):
        return LOWER_OUTSIDE
    commonest = tags.most_common(2)
    if named or len(commonest) < 2:
        return named or OUTSIDE
    (tag, n), (_, n_next) = commonest
    is_far = n >= 2 * n_next and n >= 0.3 * tags.total()
    is_alone = tag.isalpha() and all(PREFIXED.fullmatch(other) for other in tags if other != tag)
    return tag if is_far and (tag in OUTSIDE_SIGNS or is_alone) else OUTSIDE


def decode_tags(tags: Sequence[Tag], scheme: TagScheme) -> Iterator[TagSpan]:
    """The entities of one sentence, in order. Tags that do not fit the scheme's grammar are repaired and say so.

    tags: each outside, None, or one that `scheme.parse` takes; the caller has reported all others.
    A tag that continues nothing opens an entity; one that the scheme wants closed ends where its tags end.
    """
    start, label, how, letter, before = -1, "", "", "", OUTSIDE

    def close(end: int) -> Iterator[TagSpan]:
        if start >= 0:
            yield TagSpan(start, end, label, how or _unclosed(letter, before, scheme))

    for n_token, tag in enumerate(tags):
        parsed = None if tag is None or scheme.is_outside(tag) else scheme.parse(tag)
        if tag is None or parsed is None:
            yield from close(n_token)
            start, before = -1, tag or "a token that is not annotated"
            continue
        opens = parsed[0] in BEGINS + SINGLES
        continues = start >= 0 and parsed[1] == label and not opens and letter not in ENDS + SINGLES
        if not continues:
            yield from close(n_token)
            how = "" if opens or scheme.name in ("IO", "IOB1") else f"{OPENED}: {tag} after {before}"
            start, label = n_token, parsed[1]
        letter, before = parsed[0], tag
    yield from close(len(tags))


def encode_tags(spans: Iterable[tuple[int, int, str]], n_tokens: int) -> list[str]:
    """IOB2 tags of spans that share no token.

    spans: (start, end exclusive, label) in tokens.
    """
    tags = [OUTSIDE] * n_tokens
    for start, end, label in spans:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


@dataclass
class _Marks:
    """The tags of one shape. letters: large ones, how often each occurs. by_label: those with which each label does."""

    letters: Counter[str] = field(default_factory=Counter)
    separators: Counter[str] = field(default_factory=Counter)
    by_label: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, tags: Counter[str], mark: str) -> "_Marks":
        """mark: as in `TagScheme`."""
        marks = cls()
        for tag, n in tags.items():
            if found := MARKS[mark].fullmatch(tag):
                letter, label = _letter_and_label(found, mark)
                marks.letters[letter] += n
                marks.separators[tag[-2] if mark.endswith("suffix") else tag[1]] += n
                marks.by_label.setdefault(label, set()).add(letter)
        return marks

    @property
    def vary(self) -> bool:
        """Whether some label occurs with several letters."""
        return any(len(letters) > 1 for letters in self.by_label.values())

    @property
    def begin_all(self) -> bool:
        """Whether there are several labels, each of which occurs with B."""
        return len(self.by_label) > 1 and all("B" in letters for letters in self.by_label.values())


def _mark(found: Mapping[str, _Marks], *, n_tags: int, outside: str) -> str:
    """The `mark` of the scheme that most tags fit; empty where the letters do not stand beside labels."""
    # Half is enough: labels of IO tags do not look like `B-LOC`, and damaged tags must not turn that into a label.
    if 2 * found["prefix"].letters.total() >= n_tags:
        return "prefix"
    # But `VITAMIN_B` may well be a label: as suffixes, the letters have to vary, or to stand on several labels.
    suffix = found["suffix"]
    if suffix.letters.total() >= 0.9 * n_tags and suffix.letters["B"] and (suffix.vary or len(suffix.by_label) > 1):
        return "suffix"
    # So may `b-cell`, and `e-mail` beside it.
    for mark in ("loose prefix", "lower suffix"):
        marks = found[mark]
        is_lower = mark == "loose prefix" and outside == LOWER_OUTSIDE
        is_sure = is_lower or (marks.letters["B"] and (marks.vary or marks.begin_all))
        if marks.letters.total() >= 0.9 * n_tags and is_sure:
            return mark
    return ""


def _letter_and_label(found: re.Match[str], mark: str) -> tuple[str, str]:
    return (found[1].upper(), found[2]) if mark.endswith("prefix") else (found[2].upper(), found[1])


def _split(tag: str) -> tuple[str, str]:
    """(letter, label), with the mark before or after the label; both empty for a tag without one."""
    for mark in ("prefix", "suffix", "loose prefix", "lower suffix"):
        if found := MARKS[mark].fullmatch(tag):
            return _letter_and_label(found, mark)
    return (tag.upper(), "bare") if BARE.fullmatch(tag) else ("", "")


def _are_marks(letters: Counter[str], n_tags: int) -> bool:
    """Whether tags of one letter are marks and no labels. n_tags: all that are not outside.

    L and M, which no entity begins with, are labels; S or U alone may be entities of one token each.
    """
    if letters["B"] and letters["I"]:
        return 2 * letters.total() >= n_tags
    begins = letters["B"] or letters["I"] or (len(letters) == 1 and {*letters} <= {*SINGLES})
    return bool(begins) and letters.total() >= 0.9 * n_tags


def _first(separators: Counter[str]) -> str:
    return separators.most_common(1)[0][0] if separators else "-"


def _unclosed(letter: str, last: str, scheme: TagScheme) -> str:
    wants_end = scheme.name in ("BIOES", "BMES", "BILOU")
    return f"{UNCLOSED}: ends with {last}" if wants_end and letter in BEGINS + INSIDES else ""
