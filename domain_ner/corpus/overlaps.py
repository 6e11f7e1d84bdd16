"""Selects which of overlapping spans go into `doc.ents`, and records the outcome of the others.

Does not use spaCy.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from domain_ner.annotations.outcomes import FLATTENED, IMPORTED, Outcome
from domain_ner.annotations.passages import Passage

# The rules of `flatten`.
LONGEST, INNERMOST, FIRST, PRIORITY = OVERLAPS = ("longest", "innermost", "first", "priority")
# The reason for a flattened span.
OVERLAP = "overlap, only in doc.spans"


def flatten(passage: Passage, rule: str, labels: Sequence[str] = ()) -> list[int]:
    """Return the positions in `passage.spans` of a non-overlapping selection, for `doc.ents`.

    rule: `longest` (outermost; the first in a tie), `innermost` (shortest), `first` (smallest start), or `priority`:
        the label that comes first in `labels`, the longest in a tie.
    """
    spans = passage.spans
    keys = {
        LONGEST: lambda n: (spans[n].start - spans[n].end, n),
        INNERMOST: lambda n: (spans[n].end - spans[n].start, n),
        FIRST: lambda n: (spans[n].start, spans[n].start - spans[n].end, n),
        PRIORITY: lambda n: (_rank(spans[n].label, labels), spans[n].start - spans[n].end, n),
    }
    chosen: list[tuple[int, int, int]] = []  # (start, end, position), sorted and non-overlapping
    for position in sorted(range(len(spans)), key=keys[rule]):
        start, end = spans[position].start, spans[position].end
        place = bisect_left(chosen, (start, end, position))
        free_before = place == 0 or chosen[place - 1][1] <= start
        free_after = place == len(chosen) or end <= chosen[place][0]
        if free_before and free_after:
            chosen.insert(place, (start, end, position))
    return sorted(position for _, _, position in chosen)


def corpus_outcomes(passage: Passage, kept: Iterable[int]) -> Iterator[Outcome]:
    """Yield the outcome of each annotation of a passage in the corpus. kept: from `flatten`."""
    positions = set(kept)
    for position, row in enumerate(passage.rows):
        yield Outcome(row, IMPORTED) if position in positions else Outcome(row, FLATTENED, OVERLAP)


def _rank(label: str, labels: Sequence[str]) -> int:
    return labels.index(label) if label in labels else len(labels)
