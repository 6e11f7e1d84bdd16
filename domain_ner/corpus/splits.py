"""Divides passages over train, dev and test. Groups stay whole, and earlier assignments stay as they are."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.assignments import DEV, SPLITS, TRAIN, SplitAssignment, TestChanges, digest, frozen_test_error
from domain_ner.corpus.connected import connected
from domain_ner.corpus.grouping import group_names
from domain_ner.corpus.near_duplicates import group_near_duplicates
from domain_ner.errors import DomainNerError
from domain_ner.files import DiskSelection

# With fewer groups, stratification is impossible: they are divided by size alone.
STRATIFY_FROM = 60
NGRAM, ALIKE = 5, 0.8

KeyedPassage = tuple[str, int]
"""The key of a passage's group, and the index of the passage."""


@dataclass(frozen=True)
class SplitRules:
    """The rules of the division.

    fractions: share of each split in 0..1, summing to 1.
    group_by: the key in `Passage.meta` (or `document`) whose value names the group; a passage without it, or an empty
        key, is its own group. Identical and near-duplicate texts always share a group.
    seed: the same seed and passages give the same splits, in any order.
    former: assignment of an earlier run: its groups stay. New groups then go to train and dev, for the test set is
        frozen, unless `grow_test`.
    accept_changes: continue if passages of that test set are missing or have changed.
    seen: returns excerpts of the texts of that test set by digest; called only if it has changed.
    """

    fractions: Mapping[str, float]
    group_by: str = ""
    seed: int = 0
    former: SplitAssignment = field(default_factory=SplitAssignment)
    grow_test: bool = False
    accept_changes: bool = False
    seen: Callable[[], Mapping[str, str]] = dict


@dataclass(frozen=True)
class Division:
    """The passages of each split, and the assignment to keep for the next run.

    n_new: number of keys that are new to an earlier assignment. n_joined: number of passages that are new to the test
    set, because they came with its groups. changes: the other changes of the test set.
    is_anew: whether there was an earlier assignment, but none of its groups is in the exports.
    """

    splits: dict[str, DiskSelection[Passage]]
    assigned: SplitAssignment = field(default_factory=SplitAssignment)
    n_new: int = 0
    n_joined: int = 0
    changes: TestChanges = field(default_factory=TestChanges)
    is_anew: bool = False


def parse_fractions(text: str) -> dict[str, float]:
    """Read `"0.7,0.1,0.2"` as the shares of train, dev and test.

    Raises DomainNerError unless it has three positive numbers that sum to 1.
    """
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = []
    if len(shares) != len(SPLITS) or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-6:
        raise DomainNerError(
            f"vars.splits is {text!r}; expected three positive shares that sum to 1, for train, dev and test.",
            'For example: splits: "0.7,0.1,0.2"',
        )
    return dict(zip(SPLITS, shares, strict=True))


def divide(passages: Sequence[Passage], rules: SplitRules) -> Division:
    """Divide passages over the splits, with whole groups.

    passages: each text once.
    Raises DomainNerError when a split would be empty, or the frozen test set has changed.
    """
    digests = [digest(passage.text) for passage in passages]
    names = group_names(passages, rules.group_by)
    keys = [
        f"{rules.group_by}={name}" if name else f"text={text_digest}"
        for name, text_digest in zip(names, digests, strict=True)
    ]
    texts: dict[str, list[str]] = defaultdict(list)
    for key, text_digest in zip(keys, digests, strict=True):
        texts[key].append(text_digest)
    former = rules.former.as_named(texts)
    known = former.place(texts)
    if not known:  # no group of the earlier assignment is here: these are other data
        former = SplitAssignment()
    groups = _group(passages, keys, digests)
    assigned = _split_of(passages, groups, rules, known)
    changes = former.test_changes(texts, assigned)
    if changes and not rules.accept_changes:
        raise frozen_test_error(changes, former, group_by=rules.group_by, seen=rules.seen())
    splits = {name: DiskSelection(passages) for name in SPLITS}
    for name in sorted(groups, key=lambda name: _shuffle_key(name, rules.seed)):
        for key, position in groups[name]:
            splits[assigned[key]].add(position)
    n_known = sum(any(key in known for key, _ in keyed) for keyed in groups.values())
    _require_filled(splits, n_groups=len(groups), n_known=n_known, group_by=rules.group_by)
    return Division(
        splits,
        former.after(texts, assigned, rules.group_by),
        n_new=len(texts) - len(known) if known else 0,
        n_joined=former.n_joined(texts, assigned),
        changes=changes,
        is_anew=bool(rules.former.groups) and not known,
    )


