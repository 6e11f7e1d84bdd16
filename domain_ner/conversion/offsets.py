"""Detects the unit of a document's offsets, and converts the offsets to code points.

Tools count UTF-16 code units (JavaScript), bytes, grapheme clusters (UAX 29), or characters of a text whose line ends
or outer white space they changed. If the export carries the words of its spans, the unit is the one under which all of
them agree; if not, the one under which span edges fall on word edges. Nothing is guessed: offsets that agree with no
unit are reported.
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
# The candidate units of a file without the words of its spans; no tool is known to write such files in bytes.
CANDIDATE_UNITS = UNITS[:3]
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
    """A way to interpret offsets: how the tool changed the text, and what it counts.

    name: for the ledger, `offsets in utf16 after \\r\\n became \\n`.
    """

    unit: str = CODEPOINT
    line_ends: str = ""
    trimmed: bool = False

    @property
    def name(self) -> str:
        """What the ledger says about an offset that was read this way."""
        changes = [self.line_ends] if self.line_ends else []
        changes += ["the white space at the start was cut"] if self.trimmed else []
        return f"offsets in {self.unit}" + (f" after {' and '.join(changes)}" if changes else "")

    def boundaries(self, text: str) -> Boundaries:
        """Compute the offset in this reading of each code point of the text, and of its end."""
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
    """Yield the readings that may differ on this text, the plain one first, then the more common ones."""
    units: list[str] = [CODEPOINT]
    if not text.isascii():
        units += ["utf16"] * (max(text) > "\uffff") + ["grapheme", "byte"]
    line_ends = ["", *[CRLF_TO_LF] * ("\r\n" in text), *[LF_TO_CRLF] * bool(BARE_LF.search(text))]
    for trimmed, line_end, unit in product([False, *[True] * text[:1].isspace()], line_ends, units):
        if unit != "grapheme" or not line_end:  # \r\n is one grapheme, as \n is
            yield Reading(unit, line_end, trimmed)


@dataclass(frozen=True, slots=True)
class Located:
    """A span in code points: `start` and `end` (exclusive) are None if its offsets are invalid for the text.

    repair: how the offsets were read; empty if unchanged. fault: why the span is unusable; empty if usable.
    """

    start: int | None
    end: int | None
    repair: str = ""
    fault: str = ""


def locate(record: Record, unit: str | None) -> list[Located]:
    """Locate each span of a record in its text.

    unit: of the offsets, if neither the record nor the words of its spans determine it.
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
    """Return the words that the export gives for a span; empty if it gives none."""
    return span.text if isinstance(span.text, str) else ""


def vote(records: Iterable[Record]) -> tuple[Unit | None, Counter[str]]:
    """Detect the unit of a file without the words of its spans, from the positions of span edges.

    Returns the unit (None: the evidence does not favour a unit, or there is none) and, by unit, the number of spans
    whose edges fall on word edges. Counts only spans whose position depends on the unit.
    """
    fits: Counter[str] = Counter()
    n_differing: Counter[tuple[str, str]] = Counter()
    n_only_first: Counter[tuple[str, str]] = Counter()
    for record in records:
        for places in _places_by_unit(record):
            fitting = [unit for unit in CANDIDATE_UNITS if _at_words(record.text, places[unit])]
            fits.update(fitting)
            n_differing.update(pair for pair in permutations(CANDIDATE_UNITS, 2) if places[pair[0]] != places[pair[1]])
            n_only_first.update((unit, other) for unit in fitting for other in CANDIDATE_UNITS if other not in fitting)

    def beats(unit: Unit, other: Unit) -> bool:
        if not n_differing[unit, other]:
            return CANDIDATE_UNITS.index(unit) < CANDIDATE_UNITS.index(other)
        return n_only_first[unit, other] > 2 * n_only_first[other, unit]

    winners = (
        unit for unit in CANDIDATE_UNITS if all(beats(unit, other) for other in CANDIDATE_UNITS if other != unit)
    )
    return next(winners, None) if fits else None, fits


def differs_by_unit(record: Record) -> bool:
    """Whether the position of any span of a record depends on the unit of its offsets."""
    return bool(_places_by_unit(record))


def _widths(text: str, unit: str) -> list[int]:
    """Compute the length of each code point in units."""
    if unit == "utf16":
        return [2 if char > "\uffff" else 1 for char in text]
    if unit == "byte":
        return [1 + (char > "\x7f") + (char > "\u07ff") + (char > "\uffff") for char in text]
    if unit == "grapheme":
        # An offset between two clusters is the start of the next one: a cluster's last code point carries the width.
        return [width for match in GRAPHEME.finditer(text) for width in [*[0] * (len(match[0]) - 1), 1]]
    return [1] * len(text)


def _units_agree(text: str, units: Sequence[str]) -> bool:
    """Whether offsets are the same in all of these units; avoids a look at each character if possible."""
    if "grapheme" in units and "\r\n" in text:
        return False
    return text.isascii() or ("byte" not in units and "grapheme" not in units and max(text) <= "\uffff")


