"""Finds known names in a text where they are not annotated. Whole words only, longest name first."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set

from domain_ner.annotations.passages import LabelledSpan

WORD = re.compile(r"\w+")
# A name that continues on either side is a different name ("Kafka" in "kafka-prod", "/kafka/topics", "@kafka").
CONTINUES_BEFORE = re.compile(r"[\w@$#/.-]$")
CONTINUES_AFTER = re.compile(r"^(?:[\w]|[-/@:=]\w|\.\w)")


NameIndex = Mapping[str, Mapping[tuple[int, int], Set[str]]]
"""Maps the first word of a name to the names with it, by their length and the word's offset in them, the longest
first. There may be as many names as passages (running numbers), so each word is looked up, not compared with all.
"""


def find_occurrences(text: str, names: NameIndex, spans: Iterable[LabelledSpan]) -> Iterator[tuple[int, int]]:
    """Yield start and end of every name in the text, in the exact spelling, that touches no span."""
    taken = sorted((span.start, span.end) for span in spans)
    end_of_last = 0
    for word in WORD.finditer(text):
        if word.start() < end_of_last:
            continue
        for (length, offset), candidates in names.get(word.group(), {}).items():
            start = word.start() - offset
            end = start + length
            if start >= end_of_last and text[start:end] in candidates and stands_alone(text, start, end):
                if not any(start < taken_end and taken_start < end for taken_start, taken_end in taken):
                    yield start, end
                end_of_last = end
                break


def index_names(names: Iterable[str]) -> NameIndex:
    """Prepare names for `find_occurrences`, without those that have no letter or digit."""
    index: dict[str, dict[tuple[int, int], set[str]]] = defaultdict(lambda: defaultdict(set))
    for name in names:
        first = WORD.search(name)
        if first:
            index[first.group()][len(name), first.start()].add(name)
    return {word: dict(sorted(by_place.items(), key=lambda entry: -entry[0][0])) for word, by_place in index.items()}


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a name ends where its place ends: `Kafka` in `kafka-prod` is part of another name."""
    before, after = text[max(0, start - 1) : start], text[end : end + 2]
    return not CONTINUES_BEFORE.search(before) and not CONTINUES_AFTER.match(after)