def _split_of(
    passages: Sequence[Passage],
    groups: Mapping[str, Sequence[KeyedPassage]],
    rules: SplitRules,
    known: Mapping[str, str],
) -> dict[str, str]:
    """Choose the split of each key: that of an earlier run, of a near-duplicate, or a newly assigned one."""
    new = {name: keyed for name, keyed in groups.items() if not any(key in known for key, _ in keyed)}
    open_splits = SPLITS if not known or rules.grow_test else (TRAIN, DEV)
    sizes = Counter(dict.fromkeys(SPLITS, 0))
    sizes.update(known[key] for keyed in groups.values() for key, _ in keyed if key in known)
    assigned = _assign(passages, new, rules, open_splits, sizes)
    split_of: dict[str, str] = {}
    for name, keyed in groups.items():
        of_group = Counter(known[key] for key, _ in keyed if key in known)
        split = of_group.most_common(1)[0][0] if of_group else assigned[name]
        split_of |= {key: known.get(key, split) for key, _ in keyed}
    return split_of


def _assign(
    passages: Sequence[Passage],
    groups: Mapping[str, Sequence[KeyedPassage]],
    rules: SplitRules,
    names: Sequence[str],
    sizes: Counter[str],
) -> dict[str, str]:
    keys = sorted(groups, key=lambda key: _shuffle_key(key, rules.seed))
    if len(keys) >= STRATIFY_FROM:
        return _stratify(keys, _columns(passages, [groups[key] for key in keys]), rules, names)
    total = sizes.total() + sum(len(keyed) for keyed in groups.values())
    assigned: dict[str, str] = {}
    for key in keys:
        # Take the split that lacks the largest part of its share. That fills all evenly, and leaves none empty if
        # there are as many groups as splits.
        neediest = min(names, key=lambda name: sizes[name] / (rules.fractions[name] * total))
        assigned[key] = neediest
        sizes[neediest] += len(groups[key])
    return assigned


def _stratify(keys: Sequence[str], counts: Any, rules: SplitRules, names: Sequence[str]) -> dict[str, str]:
    """Divide each type in proportion: iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011).

    counts: (n_groups, n_types + 1), a row for each of `keys`.
    """
    left = np.arange(len(keys))
    assigned: dict[str, str] = {}
    share = sum(rules.fractions[name] for name in names)
    for name in reversed(names[1:]):  # test, then dev; the rest is train
        # Columns: more mentions of the type than the median group; more passages; not more passages.
        above = (counts[left] > np.median(counts[left], axis=0)).astype(int)
        columns = np.column_stack([above, 1 - above[:, -1]])
        size = rules.fractions[name] / share
        splitter = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=size, random_state=rules.seed)
        rest, chosen = next(splitter.split(np.zeros(len(left)), columns))
        assigned |= {keys[int(n)]: name for n in left[chosen]}
        left, share = left[rest], share - rules.fractions[name]
    return assigned | {keys[int(n)]: names[0] for n in left}


def _columns(passages: Sequence[Passage], groups: Sequence[Sequence[KeyedPassage]]) -> Any:
    """Count the mentions of each type, and the passages: (n_groups, n_types + 1)."""
    labels: dict[str, int] = {}
    counts = []
    for group in groups:
        label_counts = Counter(span.label for _, position in group for span in passages[position].spans)
        counts.append((label_counts, len(group)))
        for label in label_counts:
            labels.setdefault(label, len(labels))
    table = np.zeros((len(groups), len(labels) + 1), dtype=np.int32)
    for row, (label_counts, size) in zip(table, counts, strict=True):
        row[-1] = size
        for label, n in label_counts.items():
            row[labels[label]] = n
    return table


def _group(passages: Sequence[Passage], keys: Sequence[str], digests: Sequence[str]) -> dict[str, list[KeyedPassage]]:
    """Group passages with their keys. Groups that share a text or a near-duplicate merge under the first name."""
    first_of_text: dict[str, str] = {}
    similar = [
        (key, first_of_text.setdefault(text_digest, key)) for key, text_digest in zip(keys, digests, strict=True)
    ]
    firsts = group_near_duplicates(Texts(passages), n=NGRAM, threshold=ALIKE)
    similar += [(keys[first], key) for first, key in zip(firsts, keys, strict=True)]
    root = connected(keys, similar)
    groups: dict[str, list[KeyedPassage]] = defaultdict(list)
    for position, key in enumerate(keys):
        groups[root[key]].append((key, position))
    return groups


class Texts(Sequence[str]):
    """The texts of passages, each read on access."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages

    def __len__(self) -> int:
        return len(self._passages)

    def __getitem__(self, index: Any) -> Any:
        return self._passages[index].text


def _shuffle_key(key: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{key}".encode()).hexdigest()


def _require_filled(splits: Mapping[str, Sequence[Passage]], *, n_groups: int, n_known: int, group_by: str) -> None:
    empty = [name for name in SPLITS if not splits[name]]
    if empty and n_known:
        raise DomainNerError(
            f"The {' and '.join(empty)} split would be empty: the splits of an earlier run put {n_known} of the "
            f"{n_groups} groups elsewhere.",
            "Restore the missing exports, or delete assets/splits.json to draw new splits (with a new test set).",
        )
    if empty:
        unit = f"groups by meta.{group_by}" if group_by else "distinct passages"
        raise DomainNerError(
            f"The {' and '.join(empty)} split would be empty: there are {n_groups} {unit}, but at least 3 are needed; "
            "near-duplicates count as one.",
            "Add annotated passages" + (', or set vars.group_by to "" to split by passage.' if group_by else "."),
        )
