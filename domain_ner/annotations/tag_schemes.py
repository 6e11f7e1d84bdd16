"""Tag schemes of token-and-tag formats: detects which one a file uses, and decodes its tags to spans.

IO, IOB1, IOB2 (Ramshaw & Marcus 1995; Tjong Kim Sang & Veenstra 1999), BIOES/IOBES, BMES, BILOU (Ratinov & Roth 2009).
The letter may be before the label (`B-LOC`), after it (`LOC-B`), or alone (`B`), in lower case too.
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
# The pattern of tags for each `TagScheme.shape`.
SHAPES = {
    "prefix": PREFIXED, "suffix": SUFFIXED,
    "loose prefix": LOOSE_PREFIXED, "lower suffix": LOWER_SUFFIXED,
    "bare": BARE,
}  # fmt: skip
# Other words for "no entity". Signs mean it only if they are by far the commonest tag and `O` does not occur;
# so does any word (`NONE`) if all other tags have letters.
OTHER_OUTSIDES, OUTSIDE_SIGNS = ("OTHER", "Other"), ("-", "o", "0")
LOWER_OUTSIDE = "o"
BEGINS, INSIDES, ENDS, SINGLES = "B", "IM", "EL", "SUW"
OPENED = "opens an entity"
UNCLOSED = "not closed"

Tag = str | None
"""None: not annotated."""


@dataclass(frozen=True)
class TagScheme:
    """How to read the tags of a file.

    name: IO, IOB1, IOB2, BIOES, BMES or BILOU. shape: where the letter stands: `prefix`, `suffix` (`loose prefix` and
    `lower suffix` for lower case, the former for other separators too), `bare` (no label) or `none` (no letter).
    separator: between letter and label. outside: the tag for "no entity".
    label: label of bare tags, which do not name one.
    """

    name: str
    shape: str
    separator: str = "-"
    outside: str = OUTSIDE
    label: str = ""

    def is_outside(self, tag: str) -> bool:
        """Whether a tag says that there is no entity."""
        return tag in (OUTSIDE, self.outside)

    def parse(self, tag: str) -> tuple[str, str] | None:
        """Split a tag into (letter, label); ("I", tag) in IO. None if it is outside or does not fit the scheme."""
        if tag == self.outside and tag != OUTSIDE:
            return None
        if self.shape == "bare":
            return (tag.upper(), self.label) if BARE.fullmatch(tag) else None
        if self.shape == "none":
            return "I", tag
        match = SHAPES[self.shape].fullmatch(tag)
        return _letter_and_label(match, self.shape) if match else None


@dataclass(frozen=True, slots=True)
class TagSpan:
    """An entity in tokens, `end` exclusive.

    repair: of its tags: a short name, then a colon and the tags; empty for none.
    """

    start: int
    end: int
    label: str
    repair: str = ""


@dataclass
class TagStatistics:
    """Statistics of the tags of a whole file, added sentence by sentence; `scheme` then detects the scheme.

    n_begin_after_same: B- right after a tag of its label. n_begin_elsewhere: every other B-.
    n_inside_at_start: I- that does not continue a tag of its label.
    """

    tags: Counter[str] = field(default_factory=Counter)
    n_begin_after_same: int = 0
    n_begin_elsewhere: int = 0
    n_inside_at_start: int = 0

    def add(self, tags: Iterable[Tag]) -> None:
        """Count the tags of one sentence."""
        previous = ""
        for tag in tags:
            self.tags[tag or OUTSIDE] += 1
            letter, label = _split(tag or OUTSIDE)
            is_same = bool(label) and label == previous
            if letter == "B":
                self.n_begin_after_same += is_same
                self.n_begin_elsewhere += not is_same
            elif letter == "I":
                self.n_inside_at_start += not is_same
            previous = label

    def scheme(self) -> TagScheme:
        """Detect the scheme that most tags fit. A file with only `O` is IOB2."""
        outside = find_outside(self.tags)
        entity_tags = Counter({tag: n for tag, n in self.tags.items() if tag not in (OUTSIDE, outside)})
        shapes = {
            shape: _ShapeStatistics.of(entity_tags, shape)
            for shape in ("prefix", "suffix", "loose prefix", "lower suffix")
        }
        shape = _detect_shape(shapes, n_tags=entity_tags.total(), outside=outside)
        if shape:
            return TagScheme(self._name(shapes[shape].letters), shape, _first(shapes[shape].separators), outside)
        bare = Counter[str]()
        for tag, n in entity_tags.items():
            if BARE.fullmatch(tag):
                bare[tag.upper()] += n
        if _are_scheme_letters(bare, entity_tags.total()):
            return TagScheme(self._name(bare), "bare", outside=outside)
        return TagScheme("IO", "none", outside=outside)

    def _name(self, letters: Counter[str]) -> str:
        n_closing = sum(letters[letter] for letter in "MESLUW")
        # A file that marks ends has one for every entity; a stray `E-` in an IOB2 file is a faulty tag.
        if not n_closing or 2 * n_closing < letters["B"] + self.n_inside_at_start:
            # IOB1 writes B- only for an entity that follows another of its type.
            is_iob1 = self.n_inside_at_start > 10 * self.n_begin_elsewhere
            return "IOB1" if is_iob1 else "IOB2"
        if letters["M"] > letters["I"]:
            return "BMES"
        return "BILOU" if letters["L"] + letters["U"] > letters["E"] + letters["S"] + letters["W"] else "BIOES"


def find_outside(tags: Counter[str]) -> str:
    """Find the tag for "no entity" from the tags' frequencies; `O` if it occurs."""
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
    """Decode the entities of one sentence, in order. Tags that break the scheme's grammar are repaired and say so.

    tags: each outside, None, or valid for `scheme.parse`; the caller has reported all others.
    A tag that continues nothing opens an entity; an entity without its closing tag ends with its last tag.
    """
    start, label, repair, letter, before = -1, "", "", "", OUTSIDE

    def close(end: int) -> Iterator[TagSpan]:
        if start >= 0:
            yield TagSpan(start, end, label, repair or _unclosed(letter, before, scheme))

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
            repair = "" if opens or scheme.name in ("IO", "IOB1") else f"{OPENED}: {tag} after {before}"
            start, label = n_token, parsed[1]
        letter, before = parsed[0], tag
    yield from close(len(tags))


