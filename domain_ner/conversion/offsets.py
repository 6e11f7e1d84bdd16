"""The offset doctor: what unit the offsets of a document count in, and where they point in code points.

Tools count UTF-16 code units (JavaScript), bytes, grapheme clusters (UAX 29), or characters of a text whose line ends
or outer white space they changed. Where the export carries the words of its spans, the unit under which all of them
agree is the one; where it does not, the unit under which the edges fall on the edges of words. Nothing is guessed:
what agrees with no unit is reported.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, permutations, product

import regex

from domain_ner.annotations.records import Record, SourceSpan, Unit, as_offset

UNITS: tuple[Unit, ...] = ("codepoint", "utf16", "grapheme", "byte")
CODEPOINT = UNITS[0]
# Of these a file without the words of its spans is in one; nobody has met one in bytes.
VOTED = UNITS[:3]
CRLF_TO_LF = r"\r\n became \n"
LF_TO_CRLF = r"\n became \r\n"
WHITE = re.compile(r"\s+")
CRLF = re.compile(r"\r\n")
BARE_LF = re.compile(r"(?<!\r)\n")
GRAPHEME = regex.compile(r"\X")
Boundaries = Sequence[int]
"""Boundaries[i]: the offset, in the tool's unit, of code point i; one more entry than code points."""


@dataclass(frozen=True)
class Reading:
    """One way to read offsets: how the tool changed the text, and what it counts.

    name: for the ledger, `offsets in utf16 after \\r\\n became \\n`.
    """

    unit: str = CODEPOINT
    line_ends: str = ""
    trimmed: bool = False

    @property
    def name(self) -> str:
        """What the ledger says of an offset that was read this way."""
        changes = [self.line_ends] if self.line_ends else []
        changes += ["the white space at the start was cut"] if self.trimmed else []
        return f"offsets in {self.unit}" + (f" after {' and '.join(changes)}" if changes else "")

    def boundaries(self, text: str) -> Boundaries:
        """The offset in this reading of each code point of the text, and of its end."""
        widths = _widths(text, self.unit)
        if self.line_ends == CRLF_TO_LF:
            for match in CRLF.finditer(text):
                widths[match.start()] = 0
        elif self.line_ends == LF_TO_CRLF:
            for match in BARE_LF.finditer(text):
                widths[match.start()] = 2
        n_cut = len(text) - len(text.lstrip()) if self.trimmed else 0
        return list(accumulate(widths, initial=-sum(widths[:n_cut])))


PLAIN = Reading()


def readings(text: str) -> Iterator[Reading]:
    """The readings that may differ from one another on this text, the plain one first, then the more common ones."""
    units: list[str] = [CODEPOINT]
    if not text.isascii():
        units += ["utf16"] * (max(text) > "\uffff") + ["grapheme", "byte"]
    line_ends = ["", *[CRLF_TO_LF] * ("\r\n" in text), *[LF_TO_CRLF] * bool(BARE_LF.search(text))]
    for trimmed, line_end, unit in product([False, *[True] * text[:1].isspace()], line_ends, units):
        if unit != "grapheme" or not line_end:  # \r\n is one grapheme, as \n is
            yield Reading(unit, line_end, trimmed)


@dataclass(frozen=True, slots=True)
class Located:
    """A span in code points: `start` and `end` (exclusive) are None where its offsets point nowhere in the text.

    repair: how the offsets were read, empty where as they are. fault: why it cannot be used, empty where it can.
    """

    start: int | None
    end: int | None
    repair: str = ""
    fault: str = ""


def locate(record: Record, unit: str | None) -> list[Located]:
    """Find each span of a record in its text.

    unit: of the offsets, where the record leaves it open and the words of its spans do not tell it.
    """
    plain = Reading(record.unit or unit or CODEPOINT)
    tried = [_place(record, plain)]
    best, best_score = tried[0], _score(record, tried[0])
    n_given = sum(bool(words_given(span)) for span in record.spans)
    if best_score[0] < n_given:
        for reading in readings(record.text):
            tried.append(_place(record, reading))
            score = _score(record, tried[-1])
            if score > best_score:
                best, best_score = tried[-1], score
            if best_score[0] == n_given:
                break
    return [
        _check_words(record.text, span, at, [places[n] for places in tried])
        for n, (span, at) in enumerate(zip(record.spans, best, strict=True))
    ]


def words_given(span: SourceSpan) -> str:
    """The words that the export gives for a span; empty where it gives none."""
    return span.text if isinstance(span.text, str) else ""


def vote(records: Iterable[Record]) -> tuple[Unit | None, Counter[str]]:
    """The unit of a file without the words of its spans, told from where the edges of its spans fall.

    Returns the unit (None: the evidence is no different from one unit to the next, or there is none) and, by unit, the
    spans whose edges fall on the edges of words; only spans are counted that lie elsewhere in another unit.
    """
    fits: Counter[str] = Counter()
    apart: Counter[tuple[str, str]] = Counter()
    only: Counter[tuple[str, str]] = Counter()
    for record in records:
        for found in _places_by_unit(record):
            fitting = [unit for unit in VOTED if _at_words(record.text, found[unit])]
            fits.update(fitting)
            apart.update(pair for pair in permutations(VOTED, 2) if found[pair[0]] != found[pair[1]])
            only.update((one, other) for one in fitting for other in VOTED if other not in fitting)

    def beats(one: Unit, other: Unit) -> bool:
        if not apart[one, other]:
            return VOTED.index(one) < VOTED.index(other)
        return only[one, other] > 2 * only[other, one]

    winners = (one for one in VOTED if all(beats(one, other) for other in VOTED if other != one))
    return next(winners, None) if fits else None, fits


