"""Texts that are nearly the same: pairs whose word n-grams overlap by more than a given Jaccard similarity.

Exact, by prefix filtering (Bayardo, Ma & Srikant 2007, "Scaling up all pairs similarity search"): two sets can only be
that similar if they share one of their rarest members, so that only those are indexed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from typing import Any, TypeVar

import numpy as np

WORD = re.compile(r"\w+")
N_BUCKETS = 1 << 22
Key = TypeVar("Key", int, str)


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
    frequency = _frequencies(texts, n)
    index: dict[int, list[int]] = defaultdict(list)
    for later, text in enumerate(texts):
        grams = word_ngrams(text, n)
        counted = sorted((int(frequency[gram % N_BUCKETS]), gram) for gram in grams)
        rarest = [gram for count, gram in counted if count > 1]
        # A gram that no other text has cannot be shared: it takes its place in the prefix without being indexed.
        n_unique = len(grams) - len(rarest)
        n_prefix = max(0, len(grams) - ceil(threshold * len(grams)) + 1 - n_unique)
        candidates = {earlier for gram in rarest[:n_prefix] for earlier in index[gram]}
        for earlier in sorted(candidates):
            others = word_ngrams(texts[earlier], n)
            n_shared = len(grams & others)
            similarity = n_shared / (len(grams) + len(others) - n_shared)
            if similarity >= threshold:
                yield earlier, later, similarity
        for gram in rarest[:n_prefix]:
            index[gram].append(later)


def connected(keys: Iterable[Key], pairs: Iterable[tuple[Key, Key]]) -> dict[Key, Key]:
    """Each key to the smallest of those it is connected with by pairs, directly or by others."""
    parent = {key: key for key in keys}

    def root(key: Key) -> Key:
        while parent[key] != key:
            key = parent[key]
        return key

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return {key: root(key) for key in parent}


def _frequencies(texts: Sequence[str], n: int) -> Any:
    """(N_BUCKETS,) how many texts have an n-gram of that bucket, in memory that does not grow with the texts.

    Several n-grams may share a bucket: then both seem more frequent, which costs time and changes no result.
    """
    counts = np.zeros(N_BUCKETS, dtype=np.uint32)
    for text in texts:
        np.add.at(counts, [gram % N_BUCKETS for gram in word_ngrams(text, n)], 1)
    return counts
