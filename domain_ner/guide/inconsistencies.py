"""Finds contradictions between annotations: a surface with several types, a name annotated in some places only."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.guide.occurrences import find_occurrences, index_names

# A skipped name is nearly always annotated: at least so often, and in at least this share of cases.
MIN_MENTIONS = 3
MIN_SHARE = 0.75


def surface_labels(passages: Sequence[Passage]) -> dict[str, Counter[str]]:
    """Map each surface to its labels and their counts."""
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for passage in passages:
        for span in passage.spans:
            labels[passage.text[span.start : span.end]][span.label] += 1
    return dict(labels)


def majority_label(counts: Mapping[str, int]) -> str:
    """Find the most frequent label; on a tie the first in the alphabet."""
    return min(counts, key=lambda label: (-counts[label], label))


def skipped_names(
    passages: Sequence[Passage], *, on_passage: Callable[[], None] = lambda: None
) -> Iterator[tuple[Passage, LabelledSpan, int]]:
    """Find names that are annotated elsewhere, or in the same passage, but not here.

    Yields the passage, the place of the name with its likely label, and how often it is annotated.
    A name counts if it is annotated at least 3 times and in at least three of four cases. It also counts if the passage
    itself annotates it elsewhere, unless it looks like an ordinary word.
    """
    labels = surface_labels(passages)
    names = index_names(labels)
    bare: dict[str, list[tuple[Passage, LabelledSpan]]] = defaultdict(list)
    for passage in passages:
        for start, end in find_occurrences(passage.text, names, passage.spans):
            surface = passage.text[start:end]
            bare[surface].append((passage, LabelledSpan(start, end, majority_label(labels[surface]))))
        on_passage()
    for surface, places in bare.items():
        n_annotated = labels[surface].total()
        is_common = n_annotated >= MIN_MENTIONS and n_annotated >= MIN_SHARE * (n_annotated + len(places))
        for passage, span in places:
            if is_common or _annotates(passage, surface):
                yield passage, span, n_annotated


def _annotates(passage: Passage, surface: str) -> bool:
    """Whether the passage itself annotates this surface, and it does not look like an ordinary word."""
    looks_like_a_name = any(char.isupper() or char.isdigit() or char in "-_/." for char in surface)
    return looks_like_a_name and any(passage.text[span.start : span.end] == surface for span in passage.spans)
