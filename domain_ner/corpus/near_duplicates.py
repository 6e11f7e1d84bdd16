"""Texts that are nearly the same: their word n-grams overlap by more than a given Jaccard similarity.

Told are the groups, not the pairs: of 100,000 alike there are five billion. The groups are exactly those of all pairs
above the threshold. The time grows with the number of texts for texts that are all alike but for a running number or
two, and for texts that have little in common; where many n-grams are each in thousands of texts, and those are similar
to just below the threshold, it can still grow with the square.
"""

from array import array
from collections.abc import Iterable, Sequence
from math import ceil

import numpy as np

from domain_ner.annotations.words import NO_SPACE, split_words
from domain_ner.corpus.connected import Components
from domain_ner.corpus.set_join import SLACK, Ints, Sets, join_sets

N_BUCKETS = 1 << 25
# An n-gram in more texts is common. Texts with the same common ones are compared with others as one.
COMMON_FROM = 1000
# Characters of a script without spaces that are worth an n-gram of words.
N_CHARACTERS = 2


def word_ngrams(text: str, n: int) -> frozenset[int]:
    """The hashes of the word n-grams of a text, lower-cased; one of all its words when it has fewer than n.

    In scripts without spaces a character is a word, and two of them are worth as much as n words: so two sentences
    of 19 characters or more that differ in one are 80 % alike.
    """
    words, is_dense = split_words(text.lower())
    if is_dense:
        grams = frozenset(map(hash, _windows(words, n)))
    else:
        grams = frozenset(map(hash, zip(*(words[i:] for i in range(n)), strict=False)))
    return grams or frozenset([hash(tuple(words))] if words else [])


def similarity(one: str, other: str, *, n: int) -> float:
    """The Jaccard similarity of the word n-grams of two texts; 0 of texts without words."""
    grams, others = word_ngrams(one, n), word_ngrams(other, n)
    return len(grams & others) / max(1, len(grams | others))


def group_near_duplicates(texts: Sequence[str], *, n: int, threshold: float) -> list[int]:
    """Of each text the number of the first text that it is connected with; its own where there is none before it.

    Two texts are connected when they are at least `threshold` alike, or by other texts that are.
    n: words in an n-gram. threshold: of the Jaccard similarity, above 0 and at most 1.
    """
    numbers, sets = _repeated(texts, n, threshold)
    components = Components(len(texts))
    if len(sets):
        found = _connect(sets, threshold)
        for number, first in zip(numbers, found.smallest(), strict=True):
            components.join(number, numbers[first])
    return components.smallest()


def _windows(words: Sequence[str], n: int) -> Iterable[tuple[str, ...]]:
    """Runs of words that are together worth n words, from each word on that has enough behind it."""
    worth = [max(N_CHARACTERS, n) if NO_SPACE.match(word) else N_CHARACTERS for word in words]
    end = held = 0
    for start in range(len(words)):
        while end < len(words) and held < N_CHARACTERS * n:
            held += worth[end]
            end += 1
        if held < N_CHARACTERS * n:
            return
        yield tuple(words[start:end])
        held -= worth[start]


def _repeated(texts: Sequence[str], n: int, threshold: float) -> tuple[list[int], Sets]:
    """The texts of whose n-grams enough are in other texts too: their numbers, and these n-grams.

    In a first pass n-grams are counted by buckets, in memory that does not grow with the texts. Several may share one:
    then they seem repeated, and a second count, of what is left, tells.
    """
    counts = np.zeros(N_BUCKETS, dtype=np.uint8)
    for text in texts:
        buckets = np.fromiter(word_ngrams(text, n), np.int64) % N_BUCKETS
        counts[buckets] = np.minimum(counts[buckets], 1) + 1
    numbers, sizes, lengths, grams = list[int](), array("q"), array("q"), array("q")
    for number, text in enumerate(texts):
        own = np.fromiter(word_ngrams(text, n), np.int64)
        repeated = own[counts[own % N_BUCKETS] > 1]
        if len(repeated) and len(repeated) >= threshold * len(own) - SLACK:
            numbers.append(number)
            sizes.append(len(own))
            lengths.append(len(repeated))
            grams.frombytes(repeated.tobytes())
    del counts
    return numbers, _merged(np.array(grams), np.array(lengths), np.array(sizes))


def _merged(grams: Ints, lengths: Ints, sizes: Ints) -> Sets:
    """Sets with the n-grams that several of them have, the rarest first; those that always come together are one."""
    _, gram, counts = np.unique(grams, return_inverse=True, return_counts=True)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    is_shared = counts[gram] > 1
    gram, owner = gram[is_shared], owner[is_shared]
    # N-grams of the same texts have the same sum of the texts' random numbers.
    secret = np.random.default_rng(0).integers(0, 2**63, size=len(lengths), dtype=np.uint64)
    sums = np.zeros(len(counts), dtype=np.uint64)
    np.add.at(sums, gram, secret[owner])
    present = np.flatnonzero(counts > 1)
    _, first, member = np.unique(sums[present], return_index=True, return_inverse=True)
    weights = np.bincount(member, minlength=len(first))
    rank = np.argsort(np.argsort(counts[present][first], kind="stable"), kind="stable")
    of_gram = np.zeros(len(counts), dtype=np.int64)
    of_gram[present] = rank[member]
    pairs = np.unique(owner * max(1, len(first)) + of_gram[gram])
    owner, members = np.divmod(pairs, max(1, len(first)))
    starts = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(lengths)))))
    by_rank = np.zeros(len(first), dtype=np.int64)
    by_rank[rank] = weights
    return Sets(starts, members, sizes, by_rank)


def _connect(sets: Sets, threshold: float) -> Components:
    """The components of sets: first by what is common alone, then by all that they share.

    Two sets that share nothing rare are as similar as what they have in common and their sizes say: those with the same
    common members and the same size are one to the others. Two that share something rare are found by it.
    """
    n_texts_with = np.bincount(sets.members, minlength=len(sets.weights))
    n_rare = int(np.searchsorted(n_texts_with, COMMON_FROM))
    components = Components(len(sets))
    _connect_by_common(sets, n_rare, threshold, components)
    join_sets(sets, threshold, components, n_probed=n_rare)
    return components


def _connect_by_common(sets: Sets, n_rare: int, threshold: float, components: Components) -> None:
    kinds: dict[tuple[int, bytes], list[int]] = {}
    bounds, sizes = sets.starts.tolist(), sets.sizes.tolist()
    for number in range(len(sets)):
        own = sets.members[bounds[number] : bounds[number + 1]]
        common = own[own >= n_rare]
        if sets.weights[common].sum() >= max(1, ceil(threshold * sizes[number] - SLACK)):
            kinds.setdefault((sizes[number], common.tobytes()), []).append(number)
    if not kinds:
        return
    members = [np.frombuffer(common, dtype=np.int64) for _, common in kinds]
    starts = np.cumsum([0, *map(len, members)])
    alike = Sets(starts, np.concatenate(members), np.array([size for size, _ in kinds]), sets.weights)
    found = Components(len(alike))
    join_sets(alike, threshold, found, n_probed=len(sets.weights))
    held = alike.held()
    is_alike_within = held / (2 * alike.sizes - held) >= threshold
    groups = list(kinds.values())
    n_joined = np.bincount(found.labels, minlength=len(groups))[found.labels]
    for kind, first in enumerate(found.smallest()):
        if is_alike_within[kind] or n_joined[kind] > 1:
            for number in groups[kind]:
                components.join(groups[first][0], number)
