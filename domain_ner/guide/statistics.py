"""Statistics of each type: mentions, distinct surfaces, lengths."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from domain_ner.annotations.passages import Passage
from domain_ner.guide.rules import TOKEN


@dataclass(frozen=True)
class TypeStatistics:
    """Of one type: mentions, distinct surfaces, surfaces with one mention, tokens in a span, the commonest surface."""

    n_mentions: int
    n_surfaces: int
    n_once: int
    mean_tokens: float
    max_tokens: int
    top_surface: str
    n_top: int


def type_statistics(passages: Iterable[Passage]) -> dict[str, TypeStatistics]:
    """Compute the statistics of every label that occurs, in alphabetical order."""
    surfaces: dict[str, Counter[str]] = defaultdict(Counter)
    for passage in passages:
        for span in passage.spans:
            surfaces[span.label][passage.text[span.start : span.end]] += 1
    return {label: _of_type(surfaces[label]) for label in sorted(surfaces)}


def _of_type(surfaces: Counter[str]) -> TypeStatistics:
    lengths = {surface: len(TOKEN.findall(surface)) for surface in surfaces}
    n_mentions = surfaces.total()
    (top, n_top), *_ = surfaces.most_common(1)
    return TypeStatistics(
        n_mentions=n_mentions,
        n_surfaces=len(surfaces),
        n_once=sum(n == 1 for n in surfaces.values()),
        mean_tokens=sum(lengths[surface] * n for surface, n in surfaces.items()) / n_mentions,
        max_tokens=max(lengths.values()),
        top_surface=top,
        n_top=n_top,
    )
