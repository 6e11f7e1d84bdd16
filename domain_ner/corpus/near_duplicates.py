"""Groups near-duplicate texts: those whose word n-grams have at least a given Jaccard similarity.

The result is the groups, not the pairs: 100,000 similar texts have five billion pairs. The groups are exactly those of
all pairs at or above the threshold. The time grows linearly with the number of texts if they differ only in a running
number or two, or share little. It can still grow quadratically if many n-grams occur in thousands of texts whose
similarity is just below the threshold.
"""

from array import array
from collections.abc import Iterable, Sequence
from math import ceil

import numpy as np

from domain_ner.annotations.words import NO_SPACE, split_words
from domain_ner.corpus.connected import Components
from domain_ner.corpus.set_join import SLACK, Ints, Sets, join_sets

N_BUCKETS = 1 << 25
# An n-gram in this many texts is common. Texts with the same common n-grams are compared with others as one.
COMMON_FROM = 1000
# Characters of a script without spaces that count as an n-gram of words.
N_CHARACTERS = 2


def word_ngrams(text: str, n: int) -> frozenset[int]:
    """Hash the word n-grams of a text, lower-cased; a text with fewer than n words has one n-gram of all its words.

    In scripts without spaces a character is a word, and two characters count as n words: two sentences of at least 19
    characters that differ in one are then 80 % similar.
    """
    words, is_dense = split_words(text.lower())
    if is_dense:
        grams = frozenset(map(hash, _windows(words, n)))
    else:
        grams = frozenset(map(hash, zip(*(words[i:] for i in range(n)), strict=False)))
    return grams or frozenset([hash(tuple(words))] if words else [])


def similarity(first: str, second: str, *, n: int) -> float:
    """Compute the Jaccard similarity of the word n-grams of two texts; 0 for texts without words."""
    grams, other_grams = word_ngrams(first, n), word_ngrams(second, n)
    return len(grams & other_grams) / max(1, len(grams | other_grams))


def group_near_duplicates(texts: Sequence[str], *, n: int, threshold: float) -> list[int]:
    """Give each text the number of the first text of its group; its own number if it is the first.

    Two texts are connected if their similarity is at least `threshold`, or through other texts.
    n: words in an n-gram. threshold: of the Jaccard similarity, above 0 and at most 1.
    """
    numbers, sets = _repeated(texts, n, threshold)
    components = Components(len(texts))
    if len(sets):
        components_of_sets = _connect(sets, threshold)
        for number, first in zip(numbers, components_of_sets.smallest(), strict=True):
            components.join(number, numbers[first])
    return components.smallest()


def _windows(words: Sequence[str], n: int) -> Iterable[tuple[str, ...]]:
    """Yield runs of words that count as n words, one from each start with enough words after it."""
    worth = [max(N_CHARACTERS, n) if NO_SPACE.match(word) else N_CHARACTERS for word in words]
    end = total = 0
    for start in range(len(words)):
        while end < len(words) and total < N_CHARACTERS * n:
            total += worth[end]
            end += 1
        if total < N_CHARACTERS * n:
            return
        yield tuple(words[start:end])
        total -= worth[start]


def _repeated(texts: Sequence[str], n: int, threshold: float) -> tuple[list[int], Sets]:
    """Select the texts with enough n-grams that occur in other texts: their numbers, and these n-grams.

    The first pass counts n-grams in buckets, in constant memory. N-grams that share a bucket seem repeated; a second,
    exact count of the remaining ones corrects that.
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
    """Build sets of the n-grams that several texts share, the rarest first; n-grams that always co-occur are merged."""
    _, gram, counts = np.unique(grams, return_inverse=True, return_counts=True)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    is_shared = counts[gram] > 1
    gram, owner = gram[is_shared], owner[is_shared]
    # Each text gets a random number: n-grams of the same texts have the same sum of them.
    random_numbers = np.random.default_rng(0).integers(0, 2**63, size=len(lengths), dtype=np.uint64)
    sums = np.zeros(len(counts), dtype=np.uint64)
    np.add.at(sums, gram, random_numbers[owner])
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
    """Connect sets: first by their common members alone, then by all shared members.

    The similarity of two sets without a shared rare member depends only on their sizes and common members, so sets
    with equal ones are compared as one. Two sets that share a rare member are found through it.
    """
    n_texts_with = np.bincount(sets.members, minlength=len(sets.weights))
    n_rare = int(np.searchsorted(n_texts_with, COMMON_FROM))
    components = Components(len(sets))
    _connect_by_common(sets, n_rare, threshold, components)
    join_sets(sets, threshold, components, n_probed=n_rare)
    return components


def _connect_by_common(sets: Sets, n_rare: int, threshold: float, components: Components) -> None:
    by_kind: dict[tuple[int, bytes], list[int]] = {}
    bounds, sizes = sets.starts.tolist(), sets.sizes.tolist()
    for number in range(len(sets)):
        own = sets.members[bounds[number] : bounds[number + 1]]
        common = own[own >= n_rare]
        if sets.weights[common].sum() >= max(1, ceil(threshold * sizes[number] - SLACK)):
            by_kind.setdefault((sizes[number], common.tobytes()), []).append(number)
    if not by_kind:
        return
    members = [np.frombuffer(common, dtype=np.int64) for _, common in by_kind]
    starts = np.cumsum([0, *map(len, members)])
    kind_sets = Sets(starts, np.concatenate(members), np.array([size for size, _ in by_kind]), sets.weights)
    kind_components = Components(len(kind_sets))
    join_sets(kind_sets, threshold, kind_components, n_probed=len(sets.weights))
    shared_weight = kind_sets.shared_weights()
    is_similar_within = shared_weight / (2 * kind_sets.sizes - shared_weight) >= threshold
    groups = list(by_kind.values())
    n_joined = np.bincount(kind_components.labels, minlength=len(groups))[kind_components.labels]
    for kind, first in enumerate(kind_components.smallest()):
        if is_similar_within[kind] or n_joined[kind] > 1:
            for number in groups[kind]:
                components.join(groups[first][0], number)
