"""Chooses a batch of texts: much to learn from each, and from each something else."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain_ner.corpus.assignments import digest
from domain_ner.corpus.near_duplicates import group_near_duplicates
from domain_ner.corpus.splits import ALIKE, NGRAM
from domain_ner.selecting.measuring import Measured
from domain_ner.selecting.strategies import Score, Weights

# So many times the batch are kept by score, from which the batch is chosen.
POOL_FACTOR, LEAST_POOL = 8, 400


@dataclass(frozen=True)
class Choice:
    """A chosen text. number: its place among the texts, from 0. score: of the strategy. is_wanted: it comes first."""

    number: int
    measured: Measured
    score: float
    is_wanted: bool = False


@dataclass
class Chosen:
    """A batch, the most useful text first.

    n_seen: texts that were there. n_errors: the expected number of errors in all of them. n_annotated,
    n_given, n_alike: left out, as annotated already or nearly so, as given to annotators, and as alike to another.
    n_empty: without tokens.
    """

    choices: list[Choice] = field(default_factory=list)
    n_seen: int = 0
    n_errors: float = 0.0
    n_annotated: int = 0
    n_given: int = 0
    n_alike: int = 0
    n_empty: int = 0


def choose(  # noqa: PLR0913
    measured: Iterable[Measured],
    n: int,
    score: Score,
    *,
    weights: Weights = {},  # noqa: B006 (never changed)
    annotated: Sequence[str] = (),
    given: frozenset[str] = frozenset(),
    is_wanted: Callable[[int], bool] = lambda _: False,
    is_diverse: bool = True,
) -> Chosen:
    """Choose `n` texts. Memory does not grow with the number of texts, but for a short hash of each.

    measured: each text. annotated: texts that need no annotation, nor any near-duplicate of them. given:
    digests of texts that annotators have already. is_wanted: whether
    the text of that number comes first, such as one that a monitor reported. is_diverse: prefer texts that differ
    from those already chosen.
    """
    chosen = Chosen()
    scored = (Choice(number, one, score(one, weights), is_wanted(number)) for number, one in enumerate(measured))
    pool = _best(scored, max(LEAST_POOL, POOL_FACTOR * n), set(map(digest, annotated)), given, chosen)
    pool = _without_alike(pool, annotated, chosen)
    chosen.choices = _spread(pool, n) if is_diverse else pool[:n]
    return chosen


def _best(scored: Iterable[Choice], size: int, known: set[str], given: frozenset[str], chosen: Chosen) -> list[Choice]:
    """The texts with the highest scores, the highest first; each text once. known: digests of annotated texts."""
    heap: list[tuple[bool, float, int, Choice]] = []
    seen = set(known)
    for choice in scored:
        chosen.n_seen += 1
        chosen.n_errors += choice.measured.n_errors
        if not choice.measured.n_tokens:
            chosen.n_empty += 1
            continue
        key = digest(choice.measured.text)
        if key in seen or key in given:
            chosen.n_annotated += key in known
            chosen.n_given += key in given and key not in known
            chosen.n_alike += key not in known and key not in given
            continue
        seen.add(key)
        entry = (choice.is_wanted, choice.score, -choice.number, choice)
        (heapq.heappush if len(heap) < size else heapq.heappushpop)(heap, entry)
    return [entry[3] for entry in sorted(heap, reverse=True)]


def _without_alike(pool: Sequence[Choice], annotated: Sequence[str], chosen: Chosen) -> list[Choice]:
    """Leave out near-duplicates of what is annotated, and of texts with a higher score."""
    texts = [*annotated, *(choice.measured.text for choice in pool)]
    first_of = group_near_duplicates(texts, n=NGRAM, threshold=ALIKE)
    kept = []
    for n, choice in enumerate(pool, start=len(annotated)):
        if first_of[n] == n:
            kept.append(choice)
        elif first_of[n] < len(annotated):
            chosen.n_annotated += 1
        else:
            chosen.n_alike += 1
    return kept


def _spread(pool: Sequence[Choice], n: int) -> list[Choice]:
    """Choose one after the other: the highest product of score and distance to the nearest chosen one.

    Farthest-first traversal (Gonzalez 1985), weighted by score. The distance is 1 minus the cosine, at most 1, of the
    vectors without what all have in common: else each pair is close.
    """
    if not pool:
        return []
    scores = np.array([choice.score for choice in pool])
    scores = np.maximum(scores, 0) + 1e-9
    scores[[choice.is_wanted for choice in pool]] += scores.max() * 1e3
    vectors = np.stack([choice.measured.vector for choice in pool])
    vectors = vectors - vectors.mean(axis=0)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    distances = np.ones(len(pool))
    chosen: list[Choice] = []
    for _ in range(min(n, len(pool))):
        best = int(np.argmax(scores * distances))
        chosen.append(pool[best])
        distances = np.minimum(distances, np.clip(1 - vectors @ vectors[best], 0, 1))
        scores[best] = -1.0
    return chosen