def differs_by_unit(record: Record) -> bool:
    """Whether any span of a record would lie elsewhere if its offsets were in another unit."""
    return bool(_places_by_unit(record))


def _widths(text: str, unit: str) -> list[int]:
    """How many units each code point is long."""
    if unit == "utf16":
        return [2 if char > "\uffff" else 1 for char in text]
    if unit == "byte":
        return [1 + (char > "\x7f") + (char > "\u07ff") + (char > "\uffff") for char in text]
    if unit == "grapheme":
        # An offset between two clusters is the start of the next one: the width stands on a cluster's last part.
        return [width for match in GRAPHEME.finditer(text) for width in [*[0] * (len(match[0]) - 1), 1]]
    return [1] * len(text)


def _units_agree(text: str, units: Sequence[str]) -> bool:
    """Whether offsets are the same in all of these units, told without looking at each character where possible."""
    if "grapheme" in units and "\r\n" in text:
        return False
    return text.isascii() or ("byte" not in units and "grapheme" not in units and max(text) <= "\uffff")


def _places_by_unit(record: Record) -> list[dict[str, Located]]:
    """Of each span that lies elsewhere in another unit: where it lies, by unit."""
    if not record.spans or _units_agree(record.text, VOTED):
        return []
    places = [[replace(at, repair="", fault="") for at in _place(record, Reading(unit))] for unit in VOTED]
    return [dict(zip(VOTED, found, strict=True)) for found in zip(*places, strict=True) if len({*found}) > 1]


def _place(record: Record, reading: Reading) -> list[Located]:
    """Where the spans of a record lie in one reading, the words of the export not looked at."""
    in_code_points = reading == PLAIN or (
        reading == Reading(reading.unit) and _units_agree(record.text, (CODEPOINT, reading.unit))
    )
    boundaries = None if in_code_points else reading.boundaries(record.text)
    return [_map(span, boundaries, len(record.text), reading) for span in record.spans]


def _map(span: SourceSpan, boundaries: Boundaries | None, length: int, reading: Reading) -> Located:
    """Offsets of a reading to code points. boundaries None: they are code points."""
    start, end = as_offset(span.start), as_offset(span.end)
    if not _is_offset(start) or not _is_offset(end):
        return Located(None, None, fault=f"its offsets are {start!r} and {end!r}: expected two whole numbers")
    if start >= end:
        return Located(None, None, fault=f"it starts at {start} and ends at {end}: expected start < end")
    limit = boundaries[-1] if boundaries is not None else length
    if start < 0 or end > limit:
        return Located(None, None, fault=f"{start}-{end} is off the text: it has {limit} characters")
    if boundaries is None:
        return Located(start, end)
    first, last = bisect_left(boundaries, start), bisect_left(boundaries, end)
    if boundaries[first] != start or boundaries[last] != end:
        return Located(None, None, fault=f"{start}-{end} cuts a character in two")
    return Located(first, last, reading.name if (first, last) != (start, end) else "")


def _score(record: Record, places: Sequence[Located]) -> tuple[int, int]:
    """(spans that have the words which the export gives, those that have them but for white space)."""
    given = [
        (record.text[at.start : at.end], said)
        for span, at in zip(record.spans, places, strict=True)
        if (said := words_given(span)) and not at.fault
    ]
    n_exact = sum(words == said for words, said in given)
    return n_exact, n_exact if n_exact == len(given) else sum(_same(words, said) for words, said in given)


def _check_words(text: str, span: SourceSpan, found: Located, others: Iterable[Located]) -> Located:
    """Compare a located span with the words that the export gives for it.

    others: where it lies in other readings. One document can mix two: the suggestions of a script, and what a person
    added in the browser.
    """
    said, words = words_given(span), "" if found.fault else text[found.start : found.end]
    if not found.fault and (not said or _same(words, said)):
        return found
    exact = {(at.start, at.end): at for at in others if not at.fault and text[at.start : at.end] == said}
    if len(exact) == 1:
        return next(iter(exact.values()))
    if not found.fault and _is_stale(text, found, said):
        differing = f"the tool's words differ, offsets used: {said!r} / {words!r}"
        return replace(found, repair=f"{found.repair}; {differing}" if found.repair else differing)
    fault = found.fault or (
        f"the text there is {words!r}, the export says {said!r}: no reading of the offsets makes them agree"
    )
    hint = " (the text looks like a path or URL: export the text itself)" if _looks_like_path(text) else ""
    return Located(None, None, fault=fault + hint)


def _is_stale(text: str, found: Located, said: str) -> bool:
    """Whether the words are those of before the annotator, or the tool, moved the edges of the span to other words.

    Offsets that drifted keep the length of the span, so that the one cannot hold the other.
    """
    one, other = sorted((_plain_words(text[found.start : found.end]), _plain_words(said)), key=len)
    return one in other and 3 * len(one) >= len(other) and _at_words(text, found)


def _same(words: str, said: str) -> bool:
    return words == said or _plain_words(words) == _plain_words(said)


def _plain_words(words: str) -> str:
    """Words as tools garble them: white space collapsed, a line end written as the two characters `\\n`."""
    return WHITE.sub(" ", words.replace("\\r", " ").replace("\\n", " ")).strip()


def _at_words(text: str, found: Located) -> bool:
    """Whether a span starts where a word starts and ends where one ends."""
    if found.start is None or found.end is None:
        return False
    words = text[found.start : found.end]
    starts_inside = words[0].isalnum() and text[max(found.start - 1, 0) : found.start].isalnum()
    ends_inside = words[-1].isalnum() and text[found.end : found.end + 1].isalnum()
    return words == words.strip() and not starts_inside and not ends_inside


def _is_offset(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _looks_like_path(text: str) -> bool:
    return len(text.split()) == 1 and ("/" in text or "\\" in text)
