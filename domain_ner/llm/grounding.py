"""Finds the places of what a model named: literal spans of the text, at word edges, that the guide allows.

A text that is named with one label stands for all its occurrences; named n times, the n-th stands for the n-th. What
leaves a doubt is rejected, with the reason.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.errors import did_you_mean
from domain_ner.guide.legality import SpanRules, apart
from domain_ner.guide.occurrences import stands_alone
from domain_ner.guide.rules import reason_of
from domain_ner.llm.answers import Named

# Reasons, beside the kinds of the guide's faults.
NO_TEXT, NO_LABEL, ABSENT, IN_WORDS = "without a text", "illegal label", "not in the text", "only inside words"
AMBIGUOUS, NO_OCCURRENCE, OVERLAP = "ambiguous occurrence", "no such occurrence", "inside a longer entity"
MESSAGES = {
    NO_TEXT: "the entity has no text",
    ABSENT: "the passage does not hold this text, letter by letter",
    IN_WORDS: "the passage holds this text only as part of longer words",
    AMBIGUOUS: "it has several labels, but not one for each of its {n} occurrences; list it {n} times, in order",
    NO_OCCURRENCE: "it occurs {n} times",
    OVERLAP: "it is inside a longer entity, or crosses it",
}
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
# Scripts whose words no space divides: Thai to Lao, Burmese, Khmer, kana, Hangul (with particles), Han.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\uac00-\ud7af\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True)
class Rejected:
    """What could not be grounded. reason: of a closed set of words. message: for the model; it may quote the text."""

    named: Named
    reason: str
    message: str


@dataclass(frozen=True)
class Grounded:
    """spans: sorted, and allowed by the guide. accepted: the answers that they come from, in order."""

    spans: tuple[LabelledSpan, ...]
    rejected: tuple[Rejected, ...]
    accepted: tuple[Named, ...]

    @property
    def reasons(self) -> Counter[str]:
        """Number of rejected answers by reason."""
        return Counter(rejected.reason for rejected in self.rejected)


def ground(text: str, answers: Iterable[Named], rules: SpanRules) -> Grounded:
    """Find the spans of a text that a model's answers stand for. rules: of the guide."""
    places: list[tuple[Named, list[LabelledSpan]]] = []
    rejected: list[Rejected] = []
    by_text: dict[str, list[Named]] = defaultdict(list)
    for named in answers:
        by_text[named.text.strip()].append(named)
    covered = bytearray(len(text))
    # The longest first: an occurrence inside a longer entity does not count as one of its own.
    for surface in sorted(by_text, key=len, reverse=True):
        found, faults = _place(text, surface, by_text[surface], rules, covered)
        places += found
        rejected += faults
        for span in (span for _, spans in found for span in spans):
            covered[span.start : span.end] = b"\1" * (span.end - span.start)
    kept = set(apart((span for _, spans in places for span in spans), rules))
    lost = [named for named, spans in places if not kept.intersection(spans)]
    rejected += [_rejected(named, OVERLAP) for named in lost]
    accepted = tuple(named for named, spans in places if kept.intersection(spans))
    return Grounded(tuple(sorted(kept)), tuple(rejected), accepted)


Placed = tuple[list[tuple[Named, list[LabelledSpan]]], list[Rejected]]


def _place(text: str, surface: str, answers: Sequence[Named], rules: SpanRules, covered: bytearray) -> Placed:
    """Place all answers with one text."""
    legal = [named for named in answers if named.label in rules.rules]
    faults = [_bad_label(named, rules) for named in answers if named.label not in rules.rules]
    if not surface:
        return [], faults + [_rejected(named, NO_TEXT) for named in legal]
    every = find_all(text, surface)
    whole = [place for place in every if _at_word_edges(text, *place)]
    if not whole:
        reason = IN_WORDS if every else ABSENT
        return [], faults + [_rejected(named, reason) for named in legal]
    numbered = [named for named in legal if named.occurrence is not None]
    free = [place for place in whole if not all(covered[place[0] : place[1]])]
    placed: list[tuple[Named, list[tuple[int, int]]]] = []
    for named in numbered:
        if 1 <= (named.occurrence or 0) <= len(whole):
            placed.append((named, [whole[(named.occurrence or 0) - 1]]))
        else:
            faults.append(_rejected(named, NO_OCCURRENCE, n=len(whole)))
    others = [named for named in legal if named.occurrence is None]
    by_number = {place for _, [place] in placed}
    left, left_free = ([place for place in places if place not in by_number] for places in (whole, free))
    spread, doubts = _spread(text, others, left, left_free)
    faults += [_rejected(named, AMBIGUOUS, n=len(whole)) for named in doubts]
    checked = []
    for named, chosen in [*placed, *spread]:
        spans = [LabelledSpan(*place, named.label) for place in chosen]
        allowed = [span for span in spans if not any(rules.faults(text, span))]
        if allowed:
            checked.append((named, allowed))
        else:
            fault = next(fault for span in spans for fault in rules.faults(text, span))
            faults.append(Rejected(named, reason_of(fault), fault[1]))
    return checked, faults


def _spread(
    text: str, answers: Sequence[Named], whole: list[tuple[int, int]], free: list[tuple[int, int]]
) -> tuple[list[tuple[Named, list[tuple[int, int]]]], list[Named]]:
    """Share occurrences among answers without a number: (answers with their places, answers that leave a doubt)."""
    alone = [place for place in free if stands_alone(text, *place)]
    if len({named.label for named in answers}) == 1:
        # As a word of its own, if it is one anywhere ("Kafka" is not in "kafka-prod"); else wherever it is.
        # If it is named more often than that, it is meant there too.
        chosen = (alone if len(answers) <= max(len(alone), 1) else []) or free or whole
        return ([(named, chosen) for named in answers], []) if chosen else ([], list(answers))
    for candidates in (alone, free, whole):
        if answers and len(candidates) == len(answers):
            return [(named, [place]) for named, place in zip(answers, candidates, strict=True)], []
    return [], list(answers)


def find_all(text: str, surface: str) -> list[tuple[int, int]]:
    """Find the places of a surface in a text that do not overlap, in order.

    The letters are the same, but for the kind and number of white-space characters, and for composed accents where the
    text has none as given.
    """
    for wanted in (surface, *(unicodedata.normalize(form, surface) for form in FORMS)):
        pattern = r"\s+".join(map(re.escape, wanted.split()))
        found = [match.span() for match in re.finditer(pattern, text)] if pattern else []
        if found:
            return found
    return []


def _at_word_edges(text: str, start: int, end: int) -> bool:
    return not (_joined(text, start) or _joined(text, end))


def _joined(text: str, position: int) -> bool:
    """Whether a word continues over a position. Accents of their own belong to the letter before."""
    if not 0 < position < len(text):
        return False
    if unicodedata.combining(text[position]):
        return True
    before = position - 1
    while before > 0 and unicodedata.combining(text[before]):
        before -= 1
    return _is_word(text[before]) and _is_word(text[position])


def _is_word(char: str) -> bool:
    return (char.isalnum() or char == "_") and not UNSPACED.match(char)


def _bad_label(named: Named, rules: SpanRules) -> Rejected:
    near = did_you_mean(named.label, rules.rules)
    return Rejected(named, NO_LABEL, f"{named.label!r} is no label{near and f'; {near}'}")


def _rejected(named: Named, reason: str, **facts: int) -> Rejected:
    return Rejected(named, reason, MESSAGES[reason].format(**facts))
