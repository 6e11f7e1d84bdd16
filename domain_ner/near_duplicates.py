"""Texts that are nearly the same: pairs whose word n-grams overlap by more than a given Jaccard similarity.

Exact, by prefix filtering (Bayardo, Ma & Srikant 2007, "Scaling up all pairs similarity search"): two sets can only be
that similar if they share one of their rarest members, so that only those are indexed.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import ceil

WORD = re.compile(r"\w+")


def word_ngrams(text: str, n: int) -> frozenset[int]:
    """The hashes of the word n-grams of a text, lower-cased; one of all its words when it has fewer than n."""
    words = WORD.findall(text.lower())
    if len(words) < n:
        return frozenset([hash(tuple(words))] if words else [])
    return frozenset(hash(gram) for gram in zip(*(words[i:] for i in range(n)), strict=False))


def near_duplicates(texts: Sequence[str], *, n: int, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Yield (earlier, later, similarity) for each pair of texts at least `threshold` alike.

    n: words in an n-gram. threshold: of the Jaccard similarity, above 0 and at most 1.
    """
    sets = [word_ngrams(text, n) for text in texts]
    frequency = Counter(gram for grams in sets for gram in grams)
    index: dict[int, list[int]] = defaultdict(list)
    for later, grams in enumerate(sets):
        rarest = sorted((gram for gram in grams if frequency[gram] > 1), key=lambda gram: (frequency[gram], gram))
        # A gram that no other text has cannot be shared: it takes its place in the prefix without being indexed.
        n_unique = len(grams) - len(rarest)
        n_prefix = max(0, len(grams) - ceil(threshold * len(grams)) + 1 - n_unique)
        candidates = {earlier for gram in rarest[:n_prefix] for earlier in index[gram]}
        for earlier in sorted(candidates):
            n_shared = len(grams & sets[earlier])
            similarity = n_shared / (len(grams) + len(sets[earlier]) - n_shared)
            if similarity >= threshold:
                yield earlier, later, similarity
        for gram in rarest[:n_prefix]:
            index[gram].append(later)