def encode_tags(spans: Iterable[tuple[int, int, str]], n_tokens: int) -> list[str]:
    """Encode spans that share no token as IOB2 tags.

    spans: (start, end exclusive, label) in tokens.
    """
    tags = [OUTSIDE] * n_tokens
    for start, end, label in spans:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


@dataclass
class _ShapeStatistics:
    """The tags of one shape. letters: upper-case letters with counts. by_label: the letters of each label."""

    letters: Counter[str] = field(default_factory=Counter)
    separators: Counter[str] = field(default_factory=Counter)
    by_label: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, tags: Counter[str], shape: str) -> "_ShapeStatistics":
        """Collect the tags of a shape. shape: as in `TagScheme`."""
        statistics = cls()
        for tag, n in tags.items():
            if match := SHAPES[shape].fullmatch(tag):
                letter, label = _letter_and_label(match, shape)
                statistics.letters[letter] += n
                statistics.separators[tag[-2] if shape.endswith("suffix") else tag[1]] += n
                statistics.by_label.setdefault(label, set()).add(letter)
        return statistics

    @property
    def vary(self) -> bool:
        """Whether some label occurs with several letters."""
        return any(len(letters) > 1 for letters in self.by_label.values())

    @property
    def all_begin(self) -> bool:
        """Whether there are several labels, and each occurs with B."""
        return len(self.by_label) > 1 and all("B" in letters for letters in self.by_label.values())


def _detect_shape(statistics: Mapping[str, _ShapeStatistics], *, n_tags: int, outside: str) -> str:
    """Detect the shape that most tags fit; empty if no letters stand beside labels."""
    # Half is enough: IO labels do not look like `B-LOC`, and damaged tags must not make a prefix part of a label.
    if 2 * statistics["prefix"].letters.total() >= n_tags:
        return "prefix"
    # But `VITAMIN_B` may be a label: suffix letters have to vary, or to occur with several labels.
    suffix = statistics["suffix"]
    if suffix.letters.total() >= 0.9 * n_tags and suffix.letters["B"] and (suffix.vary or len(suffix.by_label) > 1):
        return "suffix"
    # `b-cell` may be a label too, and `e-mail` beside it.
    for shape in ("loose prefix", "lower suffix"):
        candidate = statistics[shape]
        is_lower = shape == "loose prefix" and outside == LOWER_OUTSIDE
        is_sure = is_lower or (candidate.letters["B"] and (candidate.vary or candidate.all_begin))
        if candidate.letters.total() >= 0.9 * n_tags and is_sure:
            return shape
    return ""


def _letter_and_label(match: re.Match[str], shape: str) -> tuple[str, str]:
    return (match[1].upper(), match[2]) if shape.endswith("prefix") else (match[2].upper(), match[1])


def _split(tag: str) -> tuple[str, str]:
    """Split a tag into (letter, label), whatever its shape; both are empty for a tag without a letter."""
    for shape in ("prefix", "suffix", "loose prefix", "lower suffix"):
        if match := SHAPES[shape].fullmatch(tag):
            return _letter_and_label(match, shape)
    return (tag.upper(), "bare") if BARE.fullmatch(tag) else ("", "")


def _are_scheme_letters(letters: Counter[str], n_tags: int) -> bool:
    """Whether one-letter tags are letters of a scheme, not labels. n_tags: all tags that are not outside.

    L and M begin no entity, so alone they are labels; S or U alone may be entities of one token each.
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
