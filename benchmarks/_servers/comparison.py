"""Compares what was read from an export with what went in, aspect by aspect, and says of which cases it differs."""

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import accumulate

from _servers.contents import GROUP_BY, Case
from domain_ner.annotations.passages import Passage
from domain_ner.conversion.exports import Annotations
from domain_ner.corpus.assignments import SplitAssignment
from domain_ner.corpus.grouping import group_names
from domain_ner.corpus.splits import SplitRules, divide
from domain_ner.errors import DomainNerError

ASPECTS = ("texts", "spans", "labels", "documents", "meta", "groups", "splits", "annotators")
FRACTIONS = {"train": 0.6, "dev": 0.2, "test": 0.2}
# How alike two texts are of which one may be the other, changed on the way.
ALIKE = 0.6

Fact = tuple[str, Hashable]
"""A text, and something that is true of it."""
Facts = Mapping[str, Counter[Fact]]
"""By aspect."""


@dataclass(frozen=True)
class Difference:
    """How an aspect of an export differs from what went in.

    n: facts that went in. n_kept: of these, how many came back. n_more: others that came back. cases: the names of
    those of which some did not, or others did. shown: each of these facts, in words.
    """

    n: int
    n_kept: int
    n_more: int
    cases: frozenset[str]
    shown: tuple[str, ...] = ()


View = Callable[[str], tuple[str, Sequence[int]]]
"""What of a text is compared: the text as it is seen, and for each offset the one in it."""


def as_it_is(text: str) -> tuple[str, Sequence[int]]:
    """The text itself."""
    return text, range(len(text) + 1)


def without_spaces(text: str) -> tuple[str, Sequence[int]]:
    """The text of formats that have nothing between tokens."""
    return "".join(text.split()), list(accumulate((not char.isspace() for char in text), initial=0))


def facts_of(
    passages: Sequence[Passage], merged: Sequence[Passage], former: SplitAssignment, view: View = as_it_is
) -> Facts:
    """What is true of passages.

    passages: an annotator's each. merged: of each text one. former: the splits as they were drawn from what went in;
    the test set is frozen.
    """
    found: dict[str, Counter[Fact]] = {aspect: Counter() for aspect in ASPECTS}
    for passage in passages:
        text, offsets = view(passage.text)
        spans = [(offsets[span.start], offsets[span.end], span.label) for span in passage.spans]
        found["spans"].update((text, (start, end)) for start, end, _ in spans)
        found["labels"].update((text, span) for span in spans)
        found["annotators"][text, (passage.annotator, *spans)] += 1
    names = group_names(merged, GROUP_BY)
    of_each = {
        "texts": ((passage.text, "") for passage in merged),
        "documents": ((passage.text, passage.document) for passage in merged),
        "meta": ((passage.text, json.dumps(passage.meta, sort_keys=True)) for passage in merged),
        "groups": ((passage.text, name) for passage, name in zip(merged, names, strict=True)),
        "splits": splits_of(merged, former),
    }
    for aspect, facts in of_each.items():
        found[aspect].update((view(text)[0], fact) for text, fact in facts)
    return found


def splits_of(merged: Sequence[Passage], former: SplitAssignment) -> Iterable[Fact]:
    """(text, split) as `convert` divides; what is missing of the test set is accepted here."""
    try:
        division = divide(merged, SplitRules(FRACTIONS, GROUP_BY, former=former, accept_changes=True))
    except DomainNerError as err:  # too little is left
        return [(passage.text, err.message) for passage in merged]
    return [(passage.text, name) for name, some in division.splits.items() for passage in some]


def expected_passages(cases: Iterable[Case], called: Mapping[str, str]) -> list[Passage]:
    """A passage for each annotator of each case. called: what the tool calls them, where that is not their name."""
    return [
        Passage(case.text, spans, f"{case.name}:1", case.meta, called.get(who, who), document=case.document)
        for case in cases
        for who, spans in case.answers.items()
    ]


def once(passages: Sequence[Passage]) -> list[Passage]:
    """The first passage of each text."""
    return list({passage.text: passage for passage in reversed(passages)}.values())[::-1]


def compare(
    cases: Sequence[Case], read: Annotations, called: Mapping[str, str], view: View = as_it_is
) -> dict[str, Difference]:
    """How what was read differs from the cases, by aspect. The splits are drawn from the cases, and frozen."""
    went_in = expected_passages(cases, called)
    once_each = once(went_in)
    former = divide(once_each, SplitRules(FRACTIONS, GROUP_BY)).assigned
    before = facts_of(went_in, once_each, former, view)
    after = facts_of(read.passages, read.merged, former, view)
    names = {view(case.text)[0]: case.name for case in cases}
    return {aspect: difference(before[aspect], after[aspect], names) for aspect in ASPECTS}


def difference(before: Counter[Fact], after: Counter[Fact], names: Mapping[str, str]) -> Difference:
    """What is in one and not in the other. names: of the cases, by text."""
    gone, came = before - after, after - before
    cases = {case_of(text, names) for text, _ in (*gone, *came)}
    told = [f"{case_of(text, names)}: {said(value)} is gone" for text, value in gone]
    told += [f"{case_of(text, names)}: {said(value)} came" for text, value in came]
    return Difference(before.total(), before.total() - gone.total(), came.total(), frozenset(cases), tuple(told))


def case_of(text: str, names: Mapping[str, str]) -> str:
    """The name of the case with that text, or of the one whose text it may have been."""
    if text in names:
        return names[text]
    near = get_close_matches(text, names, n=1, cutoff=ALIKE)
    return names[near[0]] if near else f"no case: {text[:40]!r}"


def said(value: Hashable) -> str:
    """A fact in words."""
    return json.dumps(value, ensure_ascii=False, default=str) if value else "the text"