def _places_by_unit(record: Record) -> list[dict[str, Located]]:
    """Return the position by unit of each span whose position depends on the unit."""
    if not record.spans or _units_agree(record.text, CANDIDATE_UNITS):
        return []
    places = [[replace(at, repair="", fault="") for at in _place(record, Reading(unit))] for unit in CANDIDATE_UNITS]
    of_spans = zip(*places, strict=True)
    return [dict(zip(CANDIDATE_UNITS, of_span, strict=True)) for of_span in of_spans if len({*of_span}) > 1]


def _place(record: Record, reading: Reading) -> list[Located]:
    """Locate the spans of a record in one reading, without regard to the words in the export."""
    in_code_points = reading == PLAIN or (
        reading == Reading(reading.unit) and _units_agree(record.text, (CODEPOINT, reading.unit))
    )
    boundaries = None if in_code_points else reading.boundaries(record.text)
    return [_map(span, boundaries, len(record.text), reading) for span in record.spans]


def _map(span: SourceSpan, boundaries: Boundaries | None, length: int, reading: Reading) -> Located:
    """Convert offsets of a reading to code points. boundaries: None if they are code points already."""
    start, end = as_offset(span.start), as_offset(span.end)
    if not _is_offset(start) or not _is_offset(end):
        return Located(None, None, fault=f"its offsets are {start!r} and {end!r}: expected two integers")
    if start >= end:
        return Located(None, None, fault=f"it starts at {start} and ends at {end}: expected start < end")
    limit = boundaries[-1] if boundaries is not None else length
    if start < 0 or end > limit:
        return Located(None, None, fault=f"{start}-{end} is outside the text: it has {limit} characters")
    if boundaries is None:
        return Located(start, end)
    first, last = bisect_left(boundaries, start), bisect_left(boundaries, end)
    if boundaries[first] != start or boundaries[last] != end:
        return Located(None, None, fault=f"{start}-{end} splits a character")
    return Located(first, last, reading.name if (first, last) != (start, end) else "")


def _score(record: Record, places: Sequence[Located]) -> tuple[int, int]:
    """Count (spans with exactly the words of the export, spans with the same words except for white space)."""
    pairs = [
        (record.text[at.start : at.end], exported)
        for span, at in zip(record.spans, places, strict=True)
        if (exported := words_given(span)) and not at.fault
    ]
    n_exact = sum(words == exported for words, exported in pairs)
    return n_exact, n_exact if n_exact == len(pairs) else sum(_same(words, exported) for words, exported in pairs)


def _check_words(text: str, span: SourceSpan, located: Located, others: Iterable[Located]) -> Located:
    """Compare a located span with the words that the export gives for it.

    others: its position in other readings. One document can mix two readings: suggestions of a script, and spans that
    a person added in the browser.
    """
    exported, words = words_given(span), "" if located.fault else text[located.start : located.end]
    if not located.fault and (not exported or _same(words, exported)):
        return located
    exact = {(at.start, at.end): at for at in others if not at.fault and text[at.start : at.end] == exported}
    if len(exact) == 1:
        return next(iter(exact.values()))
    if not located.fault and _is_stale(text, located, exported):
        differing = f"the tool's words differ, offsets used: {exported!r} / {words!r}"
        return replace(located, repair=f"{located.repair}; {differing}" if located.repair else differing)
    fault = located.fault or (
        f"the text there is {words!r}, but the export says {exported!r}: they agree in no reading of the offsets"
    )
    hint = " (the text looks like a path or URL: export the text itself)" if _looks_like_path(text) else ""
    return Located(None, None, fault=fault + hint)


def _is_stale(text: str, located: Located, exported: str) -> bool:
    """Whether the exported words are older than the offsets: the annotator, or the tool, moved the span's edges.

    Offsets that drifted keep the length of the span, so that neither words can contain the other.
    """
    shorter, longer = sorted((_plain_words(text[located.start : located.end]), _plain_words(exported)), key=len)
    return shorter in longer and 3 * len(shorter) >= len(longer) and _at_words(text, located)


def _same(words: str, exported: str) -> bool:
    return words == exported or _plain_words(words) == _plain_words(exported)


def _plain_words(words: str) -> str:
    """Undo what tools do to words: collapse white space, and line ends written as the two characters `\\n`."""
    return WHITE.sub(" ", words.replace("\\r", " ").replace("\\n", " ")).strip()


def _at_words(text: str, located: Located) -> bool:
    """Whether a span starts at the start of a word and ends at the end of one."""
    if located.start is None or located.end is None:
        return False
    words = text[located.start : located.end]
    starts_inside = words[0].isalnum() and text[max(located.start - 1, 0) : located.start].isalnum()
    ends_inside = words[-1].isalnum() and text[located.end : located.end + 1].isalnum()
    return words == words.strip() and not starts_inside and not ends_inside


def _is_offset(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _looks_like_path(text: str) -> bool:
    return len(text.split()) == 1 and ("/" in text or "\\" in text)
